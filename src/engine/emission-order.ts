/**
 * Numbers that grow with every batch that is emitted, over all runs of the collector: of two positions of one
 * stream, wherever they were written down, the one with the higher number is the newer.
 */
export class EmissionOrder {
  private last: number;

  /** Starts at the wall clock in microseconds, which is ahead of what an earlier run can have counted to. */
  constructor({ sec, nsec }: { readonly sec: number; readonly nsec: number }) {
    this.last = sec * 1e6 + Math.floor(nsec / 1000);
  }

  next(): number {
    return ++this.last;
  }

  /** A number of an earlier run: what comes now is higher, should the wall clock have been set back since. */
  seen(order: number): void {
    if (order > this.last) this.last = order;
  }
}
