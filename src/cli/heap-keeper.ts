import { edenGC, fullGC, heapSize } from "bun:jsc";

const MIN_BYTES = 500_000;
const MAX_BYTES = 8_000_000;
/** Growth since the last full collection that makes the next one worth its few milliseconds. */
const FULL_AFTER_BYTES = 4_000_000;
/** Matching anything makes the runtime forget the last subject of a regular expression, a whole block of lines. */
const FORGET_SUBJECT = /(?:)/;

/**
 * Collects young garbage at quiet moments, between two batches, when nearly everything on the heap is
 * dead. Left to itself the runtime collects in the middle of a batch, keeps its records as survivors, and
 * lets the heap grow to a multiple.
 *
 * How much can be emitted between two collections depends on what the pipeline makes of a byte, so it is
 * learned: a size that changed in between says that the runtime was faster, and the next interval is
 * shorter; an interval that went well makes the next a little longer.
 */
export class HeapKeeper {
  private emitted = 0;
  private intervalBytes = 2_000_000;
  private sizeAfter = 0;
  private sizeAfterFull = heapSize();

  /** Call at a quiet moment, with the bytes that were emitted since the last call. */
  quiet(bytes: number): void {
    this.emitted += bytes;
    if (this.emitted < MIN_BYTES) return;
    if (heapSize() !== this.sizeAfter) {
      this.intervalBytes = Math.max(MIN_BYTES, Math.min(this.intervalBytes, this.emitted) * 0.8);
      this.collect();
    } else if (this.emitted >= this.intervalBytes) {
      this.intervalBytes = Math.min(MAX_BYTES, this.intervalBytes * 1.02);
      this.collect();
    }
  }

  private collect(): void {
    FORGET_SUBJECT.test("");
    edenGC();
    this.sizeAfter = heapSize();
    this.emitted = 0;
    if (this.sizeAfter - this.sizeAfterFull < FULL_AFTER_BYTES) return;
    fullGC();
    this.sizeAfter = this.sizeAfterFull = heapSize();
  }
}
