import { countOf } from "../lib/count-of.ts";
import { BoundedCache } from "../lib/bounded-cache.ts";
import { Gate } from "../lib/gate.ts";
import type { Batch } from "../sdk/batch.ts";
import type { Logger } from "../sdk/context.ts";
import type { MaybePromise } from "../sdk/define.ts";
import type { Counter } from "../sdk/context.ts";
import type { FilterRunner } from "./filter-runner.ts";
import type { Router } from "./router.ts";
import type { Ticket } from "./ticket.ts";

const MAX_CACHED_TAGS = 10_000;
/** A record that was re-tagged more often than this goes round in a circle. */
const MAX_HOPS = 16;

/** The way of one batch through the chain. */
interface Passage {
  readonly ticket: Ticket;
  /** The filter that made the batch: it does not get its own records again. */
  readonly emitter: FilterRunner | undefined;
  readonly hops: number;
}

export interface FilterChainOptions {
  readonly filters: readonly FilterRunner[];
  readonly router: Router;
  readonly log: Logger;
  readonly unrouted: Counter;
  readonly looped: Counter;
}

/**
 * Takes batches through the filters that match their tag and on to the outputs. Everything is synchronous
 * as long as the filters are.
 */
export class FilterChain {
  private readonly options: FilterChainOptions;
  /** Records that are inside filters which take their time. */
  passing = 0;
  /** Batches that are not past all filters. */
  private passages = 0;
  private readonly passed = new Gate();
  private readonly cache = new BoundedCache<string, readonly FilterRunner[]>(MAX_CACHED_TAGS);

  constructor(options: FilterChainOptions) {
    this.options = options;
  }

  /** Resolves (or returns undefined at once) when the next batch may come. */
  process(batch: Batch, ticket: Ticket, emitter?: FilterRunner): MaybePromise<void> {
    return this.run(batch, 0, { ticket, emitter, hops: 0 });
  }

  /** Resolves when no batch is inside a filter of this chain. */
  async settled(): Promise<void> {
    while (this.passages > 0) await this.passed.wait();
  }

  private filtersFor(tag: string): readonly FilterRunner[] {
    return this.cache.get(tag) ??
      this.cache.set(tag, this.options.filters.filter((filter) => filter.accepts(tag)));
  }

  private run(batch: Batch, from: number, passage: Passage): MaybePromise<void> {
    const filters = this.filtersFor(batch.tag);
    for (let i = from; i < filters.length; i++) {
      if (batch.length === 0) return undefined;
      const filter = filters[i]!;
      if (passage.emitter !== undefined && filter.standsFor(passage.emitter)) continue;
      if (!filter.borrows) batch.detach();
      const result = filter.process(batch, passage.ticket);
      if (result instanceof Promise) {
        return this.later(result, batch, i, filter, passage);
      }
      if (Array.isArray(result)) return this.fork(result, batch.tag, i, filter, passage);
      if (result.tag !== batch.tag) return this.fork([result], batch.tag, i, filter, passage);
      batch = result;
    }
    return this.deliver(batch, passage.ticket);
  }

  private async later(
    pending: Promise<Batch | Batch[]>,
    { tag, length }: Batch,
    at: number,
    filter: FilterRunner,
    passage: Passage,
  ): Promise<void> {
    // The batch goes on after this function returns: the ticket must not settle meanwhile.
    passage.ticket.hold();
    this.passing += length;
    this.passages++;
    try {
      const result = await pending.finally(() => this.passing -= length);
      const wait = this.fork(Array.isArray(result) ? result : [result], tag, at, filter, passage);
      // It is where it goes to, or in another filter; there may be no room for more for long.
      this.leave();
      await wait;
    } finally {
      passage.ticket.release();
    }
  }

  private leave(): void {
    if (--this.passages === 0) this.passed.open();
  }

  /** Goes on with what a filter returned: the same tag to the next filter, another tag to the first. */
  private fork(
    batches: readonly Batch[],
    tag: string,
    at: number,
    filter: FilterRunner,
    passage: Passage,
  ): MaybePromise<void> {
    const waits: Promise<void>[] = [];
    for (const batch of batches) {
      const wait = batch.tag === tag
        ? this.run(batch, at + 1, passage)
        : this.restart(batch, filter, passage);
      if (wait !== undefined) waits.push(wait);
    }
    if (waits.length === 0) return undefined;
    return waits.length === 1 ? waits[0] : Promise.all(waits).then(() => undefined);
  }

  private restart(batch: Batch, emitter: FilterRunner, passage: Passage): MaybePromise<void> {
    emitter.countEmitted(batch.length);
    if (passage.hops >= MAX_HOPS) {
      this.options.looped.value += batch.length;
      passage.ticket.book.dropped += batch.length;
      this.options.log.error(
        `Dropped ${
          countOf(batch.length, "record")
        } that were re-tagged ${MAX_HOPS} times, last to "${batch.tag}" by ${emitter.id}`,
        { reason: "retag_loop" },
      );
      return undefined;
    }
    return this.run(batch, 0, { ticket: passage.ticket, emitter, hops: passage.hops + 1 });
  }

  private deliver(batch: Batch, ticket: Ticket): MaybePromise<void> {
    if (batch.length === 0) return undefined;
    const outputs = this.options.router.route(batch.tag);
    if (outputs.length === 1) return outputs[0]!.accept(batch, ticket);
    if (outputs.length === 0) {
      this.options.unrouted.value += batch.length;
      ticket.book.dropped += batch.length;
      return undefined;
    }
    ticket.book.copied += (outputs.length - 1) * batch.length;
    const waits = outputs.map((output) => output.accept(batch, ticket))
      .filter((wait) => wait !== undefined);
    return waits.length === 0 ? undefined : Promise.all(waits).then(() => undefined);
  }
}
