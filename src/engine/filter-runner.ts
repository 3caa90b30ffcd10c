import { countOf } from "../lib/count-of.ts";
import { messageWithPlace } from "../lib/error-place.ts";
import type { Batch } from "../sdk/batch.ts";
import type { Logger } from "../sdk/context.ts";
import type { Filter, MaybePromise } from "../sdk/define.ts";
import { dropReason } from "../sdk/drop-reasons.ts";
import { prepare } from "../sdk/preparable.ts";
import type { LogRecord } from "../sdk/record.ts";
import type { Book } from "./books.ts";
import type { FilterMetrics } from "./metrics.ts";
import { Ticket } from "./ticket.ts";

export interface FilterRunnerOptions {
  readonly id: string;
  readonly log: Logger;
  readonly metrics: FilterMetrics;
  readonly accepts: (tag: string) => boolean;
  /** Default `reject`. */
  readonly onError?: OnFilterError | undefined;
  /** The book of what the filter emits on its own. */
  readonly book: Book;
}

/**
 * What becomes of a batch at which a filter throws: `reject` gives it up and says so as an error, `drop` leaves
 * it out, `pass` sends it on as the filter left it.
 */
export type OnFilterError = "reject" | "pass" | "drop";

type Result = Batch | Batch[];

/** One filter at work: counts, and keeps a throw from costing more than its own batch. */
export class FilterRunner {
  readonly id: string;
  readonly accepts: (tag: string) => boolean;
  private readonly options: FilterRunnerOptions;
  private filter!: Filter;
  private ticket: Ticket | undefined;
  /** Records that were rejected and that no result has been found to lack yet. */
  private rejected = 0;
  private readonly holds = new Set<() => void>();
  /** The runner whose place this one took, for as long as that one may emit. */
  predecessor: FilterRunner | undefined;
  /** The holds of the call of `process` under way: a call that fails keeps none. */
  private taken: (() => void)[] = [];

  constructor(options: FilterRunnerOptions) {
    this.options = options;
    this.id = options.id;
    this.accepts = options.accepts;
  }

  /** The filter's context needs this runner, so the filter itself comes second. */
  use(filter: Filter): void {
    this.filter = filter;
  }

  /** See {@link Filter.borrows}. */
  get borrows(): boolean {
    return this.filter.borrows === true;
  }

  /** What the other emits is not for this one: it is its own, or that of the one before it in its place. */
  standsFor(emitter: FilterRunner): boolean {
    return emitter === this || emitter === this.predecessor;
  }

  /** Waits until the filter is set up. Rejects as `create` throws. */
  async prepare(): Promise<void> {
    await prepare(this.filter);
  }

  process(batch: Batch, ticket: Ticket): MaybePromise<Result> {
    const before = batch.length;
    this.options.metrics.records.value += before;
    // What this filter emits meanwhile may lead back to it by way of another one.
    const outer = { ticket: this.ticket, taken: this.taken };
    const taken: (() => void)[] = [];
    this.ticket = ticket;
    this.taken = taken;
    const failed = (error: unknown): Batch => {
      for (const release of taken) release();
      return this.failed(batch, before, error, ticket.book);
    };
    try {
      const result = this.filter.process(batch);
      if (result instanceof Promise) {
        return result.then((value) => this.count(before, value, ticket.book)).catch(failed);
      }
      return this.count(before, result, ticket.book);
    } catch (error) {
      return failed(error);
    } finally {
      this.ticket = outer.ticket;
      this.taken = outer.taken;
    }
  }

  /** Keeps the batch under process unacked until the returned function is called. */
  hold(): () => void {
    const ticket = this.ticket;
    if (ticket === undefined) {
      throw new Error(
        `Cannot hold a batch in filter ${this.id}: hold() is only valid in process()`,
      );
    }
    ticket.hold();
    let isHeld = true;
    const release = () => {
      if (!isHeld) return;
      isHeld = false;
      this.holds.delete(release);
      ticket.release();
    };
    this.holds.add(release);
    this.taken.push(release);
    return release;
  }

  /** A ticket for a batch that the filter emits; its first hold belongs to the caller. `ack` is told of its end. */
  emits(batch: Batch, ack: (() => void) | undefined): Ticket {
    const { book, metrics } = this.options;
    metrics.emitted.value += batch.length;
    book.in += batch.length;
    return new Ticket({ book, ...(ack && { settled: () => this.guarded(ack) }) });
  }

  /** A throw must reach nobody else: this is in the middle of a delivery. */
  private guarded(ack: () => void): void {
    try {
      ack();
    } catch (error) {
      this.options.log.error(`Cannot take an ack: ${messageWithPlace(error)}`);
    }
  }

  reject(record: LogRecord, error: unknown): LogRecord | null {
    const { onError, metrics, log } = this.options;
    const reason = messageWithPlace(error);
    if (onError === "pass") {
      log.warn(`Passed on a record at which the filter failed: ${reason}`);
      return record;
    }
    this.rejected++;
    const label = dropReason(error, "rejected");
    metrics.drop(label).value++;
    log.warn(`Rejected a record: ${reason}`, { reason: label });
    return null;
  }

  countEmitted(records: number): void {
    this.options.metrics.emitted.value += records;
  }

  /** What the filter held back. Its holds are to be released once that has gone through: see {@link takeHolds}. */
  async flush(): Promise<Batch[]> {
    try {
      return await this.filter.flush?.() ?? [];
    } catch (error) {
      this.options.log.error(`Cannot flush: ${messageWithPlace(error)}`);
      return [];
    }
  }

  /** Takes over all holds of now. Returns the function that releases them. */
  takeHolds(): () => void {
    const taken = [...this.holds];
    this.holds.clear();
    return () => {
      for (const release of taken) release();
    };
  }

  async close(): Promise<void> {
    try {
      await this.filter.close?.();
    } catch (error) {
      this.options.log.warn(`Cannot close: ${messageWithPlace(error)}`);
    }
  }

  private count(before: number, result: Result, book: Book): Result {
    const { metrics } = this.options;
    const after = Array.isArray(result)
      ? result.reduce((sum, batch) => sum + batch.length, 0)
      : result.length;
    if (after > before) {
      metrics.added.value += after - before;
      book.filtered -= after - before;
    } else if (after < before) {
      const missing = before - after;
      const filtered = this.withoutRejected(missing);
      metrics.dropped.value += filtered;
      book.filtered += filtered;
      book.dropped += missing - filtered;
    }
    return result;
  }

  /** Of so many records that are missing, those that are not counted as rejected already. */
  private withoutRejected(missing: number): number {
    const known = Math.min(missing, this.rejected);
    this.rejected -= known;
    return missing - known;
  }

  private failed(batch: Batch, records: number, error: unknown, book: Book): Batch {
    const { onError, metrics, log } = this.options;
    const what = `a batch of ${countOf(records, "record")}`;
    const reason = messageWithPlace(error);
    if (onError === "pass") {
      log.error(`Passed on ${what} at which the filter failed: ${reason}`);
      return this.count(records, batch, book) as Batch;
    }
    const label = dropReason(error, "filter_error");
    metrics.drop(label).value += this.withoutRejected(records);
    book.dropped += records;
    const say = onError === "drop" ? "warn" : "error";
    log[say](`Dropped ${what}: ${reason}`, { reason: label });
    return batch.with([]);
  }
}
