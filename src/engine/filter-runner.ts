import { countOf } from "../lib/count-of.ts";
import type { Batch } from "../sdk/batch.ts";
import type { Logger } from "../sdk/context.ts";
import type { Filter, MaybePromise } from "../sdk/define.ts";
import type { LogRecord } from "../sdk/record.ts";
import type { FilterMetrics } from "./metrics.ts";
import type { Ticket } from "./ticket.ts";

export interface FilterRunnerOptions {
  readonly id: string;
  readonly log: Logger;
  readonly metrics: FilterMetrics;
  readonly accepts: (tag: string) => boolean;
}

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

  constructor(options: FilterRunnerOptions) {
    this.options = options;
    this.id = options.id;
    this.accepts = options.accepts;
  }

  /** The filter's context needs this runner, so the filter itself comes second. */
  use(filter: Filter): void {
    this.filter = filter;
  }

  process(batch: Batch, ticket: Ticket): MaybePromise<Result> {
    const before = batch.length;
    this.options.metrics.records.value += before;
    // What this filter emits meanwhile may lead back to it by way of another one.
    const outer = this.ticket;
    this.ticket = ticket;
    try {
      const result = this.filter.process(batch);
      if (result instanceof Promise) {
        return result.then((value) => this.count(before, value))
          .catch((error) => this.failed(batch, before, error));
      }
      return this.count(before, result);
    } catch (error) {
      return this.failed(batch, before, error);
    } finally {
      this.ticket = outer;
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
    const release = () => {
      if (this.holds.delete(release)) ticket.release();
    };
    this.holds.add(release);
    return release;
  }

  /** The same function, of which a throw reaches nobody else: it is called in the middle of a delivery. */
  guarded(ack: () => void): () => void {
    return () => {
      try {
        ack();
      } catch (error) {
        this.options.log.error(`Cannot take an ack: ${messageOf(error)}`);
      }
    };
  }

  reject(_record: LogRecord, error: unknown): void {
    this.rejected++;
    this.options.metrics.drop("rejected").value++;
    this.options.log.warn(`Rejected a record: ${messageOf(error)}`, { reason: "rejected" });
  }

  countEmitted(records: number): void {
    this.options.metrics.emitted.value += records;
  }

  /** What the filter held back. The holds are released by {@link releaseHolds} once it has gone through. */
  flush(): Batch[] {
    try {
      return this.filter.flush?.() ?? [];
    } catch (error) {
      this.options.log.error(`Cannot flush: ${messageOf(error)}`);
      return [];
    }
  }

  releaseHolds(): void {
    for (const release of [...this.holds]) release();
  }

  async close(): Promise<void> {
    try {
      await this.filter.close?.();
    } catch (error) {
      this.options.log.warn(`Cannot close: ${messageOf(error)}`);
    }
  }

  private count(before: number, result: Result): Result {
    const { metrics } = this.options;
    const after = Array.isArray(result)
      ? result.reduce((sum, batch) => sum + batch.length, 0)
      : result.length;
    if (after > before) metrics.added.value += after - before;
    else if (after < before) metrics.dropped.value += this.withoutRejected(before - after);
    return result;
  }

  /** Of so many records that are missing, those that are not counted as rejected already. */
  private withoutRejected(missing: number): number {
    const known = Math.min(missing, this.rejected);
    this.rejected -= known;
    return missing - known;
  }

  private failed(batch: Batch, records: number, error: unknown): Batch {
    this.options.metrics.drop("filter_error").value += this.withoutRejected(records);
    this.options.log.error(
      `Dropped a batch of ${countOf(records, "record")}: ${messageOf(error)}`,
      {
        reason: "filter_error",
      },
    );
    return batch.with([]);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
