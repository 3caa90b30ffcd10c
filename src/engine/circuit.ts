import type { Clock } from "../sdk/context.ts";
import { type BackoffLimits, backoffMs } from "./backoff.ts";

/**
 * Keeps an output from hammering a destination that is away: after failures in a row nobody tries before the pause
 * is over, whichever payload's turn it is, and then one tries for all. The first success ends it.
 */
export class Circuit {
  private readonly clock: Clock;
  private readonly limits: BackoffLimits;
  private readonly random: () => number;
  private failures = 0;
  private openUntilMs = -Infinity;

  constructor(clock: Clock, limits: BackoffLimits, random: () => number = Math.random) {
    this.clock = clock;
    this.limits = limits;
    this.random = random;
  }

  /** Failures in a row. */
  get failed(): number {
    return this.failures;
  }

  succeeded(): void {
    this.failures = 0;
    this.openUntilMs = -Infinity;
  }

  /** Returns how long nobody is to try, in milliseconds. `askedMs` is what the destination asked for, if it did. */
  failedOnce(askedMs: number | undefined): number {
    this.failures++;
    // A server that asks for no pause at all, or whose clock is ahead, must not be asked without end.
    const ms = askedMs !== undefined && askedMs > 0
      ? askedMs
      : backoffMs(this.failures, this.limits, this.random);
    this.openUntilMs = Math.max(this.openUntilMs, this.clock.nowMs() + ms);
    return ms;
  }

  /** What is left of the pause, in milliseconds; 0 when one may try. */
  get leftMs(): number {
    return Math.max(0, this.openUntilMs - this.clock.nowMs());
  }
}
