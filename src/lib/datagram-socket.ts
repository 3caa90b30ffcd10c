import { getSystemErrorName } from "node:util";
import { cFunctions } from "./c-library.ts";

// Linux's numbers, the same for all processors that the collector runs on.
const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const MSG_NOSIGNAL = 0x4000;
/** The longest path of a socket's address. */
const MAX_PATH_BYTES = 108;

interface Calls {
  readonly socket: (family: number, type: number, protocol: number) => number;
  readonly sendto: (
    fd: number,
    bytes: Uint8Array,
    length: number,
    flags: number,
    address: Uint8Array,
    addressLength: number,
  ) => number | bigint;
  readonly close: (fd: number) => number;
  readonly errno: () => number;
}

/** Sends datagrams to one unix socket, which neither the runtime nor node can. Never waits. */
export class DatagramSocket implements Disposable {
  private readonly calls: Calls = systemCalls();
  private readonly address: Uint8Array;
  private readonly fd: number;

  /** The address is a path, or `@` and a name in the abstract name space. Throws when it cannot be one. */
  constructor(address: string) {
    this.address = socketAddress(address);
    this.fd = this.calls.socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (this.fd < 0) throw new Error(`Cannot make a socket: ${errorName(this.calls.errno())}`);
  }

  /** Sends one datagram, and returns the name of the system's error if that failed. */
  send(bytes: Uint8Array): string | undefined {
    const { calls, fd, address } = this;
    const sent = calls.sendto(fd, bytes, bytes.length, MSG_NOSIGNAL, address, address.length);
    return Number(sent) < 0 ? errorName(calls.errno()) : undefined;
  }

  [Symbol.dispose](): void {
    this.calls.close(this.fd);
  }
}

/** The bytes of a `sockaddr_un`. */
export function socketAddress(address: string): Uint8Array {
  const isAbstract = address.startsWith("@");
  if (!isAbstract && !address.startsWith("/")) {
    throw new Error(`expected an absolute path, or @ and a name, got "${address}"`);
  }
  // A path ends with a zero, an abstract name begins with one.
  const path = Buffer.from(isAbstract ? `\0${address.slice(1)}` : `${address}\0`);
  if (path.length > MAX_PATH_BYTES) {
    throw new Error(`"${address}" is longer than the ${MAX_PATH_BYTES - 1} bytes of an address`);
  }
  const bytes = Buffer.alloc(2 + path.length);
  new Uint16Array(bytes.buffer, bytes.byteOffset, 1)[0] = AF_UNIX;
  bytes.set(path, 2);
  return bytes;
}

function systemCalls(): Calls {
  const { __errno_location, ...rest } = cFunctions({
    socket: { args: ["i32", "i32", "i32"], returns: "i32" },
    sendto: { args: ["i32", "ptr", "u64", "i32", "ptr", "u32"], returns: "i64" },
    close: { args: ["i32"], returns: "i32" },
    __errno_location: { args: [], returns: "ptr" },
  });
  const { read } = require("bun:ffi") as typeof import("bun:ffi");
  const place = __errno_location as () => number;
  return { ...rest, errno: () => read.i32(place() as never) } as Calls;
}

function errorName(errno: number): string {
  return errno > 0 ? getSystemErrorName(-errno) : "unknown error";
}
