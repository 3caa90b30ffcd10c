/** Something that was taken out of a queue, in the order of the queue. */
interface Taken {
  readonly seq: number;
  /** Records in all entries up to this one. */
  readonly endRecord: number;
  done: boolean;
}

/**
 * Which entries are done with. What was taken may be finished in any order; the cursor only passes what is finished
 * without a gap, so that after a crash nothing is passed over.
 */
export class DoneTracker {
  private readonly taken: Taken[] = [];
  doneSeq: number;
  doneRecords: number;

  constructor(doneSeq: number, doneRecords: number) {
    this.doneSeq = doneSeq;
    this.doneRecords = doneRecords;
  }

  /** The lowest number that is on its way; Infinity when nothing is. */
  get firstOnItsWay(): number {
    return this.taken.find(({ done }) => !done)?.seq ?? Infinity;
  }

  take(seq: number, endRecord: number): void {
    this.taken.push({ seq, endRecord, done: false });
  }

  /** Entries up to this number will never be taken: they are lost or dropped. Returns whether the cursor moved. */
  pass(seq: number, endRecord: number): boolean {
    this.taken.push({ seq, endRecord, done: true });
    return this.advance();
  }

  /** Returns whether the cursor moved. */
  done(seq: number): boolean {
    const entry = this.taken.find((each) => each.seq === seq);
    if (entry !== undefined) entry.done = true;
    return this.advance();
  }

  private advance(): boolean {
    let count = 0;
    while (this.taken[count]?.done) count++;
    if (count === 0) return false;
    const last = this.taken[count - 1]!;
    this.doneSeq = last.seq;
    this.doneRecords = last.endRecord;
    this.taken.splice(0, count);
    return true;
  }
}
