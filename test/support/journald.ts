import { dlopen, FFIType, ptr } from "bun:ffi";
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { eventually } from "./eventually.ts";

const START = `
set -u
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/journald.conf.d /run/log/journal
printf '[Journal]\\nStorage=volatile\\nRuntimeMaxFileSize=%s\\nRuntimeMaxUse=%s\\nReadKMsg=no\\nForwardToSyslog=no\\nForwardToConsole=no\\nForwardToWall=no\\nRateLimitIntervalSec=0\\n' "$1" "$2" \\
  > /run/systemd/journald.conf.d/test.conf
trap 'kill "$child"; wait; exit' TERM
while true; do
  rm -f /run/systemd/journal/socket
  /lib/systemd/systemd-journald & child=$!
  echo $child > /run/journald.pid
  wait $child
done
`;
const AF_UNIX = 1;
const SOCK_DGRAM = 2;

export interface JournaldOptions {
  /** Files are archived when they reach this, as systemd writes sizes. */
  readonly maxFile?: string;
  readonly maxUse?: string;
}

/** A real journald beside the machine's own, which knows nothing of it. Takes root. */
export class Journald implements AsyncDisposable {
  /** Keeps the name space, in which journald is started again. */
  private readonly process: Bun.Subprocess<"ignore", "ignore", "inherit">;
  private socket: DatagramSocket | undefined;

  private constructor({ maxFile = "64M", maxUse = "256M" }: JournaldOptions) {
    const command = ["unshare", "--mount", "--propagation", "private", "--", "bash", "-c", START];
    this.process = Bun.spawn([...command, "journald", maxFile, maxUse], {
      stdin: "ignore",
      stdout: "ignore",
      stderr: "inherit",
    });
  }

  static async start(options: JournaldOptions = {}): Promise<Journald> {
    const journald = new Journald(options);
    await journald.connect();
    await eventually(() => journald.hasFolder, () => "journald makes a file", 10_000);
    return journald;
  }

  /** Ends it as a crash would, and starts it again. */
  async restart(): Promise<void> {
    const before = this.pid;
    process.kill(before, "SIGKILL");
    await eventually(() => this.pid !== before, () => "journald is started again", 10_000);
    this.socket?.close();
    await this.connect();
  }

  /** Where its journals are, seen from outside of its own name space. */
  get folder(): string {
    const parent = `${this.root}/run/log/journal`;
    return `${parent}/${readdirSync(parent)[0]}`;
  }

  get files(): string[] {
    return readdirSync(this.folder);
  }

  /** Sends an entry over the native protocol. Waits while journald has no room. */
  send(fields: Readonly<Record<string, string>>): void {
    const text = Object.entries(fields).map(([name, value]) => `${name}=${value}\n`).join("");
    this.socket!.send(Buffer.from(text));
  }

  rotate(): void {
    process.kill(this.pid, "SIGUSR2");
  }

  /** Removes all archived files but so many. */
  vacuum(files: number): void {
    journalctlOf(this.folder, `--vacuum-files=${files}`);
  }

  /** How many entries of a program are in its files. */
  count(identifier: string): number {
    const text = journalctlOf(this.folder, "-o", "cat", "-t", identifier);
    return text === "" ? 0 : text.trimEnd().split("\n").length;
  }

  /** It has written a message down. */
  hasMessage(number: number): boolean {
    return journalctlOf(this.folder, "-o", "cat", "-n", "1", `MESSAGE=${number}`) !== "";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket?.close();
    this.process.kill();
    await this.process.exited;
  }

  private async connect(): Promise<void> {
    const path = `${this.root}/run/systemd/journal/socket`;
    const connected = () => {
      try {
        this.socket = new DatagramSocket(path);
        return true;
      } catch {
        return false;
      }
    };
    await eventually(
      () => existsSync(path) && connected(),
      () => "journald opens its socket",
      10_000,
    );
  }

  private get pid(): number {
    return Number(readFileSync(`${this.root}/run/journald.pid`, "utf8"));
  }

  private get root(): string {
    return `/proc/${this.process.pid}/root`;
  }

  private get hasFolder(): boolean {
    try {
      return this.files.some((name) => name.endsWith(".journal"));
    } catch {
      return false;
    }
  }
}

function journalctlOf(folder: string, ...args: string[]): string {
  const { stdout } = spawnSync("journalctl", ["-D", folder, "-q", "--no-pager", ...args]);
  return stdout.toString();
}

/** A socket of datagrams to a path, which neither Bun nor node has. */
class DatagramSocket {
  private readonly libc = dlopen("libc.so.6", {
    socket: { args: [FFIType.i32, FFIType.i32, FFIType.i32], returns: FFIType.i32 },
    connect: { args: [FFIType.i32, FFIType.ptr, FFIType.u32], returns: FFIType.i32 },
    send: { args: [FFIType.i32, FFIType.ptr, FFIType.u64, FFIType.i32], returns: FFIType.i64 },
    close: { args: [FFIType.i32], returns: FFIType.i32 },
  }).symbols;
  private readonly fd: number;

  constructor(path: string) {
    this.fd = this.libc.socket(AF_UNIX, SOCK_DGRAM, 0);
    const address = Buffer.alloc(110);
    address.writeUInt16LE(AF_UNIX, 0);
    address.write(path, 2);
    if (this.libc.connect(this.fd, ptr(address), 2 + path.length + 1) !== 0) {
      throw new Error(`Cannot connect to ${path}`);
    }
  }

  send(bytes: Buffer): void {
    const sent = Number(this.libc.send(this.fd, ptr(bytes), bytes.length, 0));
    if (sent !== bytes.length) throw new Error(`Sent ${sent} bytes of ${bytes.length}`);
  }

  close(): void {
    this.libc.close(this.fd);
  }
}
