import { existsSync } from "node:fs";
import { join } from "node:path";
import { eventually, inTime } from "./eventually.ts";

/** The compiled program, as a user starts it. */
export const BINARY: string = join(import.meta.dir, "../../dist/logcollector");

export interface StartOptions {
  /** In place of the test's own environment; `PATH` and `HOME` are there anyway. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** What the program reads from its standard input; nothing by default. */
  readonly stdin?: string;
  /** Leave standard input open, for {@link Collector.type}. */
  readonly interactive?: boolean;
  /** A command that starts the program in its own place, under another user or with limits of its own. */
  readonly via?: readonly string[];
}

/** One line of the program's own log. */
export interface LogLine {
  readonly time: string;
  readonly level: string;
  readonly component: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

/** A running `dist/logcollector`. `await using` ends it at the end of the test, whatever happened. */
export class Collector implements AsyncDisposable {
  stdout = "";
  stderr = "";
  /** Undefined while it runs; a signal counts as 128 and its number, as a shell shows it. */
  status: number | undefined;
  private readonly process: Bun.Subprocess<"pipe" | "ignore" | Uint8Array, "pipe", "pipe">;
  private readonly stdoutReader: Reader;
  private readonly ended: Promise<number>;

  constructor(args: readonly string[], options: StartOptions = {}) {
    if (!existsSync(BINARY)) throw new Error(`Cannot test ${BINARY}: run "npm run build" first`);
    const { PATH = "", HOME = "" } = process.env;
    this.process = Bun.spawn([...options.via ?? [], BINARY, ...args], {
      env: { PATH, HOME, ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      stdin: options.interactive ? "pipe" : new TextEncoder().encode(options.stdin ?? ""),
      stdout: "pipe",
      stderr: "pipe",
    });
    this.stdoutReader = this.process.stdout.getReader();
    this.ended = this.follow();
  }

  /** Runs the program to its end. */
  static async run(args: readonly string[], options: StartOptions = {}): Promise<Collector> {
    const collector = new Collector(args, options);
    await collector.exit();
    return collector;
  }

  get pid(): number {
    return this.process.pid;
  }

  /** The lines of standard output. */
  get lines(): string[] {
    return this.stdout.split("\n").filter((line) => line !== "");
  }

  /** The records on standard output, for an output with `format: json_lines`. */
  get records(): Record<string, unknown>[] {
    // The last line may not be whole yet.
    return this.stdout.split("\n").slice(0, -1).filter(Boolean).map((line) => JSON.parse(line));
  }

  get log(): LogLine[] {
    return this.stderr.split("\n").slice(0, -1).filter(Boolean).map((line) => JSON.parse(line));
  }

  get messages(): string[] {
    return this.log.map(({ component, message }) => `${component}: ${message}`);
  }

  signal(name: NodeJS.Signals): void {
    this.process.kill(name);
  }

  type(text: string): void {
    const { stdin } = this.process;
    if (stdin === undefined || typeof stdin === "number") throw new Error("stdin is not open");
    stdin.write(text);
    stdin.flush();
  }

  /** Waits for a condition that what the program writes makes true. */
  async until(condition: () => boolean, what: string): Promise<this> {
    await eventually(
      () => condition() || this.status !== undefined,
      () => `${what}\n${this.describe()}`,
      15_000,
    );
    if (!condition()) throw new Error(`It ended before: ${what}\n${this.describe()}`);
    return this;
  }

  async untilLog(text: string | RegExp): Promise<this> {
    return await this.until(() => this.stderr.search(text) >= 0, `log line ${text}`);
  }

  async untilPrinted(text: string | RegExp): Promise<this> {
    return await this.until(
      () => typeof text === "string" ? this.stdout.includes(text) : text.test(this.stdout),
      `${text} on standard output`,
    );
  }

  async untilRecords(count: number): Promise<this> {
    return await this.until(() => this.records.length >= count, `${count} records`);
  }

  /** The admin server's address, once it is there. */
  async url(): Promise<string> {
    await this.untilLog(/HTTP server on http:/);
    return /HTTP server on (http:[^"\s]+)/.exec(this.stderr)![1]!;
  }

  /** Waits for the end and returns the exit status. Whatever is tested, the program's books must balance. */
  async exit(): Promise<number> {
    const status = await inTime(this.ended, "the program ends", 15_000).catch((error) => {
      throw new Error(`${error.message}\n${this.describe()}`);
    });
    if (this.stderr.includes("The books do not balance")) throw new Error(this.describe());
    return status;
  }

  /** Asks it to stop, and returns the exit status. */
  async stop(name: NodeJS.Signals = "SIGTERM"): Promise<number> {
    this.signal(name);
    return await this.exit();
  }

  /** Nobody reads the standard output any more. */
  async closeStdout(): Promise<void> {
    await this.stdoutReader.cancel();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.status === undefined) this.process.kill("SIGKILL");
    await this.ended;
  }

  private async follow(): Promise<number> {
    await Promise.all([
      collect(this.stdoutReader, (text) => void (this.stdout += text)),
      collect(this.process.stderr.getReader(), (text) => void (this.stderr += text)),
      this.process.exited,
    ]);
    const { exitCode, signalCode } = this.process;
    this.status = exitCode ?? 128 + (SIGNAL_NUMBERS[signalCode ?? ""] ?? 0);
    return this.status;
  }

  private describe(): string {
    return `status ${this.status}\nstdout: ${this.stdout.slice(-2000)}\nstderr: ${
      this.stderr.slice(-4000)
    }`;
  }
}

/** What is used of a stream's reader. */
interface Reader {
  read(): Promise<{ done: boolean; value?: Uint8Array | undefined }>;
  cancel(): Promise<void>;
}

const SIGNAL_NUMBERS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGKILL: 9,
  SIGTERM: 15,
};

async function collect(
  reader: Reader,
  add: (text: string) => void,
): Promise<void> {
  const decoder = new TextDecoder();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done || value === undefined) break;
      add(decoder.decode(value, { stream: true }));
    }
  } catch {
    // Cancelled by closeStdout().
  }
}
