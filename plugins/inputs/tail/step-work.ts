import type { Clock } from "logcollector/plugin";

/** Between two steps others may have a turn; with a promise they must, until it is kept. */
export type Step = Promise<void> | undefined;

/** Longest time that work in steps goes on without a turn for others, in milliseconds. */
const SLICE_MS = 5;

/** One piece of work that is done in steps, between the turns of others. */
export class StepWork {
  private readonly clock: Clock;
  private readonly onReady: () => void;
  private steps: Generator<Step, void> | undefined;
  private awaited: Promise<void> | undefined;
  private spentMs = 0;

  /** `onReady` is called when work can go on that had to wait. */
  constructor(clock: Clock, onReady: () => void) {
    this.clock = clock;
    this.onReady = onReady;
  }

  get isUnderWay(): boolean {
    return this.steps !== undefined;
  }

  /** It is under way, and waits for nothing. */
  get canGoOn(): boolean {
    return this.isUnderWay && this.awaited === undefined;
  }

  begin(steps: Generator<Step, void>): void {
    this.steps = steps;
    this.spentMs = 0;
  }

  /** Works for a while. Returns the time that all of it took, in milliseconds, once it is done. */
  goOn(): number | undefined {
    const { steps } = this;
    if (steps === undefined || this.awaited !== undefined) return undefined;
    const startMs = this.clock.nowMs();
    let usedMs = 0;
    try {
      while (usedMs < SLICE_MS) {
        const { done, value } = steps.next();
        usedMs = this.clock.nowMs() - startMs;
        if (done) {
          this.steps = undefined;
          return this.spentMs + usedMs;
        }
        if (value instanceof Promise) {
          this.await(value);
          break;
        }
      }
    } catch (error) {
      this.steps = undefined;
      throw error;
    }
    this.spentMs += usedMs;
    return undefined;
  }

  private await(promise: Promise<void>): void {
    const startMs = this.clock.nowMs();
    this.awaited = promise.finally(() => {
      this.awaited = undefined;
      this.spentMs += this.clock.nowMs() - startMs;
      this.onReady();
    });
  }
}
