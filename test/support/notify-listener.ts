import { dlopen, FFIType, ptr } from "bun:ffi";
import { socketAddress } from "../../src/lib/datagram-socket.ts";
import { eventually } from "./eventually.ts";

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const MSG_DONTWAIT = 0x40;
const MAX_MESSAGE_BYTES = 4096;

/** Where a service listens for what sd_notify sends. */
export class NotifyListener implements Disposable {
  /** What {@link until} has taken, the oldest first. */
  readonly messages: string[] = [];
  private readonly libc = dlopen("libc.so.6", {
    socket: { args: [FFIType.i32, FFIType.i32, FFIType.i32], returns: FFIType.i32 },
    bind: { args: [FFIType.i32, FFIType.ptr, FFIType.u32], returns: FFIType.i32 },
    recv: { args: [FFIType.i32, FFIType.ptr, FFIType.u64, FFIType.i32], returns: FFIType.i64 },
    close: { args: [FFIType.i32], returns: FFIType.i32 },
  }).symbols;
  private readonly fd: number;

  constructor(address: string) {
    this.fd = this.libc.socket(AF_UNIX, SOCK_DGRAM, 0);
    const bytes = socketAddress(address);
    if (this.libc.bind(this.fd, ptr(bytes), bytes.length) !== 0) {
      throw new Error(`Cannot listen on ${address}`);
    }
  }

  /** Takes what has come. */
  read(): readonly string[] {
    const buffer = Buffer.alloc(MAX_MESSAGE_BYTES);
    for (;;) {
      const got = Number(this.libc.recv(this.fd, ptr(buffer), buffer.length, MSG_DONTWAIT));
      if (got < 0) return this.messages;
      this.messages.push(buffer.toString("utf8", 0, got));
    }
  }

  /** Waits for a message, and returns it with those before it; they are not looked at again. */
  async until(wanted: RegExp, others: () => string = () => ""): Promise<readonly string[]> {
    const find = () => this.read().findIndex((message) => wanted.test(message));
    await eventually(
      () => find() >= 0,
      () => `a message like ${wanted}; there are ${JSON.stringify(this.messages)} ${others()}`,
      30_000,
    );
    return this.messages.splice(0, find() + 1);
  }

  [Symbol.dispose](): void {
    this.libc.close(this.fd);
  }
}
