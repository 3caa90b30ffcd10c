import { cpuTimeMs, runningThreads } from "./process-facts.ts";

/** A process that used this part of one processor was not waiting for anything. */
const BUSY = 0.9;

/**
 * Tells whether a process keeps a processor busy. What it uses tells that where there is enough for all; on a machine
 * where there is not, that one thread would have gone on at every look.
 */
export class BusyWatch {
  private readonly pid: number;
  private cpuMs: number;
  private running: ReadonlySet<string> | undefined;

  constructor(pid: number) {
    this.pid = pid;
    this.cpuMs = cpuTimeMs(pid);
  }

  /** To be called many times, at even distances. */
  look(): void {
    const running = runningThreads(this.pid);
    this.running = this.running?.intersection(running) ?? running;
  }

  /** Whether it was busy since the last call, or since the beginning, so many milliseconds ago. */
  wasBusy(ms: number): boolean {
    const { cpuMs: before, running } = this;
    this.cpuMs = cpuTimeMs(this.pid);
    this.running = undefined;
    return this.cpuMs - before >= ms * BUSY || (running?.size ?? 0) > 0;
  }
}
