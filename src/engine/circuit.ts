import type { Clock } from "../sdk/context.ts";
import { type BackoffLimits, backoffMs } from "../lib/backoff.ts";

/** The pause between attempts when there is no time for another. */
const CUT_PAUSE_MS = 250;

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
  /** Ends the pause for those who wait for it. */
  private pause = new AbortController();
  /** Resolves when all who came before have had their turn. */
  private line: Promise<void> = Promise.resolve();
  private readonly inLine = new Set<() => void>();
  private isCut = false;

  constructor(clock: Clock, limits: BackoffLimits, random: () => number = Math.random) {
    this.clock = clock;
    this.limits = limits;
    this.random = random;
  }

  /** Failures in a row. */
  get failed(): number {
    return this.failures;
  }

  /**
   * Waits until one may try. When the attempt is over and its outcome reported, call what this resolves with. While
   * the destination is away those who come stand in line, so that a payload that fails again and again does not keep
   * others from having their turn.
   */
  async enter(signal: AbortSignal): Promise<() => void> {
    if (this.failures === 0) return nothing;
    if (this.isCut) {
      await this.clock.sleep(CUT_PAUSE_MS, signal);
      return nothing;
    }
    const ahead = this.line;
    const turn = Promise.withResolvers<void>();
    this.line = turn.promise;
    this.inLine.add(turn.resolve);
    await ahead;
    while (this.leftMs > 0 && !this.isCut) {
      await this.clock.sleep(this.leftMs, this.pause.signal);
    }
    const leave = () => {
      this.inLine.delete(turn.resolve);
      turn.resolve();
    };
    if (this.failures > 0) return leave;
    leave();
    return nothing;
  }

  succeeded(): void {
    this.failures = 0;
    this.openUntilMs = -Infinity;
    this.endPause();
  }

  /** Returns how long nobody is to try, in milliseconds. `askedMs` is what the destination asked for, if it did. */
  failedOnce(askedMs: number | undefined): number {
    // A server that asks for no pause at all, or whose clock is ahead, must not be asked without end.
    const asked = askedMs !== undefined && askedMs > 0 ? askedMs : undefined;
    // Attempts that were under way together fail together: that is one failure.
    if (this.leftMs === 0) this.failures++;
    else if (asked === undefined) return this.leftMs;
    const ms = asked ?? backoffMs(this.failures, this.limits, this.random);
    this.openUntilMs = Math.max(this.openUntilMs, this.clock.nowMs() + ms);
    return this.leftMs;
  }

  /** Ends the pauses: there is one more attempt at once for everybody, and from then on a short pause. */
  cut(): void {
    this.isCut = true;
    this.endPause();
    for (const resolve of this.inLine) resolve();
    this.inLine.clear();
  }

  /** What is left of the pause, in milliseconds; 0 when one may try. */
  get leftMs(): number {
    return Math.max(0, this.openUntilMs - this.clock.nowMs());
  }

  private endPause(): void {
    this.pause.abort();
    this.pause = new AbortController();
  }
}

function nothing(): void {}
