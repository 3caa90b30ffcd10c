import { expect } from "bun:test";
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  writeFileSync,
} from "node:fs";
import { Collector, type StartOptions } from "../support/binary.ts";
import { eventually } from "../support/eventually.ts";
import { HttpSink } from "../support/http-sink.ts";
import { metric, untilMetric } from "../support/metric.ts";
import { TempFolder } from "../support/temp-folder.ts";

type Body = Readonly<Record<string, unknown>>;

/** What the program does besides reading files. */
export interface FilePipeline {
  readonly service?: Body;
  readonly filters?: readonly Body[];
  readonly output?: Body;
}

/** The program, reading files in a folder of its own to a destination that keeps what comes. */
export class FileCollector implements AsyncDisposable {
  readonly sink = new HttpSink();
  private readonly folder = new TempFolder();
  private readonly startOptions: StartOptions;
  private readonly parsed: Body[] = [];
  private bodies = 0;
  private running: Collector | undefined;

  /** `path` is a pattern or several, in the folder of logs. */
  constructor(
    path: string | readonly string[],
    options: Body = {},
    startOptions: StartOptions = {},
    { service = {}, filters = [], output = {} }: FilePipeline = {},
  ) {
    this.startOptions = startOptions;
    mkdirSync(this.at(""));
    mkdirSync(this.folder.at("positions"));
    // Whoever the program runs as.
    chmodSync(this.folder.path, 0o755);
    chmodSync(this.folder.at("positions"), 0o777);
    const input = {
      name: "tail",
      alias: "app",
      path: [path].flat().map((each) => this.at(each)).join(", "),
      db: this.folder.at("positions/app.db"),
      read_from_head: true,
      rotate_wait: 0.5,
      ...options,
    };
    const destination = { name: "http", match: "*", host: "127.0.0.1", port: this.sink.port };
    const storage = options["storage.type"] === "filesystem"
      ? { "storage.path": this.folder.at("state") }
      : {};
    const config = {
      service: { flush: 0.02, http_server: "on", http_port: 0, ...storage, ...service },
      pipeline: {
        inputs: [input],
        filters,
        outputs: [{ ...destination, format: "json_lines", ...output }],
      },
    };
    writeFileSync(this.folder.at("config.yaml"), JSON.stringify(config));
  }

  /** The path of a name in the folder of logs. */
  at(name: string): string {
    return this.folder.at(`logs/${name}`);
  }

  append(name: string, content: string | Uint8Array): void {
    appendFileSync(this.at(name), content);
  }

  get collector(): Collector {
    if (this.running === undefined) throw new Error("It does not run");
    return this.running;
  }

  async start(): Promise<void> {
    this.running = new Collector(["-c", this.folder.at("config.yaml")], this.startOptions);
    await this.running.untilLog("started");
  }

  /** Asks it to stop: then everything that it has read is there, and its books balance. */
  async stop(): Promise<void> {
    expect(await this.collector.stop()).toBe(0);
  }

  /** What came, in the order in which it did. */
  get records(): readonly Body[] {
    for (const body of this.sink.bodies.slice(this.bodies)) {
      for (const line of body.split("\n")) if (line !== "") this.parsed.push(JSON.parse(line));
    }
    this.bodies = this.sink.bodies.length;
    return this.parsed;
  }

  get lines(): readonly unknown[] {
    return this.records.map(({ log }) => log);
  }

  async untilLines(count: number): Promise<void> {
    await eventually(
      () => this.records.length >= count,
      () => `${count} lines: ${this.lines.length} came, ${this.collector.stderr.slice(-2000)}`,
      15_000,
    );
  }

  /** After this many lines it is stopped; what came is these, once and in their order. */
  async expectLines(expected: readonly string[]): Promise<void> {
    await this.untilLines(expected.length);
    await this.stop();
    expect(this.lines).toEqual(expected);
  }

  /** The same for lines of several files, of which each has its own order. */
  async expectSorted(expected: readonly string[]): Promise<void> {
    await this.untilLines(expected.length);
    await this.stop();
    expect(this.lines.toSorted()).toEqual(expected.toSorted());
  }

  async metric(name: string): Promise<number> {
    return await metric(await this.collector.url(), name, { name: "app" });
  }

  async untilMetric(name: string, holds: (value: number) => boolean): Promise<void> {
    await untilMetric(await this.collector.url(), name, { name: "app" }, holds);
  }

  /** What the program has open of the folder of logs; of a deleted file the system says so. */
  get openFiles(): string[] {
    const fds = `/proc/${this.collector.pid}/fd`;
    return readdirSync(fds).flatMap((fd) => {
      try {
        const path = readlinkSync(`${fds}/${fd}`);
        return path.startsWith(this.at("")) ? [path.slice(this.at("").length)] : [];
      } catch {
        // It was closed meanwhile.
        return [];
      }
    });
  }

  /** A message of its own log, without the prefix; how often it came. */
  count(message: RegExp): number {
    return this.collector.messages.filter((each) => message.test(each)).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.running?.[Symbol.asyncDispose]();
    this.sink[Symbol.dispose]();
    this.folder[Symbol.dispose]();
  }
}

/** `from: 3, to: 5` gives `line 3` and `line 4`. */
export function lines(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, i) => `line ${from + i}`);
}

export function text(from: number, to: number): string {
  return lines(from, to).map((line) => `${line}\n`).join("");
}
