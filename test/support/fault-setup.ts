import { readFileSync } from "node:fs";
import { appendFile } from "node:fs/promises";
import { Collector } from "./binary.ts";
import { TempFolder } from "./temp-folder.ts";

/** Pauses between attempts are half of this at least, in milliseconds. */
export const PAUSE_MS = 300;

export type Options = Readonly<Record<string, unknown>>;

/** A collector that sends the lines of one file to outputs, with short pauses. */
export class Setup implements AsyncDisposable {
  readonly collector: Collector;
  private readonly folder: TempFolder;
  private readonly path: string;

  private constructor(folder: TempFolder, path: string) {
    this.folder = folder;
    this.path = path;
    this.collector = new Collector(["-c", folder.at("config.yaml")]);
  }

  static async start(
    outputs: readonly Options[],
    { onDisk = false, pauseMs = PAUSE_MS } = {},
  ): Promise<Setup> {
    const folder = new TempFolder();
    const path = folder.at("app.log");
    const base = pauseMs / 1000;
    const service = { flush: 0.05, "scheduler.base": base, "scheduler.cap": base };
    const storage = { "storage.path": folder.at("storage") };
    const config = {
      service: { ...service, http_server: "on", http_port: 0, ...(onDisk && storage) },
      pipeline: {
        inputs: [{
          name: "tail",
          path,
          read_from_head: "on",
          "storage.type": onDisk ? "filesystem" : "memory",
        }],
        outputs,
      },
    };
    await Bun.write(path, "");
    await Bun.write(folder.at("config.yaml"), JSON.stringify(config));
    return new Setup(folder, path);
  }

  /** Appends numbers as lines, which one payload takes along. */
  async write(from: number, to: number, line: (n: number) => string = String): Promise<void> {
    await appendFile(this.path, upTo(to - from).map((i) => `${line(from + i)}\n`).join(""));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.collector[Symbol.asyncDispose]();
    this.folder[Symbol.dispose]();
  }
}

export const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** Each once, where it came first: what came again is a duplicate. */
export const firstsOf = (numbers: readonly number[]): number[] => [...new Set(numbers)];

/** The largest that the process ever was, in bytes. */
export function peakBytes(pid: number): number {
  const match = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Number(match![1]) * 1024;
}
