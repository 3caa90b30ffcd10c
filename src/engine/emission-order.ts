/**
 * Numbers that grow with every batch that is emitted, over all runs of the collector: of two positions of one
 * stream, wherever they were written down, the one with the higher number is the newer.
 */
export class EmissionOrder {
  private last: number;

  /** Starts at the wall clock in microseconds, which is ahead of what an earlier run can have counted to. */
  constructor(wallSec: number) {
    this.last = wallSec * 1e6;
  }

  next(): number {
    return ++this.last;
  }

  /** A number of an earlier run: what comes now is higher, should the wall clock have been set back since. */
  seen(order: number): void {
    if (order > this.last) this.last = order;
  }
}
