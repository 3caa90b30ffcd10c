import type { Clock } from "logcollector/plugin";

/** A file that nothing was written to for so long does not count any more. */
const FORGET_MS = 3_600_000;
/** How often a full list is looked through for such files, in milliseconds. */
const SWEEP_MS = 1000;

/** Bounds how many different files records can bring about. */
export class DestinationLimit {
  private readonly max: number;
  private readonly clock: Clock;
  private readonly lastUsedMs = new Map<string, number>();
  private sweptMs = -Infinity;

  /** No limit for `max` 0. */
  constructor(max: number, clock: Clock) {
    this.max = max;
    this.clock = clock;
  }

  admits(path: string): boolean {
    if (this.max === 0) return true;
    const now = this.clock.nowMs();
    if (this.lastUsedMs.size >= this.max && !this.lastUsedMs.has(path)) {
      this.forgetOld(now);
      if (this.lastUsedMs.size >= this.max) return false;
    }
    this.lastUsedMs.set(path, now);
    return true;
  }

  private forgetOld(now: number): void {
    if (now - this.sweptMs < SWEEP_MS) return;
    this.sweptMs = now;
    for (const [path, usedMs] of this.lastUsedMs) {
      if (now - usedMs >= FORGET_MS) this.lastUsedMs.delete(path);
    }
  }
}
