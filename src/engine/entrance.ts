import type { Batch } from "../sdk/batch.ts";
import type { MaybePromise } from "../sdk/define.ts";
import type { FilterChain } from "./filter-chain.ts";
import type { FilterRunner } from "./filter-runner.ts";
import type { Ticket } from "./ticket.ts";

interface Waiting {
  readonly batch: Batch;
  readonly ticket: Ticket;
  readonly emitter: FilterRunner | undefined;
  readonly done: (wait: MaybePromise<void>) => void;
}

/** Where batches of inputs and filters come in. It stays while the chain behind it is exchanged. */
export class Entrance {
  private current: FilterChain | undefined;
  /** Set while it is closed. */
  private waiting: Waiting[] | undefined;

  /** Records that wait for it to be opened. */
  get waitingRecords(): number {
    return this.waiting?.reduce((sum, { batch }) => sum + batch.length, 0) ?? 0;
  }

  /** Resolves (or returns undefined at once) when the next batch may come. See {@link FilterChain.process}. */
  process(batch: Batch, ticket: Ticket, emitter?: FilterRunner): MaybePromise<void> {
    const { waiting } = this;
    if (waiting === undefined) return this.current!.process(batch, ticket, emitter);
    // Its caller is done with it before it goes on.
    batch.detach();
    ticket.hold();
    return new Promise((done) => waiting.push({ batch, ticket, emitter, done }));
  }

  /** Lets nothing in; what comes waits in order. Whoever awaits what it emitted comes with one batch at most. */
  close(): void {
    this.waiting ??= [];
  }

  /** Leads to this chain from now on, and lets in what waited. */
  open(chain: FilterChain): void {
    this.current = chain;
    const waiting = this.waiting ?? [];
    this.waiting = undefined;
    for (const { batch, ticket, emitter, done } of waiting) {
      try {
        done(chain.process(batch, ticket, emitter));
      } finally {
        ticket.release();
      }
    }
  }
}
