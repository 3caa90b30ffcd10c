import { parseDuration } from "../lib/duration.ts";
import type { Clock } from "../sdk/context.ts";

interface Timer {
  readonly atMs: number;
  readonly call: () => void;
}

const START_SEC = 1_700_000_000;

/**
 * Time that moves only when a test says so. It begins at 2023-11-14 22:13:20 UTC, second 1,700,000,000.
 *
 * ```ts
 * await filter.clock.advance("1m");
 * ```
 */
export class FakeClock implements Clock {
  private ms = 0;
  private timers: Timer[] = [];
  private startMs: number;

  /** `start` is the wall clock's first reading. */
  constructor(start: Date | number = START_SEC * 1000) {
    this.startMs = Number(start);
  }

  /** Timers that have neither run nor been cancelled: what still waits in `sleep` and `after`. */
  get pending(): number {
    return this.timers.length;
  }

  /** Milliseconds since the clock was made. */
  nowMs(): number {
    return this.ms;
  }

  wall(): { sec: number; nsec: number } {
    const ms = this.startMs + this.ms;
    const sec = Math.floor(ms / 1000);
    return { sec, nsec: Math.round((ms - sec * 1000) * 1e6) };
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const cancel = this.after(ms, () => {
        signal?.removeEventListener("abort", abort);
        resolve();
      });
      const abort = () => {
        cancel();
        resolve();
      };
      signal?.addEventListener("abort", abort, { once: true });
    });
  }

  after(ms: number, call: () => void): () => void {
    const timer = { atMs: this.ms + Math.max(0, ms), call };
    this.timers.push(timer);
    return () => this.remove(timer);
  }

  /** Sets the wall clock, as somebody does who corrects it: durations and timers do not notice. */
  setWall(time: Date | number): void {
    this.startMs = Number(time) - this.ms;
  }

  /**
   * Moves both clocks on: by milliseconds, or by a time such as `"30s"`. What becomes due is called in order, and
   * after each call the plugin gets a turn, so that a loop of sleeps goes round as often as it would.
   */
  async advance(time: number | string): Promise<void> {
    const endMs = this.ms + (typeof time === "number" ? time : parseDuration(time));
    await turn();
    for (;;) {
      const due = this.nextDue(endMs);
      if (due === undefined) break;
      this.remove(due);
      this.ms = Math.max(this.ms, due.atMs);
      due.call();
      await turn();
    }
    this.ms = endMs;
  }

  private nextDue(endMs: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.timers) {
      if (timer.atMs <= endMs && (next === undefined || timer.atMs < next.atMs)) next = timer;
    }
    return next;
  }

  private remove(timer: Timer): void {
    this.timers = this.timers.filter((other) => other !== timer);
  }
}

/** Lets everything go on that is ready to. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
