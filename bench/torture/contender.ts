import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Judge } from "./judge.ts";
import { LogFolder } from "./log-folder.ts";
import { MAX_LINE_BYTES, type Plan } from "./plan.ts";
import type { Scenario } from "./scenario.ts";
import { TortureSink } from "./torture-sink.ts";

export interface Product {
  readonly name: string;
  readonly command: readonly string[];
  /** In its log: it is at work. */
  readonly started: RegExp;
  /** In its log: something is wrong with itself. */
  readonly alarm?: RegExp;
  readonly isPeer: boolean;
}

export const OURS: Product = {
  name: "logcollector",
  command: [join(import.meta.dir, "../../dist/logcollector")],
  started: /"message":"logcollector .* started"/,
  alarm: /The books do not balance|panic|TypeError|ReferenceError/,
  isPeer: false,
};

export function fluentBit(path: string): Product {
  return {
    name: "Fluent Bit",
    command: [path],
    started: /worker #0 started/,
    isPeer: true,
  };
}

const START_MS = 8000;
const STOP_MS = 20_000;

/** One collector in one scenario: its log files, its destination and its process. */
export class Contender implements AsyncDisposable {
  readonly files: LogFolder;
  readonly judge: Judge;
  readonly sink: TortureSink;
  /** What was odd about the process itself. */
  readonly remarks: string[] = [];
  private readonly folder: string;
  private process: Bun.Subprocess | undefined;
  private runs = 0;

  constructor(readonly product: Product, folder: string, plan: Plan) {
    this.folder = folder;
    for (const each of ["logs", "logs/old", "state"]) {
      mkdirSync(join(folder, each), { recursive: true });
    }
    this.files = new LogFolder(join(folder, "logs"));
    this.judge = new Judge(plan);
    this.sink = new TortureSink(
      (body, connection) => this.judge.take(body, connection),
      (connection) => this.judge.excuse(connection),
    );
  }

  async open(scenario: Scenario): Promise<void> {
    await this.sink.listen();
    writeFileSync(join(this.folder, "config.yaml"), this.configuration(scenario));
  }

  async start(): Promise<void> {
    const log = openSync(this.logPath(++this.runs), "w");
    this.process = Bun.spawn([...this.product.command, "-c", join(this.folder, "config.yaml")], {
      stdout: log,
      stderr: log,
    });
    closeSync(log);
    const endMs = performance.now() + START_MS;
    while (!this.product.started.test(this.log)) {
      if (performance.now() > endMs || this.process.exitCode !== null) {
        throw new Error(`${this.product.name} does not start: ${this.log.slice(-3000)}`);
      }
      await Bun.sleep(5);
    }
  }

  async kill(): Promise<void> {
    for (const connection of this.sink.connections) this.judge.orphan(connection);
    this.process?.kill("SIGKILL");
    await this.process?.exited;
    for (const connection of this.sink.connections) this.judge.orphan(connection);
    this.process = undefined;
  }

  async stop(): Promise<void> {
    const { process } = this;
    if (process === undefined) return;
    if (process.exitCode !== null || process.signalCode !== null) {
      this.remarks.push(`ended on its own: ${process.exitCode ?? process.signalCode}`);
    }
    process.kill("SIGTERM");
    const timer = setTimeout(() => {
      this.remarks.push("does not stop");
      process.kill("SIGKILL");
    }, STOP_MS);
    await process.exited;
    clearTimeout(timer);
    if (this.product.alarm?.test(this.log)) {
      this.remarks.push(`its log: ${this.logPath(this.runs)}`);
    }
    this.process = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.process?.kill("SIGKILL");
    await this.process?.exited;
    this.sink.close();
    this.files[Symbol.dispose]();
  }

  private get log(): string {
    return readFileSync(this.logPath(this.runs), "utf8");
  }

  private logPath(run: number): string {
    return join(this.folder, `run-${run}.log`);
  }

  /** One file for both, in the dialect that both read, but for what only the other needs. */
  private configuration({ path, rotateWait = 30, peer = {} }: Scenario): string {
    const input = {
      name: "tail",
      alias: "app",
      path: this.files.at(path),
      db: join(this.folder, "state/app.db"),
      "db.sync": "normal",
      read_from_head: "on",
      // The least that both take: what stands behind the dot are nanoseconds for Fluent Bit.
      refresh_interval: "0.100000000",
      rotate_wait: rotateWait,
      buffer_chunk_size: "64k",
      buffer_max_size: String(MAX_LINE_BYTES),
      truncate_long_lines: "on",
      progress_check_interval: 1,
      "storage.type": "filesystem",
      ...(this.product.isPeer ? peer : {}),
    };
    const output = {
      name: "http",
      alias: "sink",
      match: "*",
      host: "127.0.0.1",
      port: this.sink.port,
      format: "json_lines",
      retry_limit: "no_limits",
      workers: 1,
      "http.response_timeout": "2s",
    };
    const service = {
      flush: 0.5,
      grace: 5,
      log_level: "info",
      "storage.path": join(this.folder, "state"),
      "storage.sync": "normal",
      "storage.max_chunks_up": 256,
      "storage.backlog.mem_limit": "100M",
      "scheduler.base": 1,
      "scheduler.cap": 2,
    };
    return JSON.stringify({ service, pipeline: { inputs: [input], outputs: [output] } }, null, 2);
  }
}
