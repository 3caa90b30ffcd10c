import type { Clock } from "logcollector/plugin";

/**
 * The system's reports of changes that follow each other within a millisecond or two are merged into the
 * first: for so long after a report it is looked at what came with no report of its own.
 */
export const SETTLE_MS = 40;
/** Least time between two scans, in milliseconds. */
const LEAST_PAUSE_MS = 5;

/** Decides when the patterns are looked up again. */
export class ScanSchedule {
  private readonly clock: Clock;
  private readonly refreshMs: number;
  private endedMs = 0;
  private costMs = 0;
  private renamedMs = -Infinity;
  private wanted = true;

  constructor(clock: Clock, refreshMs: number) {
    this.clock = clock;
    this.refreshMs = refreshMs;
  }

  /** A scan would find something. */
  get isWanted(): boolean {
    return this.wanted;
  }

  want(): void {
    this.wanted = true;
  }

  /** A name came, went or changed, and others may have with it. */
  noteRename(): void {
    this.wanted = true;
    this.renamedMs = this.clock.nowMs();
  }

  /** When the next scan comes, on the clock's scale. */
  get nextMs(): number {
    const pause = this.leastPauseMs;
    return this.endedMs + (this.wanted ? pause : Math.max(pause, this.refreshMs));
  }

  get isDue(): boolean {
    return this.clock.nowMs() >= this.nextMs;
  }

  /** A scan that is wanted comes soon, but scanning never takes more than a tenth of the time. */
  private get leastPauseMs(): number {
    return Math.max(LEAST_PAUSE_MS, this.costMs * 10);
  }

  /** A scan begins. Returns whether it was wanted. */
  begin(): boolean {
    const { wanted } = this;
    this.wanted = this.clock.nowMs() - this.renamedMs < SETTLE_MS;
    return wanted;
  }

  /** It is over, and took so much time, in milliseconds. */
  end(costMs: number): void {
    this.endedMs = this.clock.nowMs();
    this.costMs = costMs;
  }
}
