import type { Batch, Checkpoint, CheckpointStore, InputContext } from "logcollector/plugin";
import { type ReadingPlace, writePlace } from "./journal/reading-place.ts";

/** All entries are one ordered source, from however many files they come. */
export const STREAM = "journal";

/** The position behind one batch. It moves on over entries that make no record. */
class JournalCheckpoint implements Checkpoint {
  place: ReadingPlace;
  private readonly ledger: JournalLedger;
  private isPending = true;

  constructor(ledger: JournalLedger, place: ReadingPlace) {
    this.ledger = ledger;
    this.place = place;
  }

  position(): string {
    return writePlace(this.place);
  }

  ack(): void {
    if (this.isPending) this.ledger.unacked--;
    this.isPending = false;
  }

  abandon(): void {
    this.ack();
  }
}

/** Keeps how far the journal was read and what of that is safe. */
export class JournalLedger {
  private readonly ctx: InputContext;
  private readonly store: CheckpointStore;
  private last: JournalCheckpoint | undefined;
  /** Behind everything that was emitted in this process. */
  private emitted: ReadingPlace | undefined;
  /** Batches that were emitted and are not safe yet. */
  unacked = 0;

  constructor(ctx: InputContext, store: CheckpointStore) {
    this.ctx = ctx;
    this.store = store;
  }

  /** Where reading goes on: behind what was emitted before, or what an earlier process saved. */
  get saved(): string | undefined {
    return this.emitted === undefined ? this.store.saved.get(STREAM) : writePlace(this.emitted);
  }

  /** Hands a batch to the pipeline with the place behind it. When that fails, the batch counts as not read. */
  emit(batch: Batch, place: ReadingPlace): Promise<void> | undefined {
    const before = { last: this.last, emitted: this.emitted };
    const checkpoint = new JournalCheckpoint(this, place);
    this.unacked++;
    this.last = checkpoint;
    this.emitted = place;
    const failed = (error: unknown): never => {
      checkpoint.abandon();
      this.last = before.last;
      this.emitted = before.emitted;
      throw error;
    };
    try {
      return this.ctx.emit(batch, checkpoint)?.catch(failed);
    } catch (error) {
      return failed(error);
    }
  }

  /** Reading came further, and nothing of that made a record. */
  passed(place: ReadingPlace): void {
    this.emitted = place;
    if (this.unacked > 0 && this.last !== undefined) this.last.place = place;
    else this.store.save(STREAM, writePlace(place));
  }
}
