import type { Claim, Holder } from "../buffer/queued-payload.ts";
import type { Book } from "./books.ts";

/** Who is told what becomes of a ticket. */
export interface TicketOwner {
  /** The book of the input, or of the filter, whose batch it is. */
  readonly book: Book;
  settled?(): void;
  /** What this log was told is not true any more. */
  unclaim?(log: object): void;
  /** See {@link Holder.claim}. */
  claim?(log: object): Claim | undefined;
}

/**
 * What the engine holds for an emitted batch until it is safe everywhere. Everybody who keeps a part of
 * the batch (an open payload, a filter) holds the ticket; when the last hold is released the ticket is
 * settled and the input may be acked.
 *
 * A hold whose part lies in a log is as good as released for whoever writes to the same log later: what comes
 * behind it there cannot be safe before it is. That is what {@link isSafeWith} says.
 */
export class Ticket implements Holder {
  private holds = 1;
  private readonly owner: TicketOwner;
  /** Holds by the log that their part lies in. Almost always there is one log. */
  private log: object | undefined;
  private inLog = 0;
  private others: Map<object, number> | undefined;

  constructor(owner: TicketOwner) {
    this.owner = owner;
  }

  /** Where it is put down what becomes of the batch's records. */
  get book(): Book {
    return this.owner.book;
  }

  get source(): string {
    return this.owner.book.id;
  }

  get settled(): boolean {
    return this.holds === 0;
  }

  hold(): void {
    this.holds++;
  }

  release(): void {
    if (--this.holds === 0) this.owner.settled?.();
  }

  logged(log: object): void {
    this.log ??= log;
    if (log === this.log) this.inLog++;
    else {
      this.others ??= new Map();
      this.others.set(log, (this.others.get(log) ?? 0) + 1);
    }
  }

  releaseLogged(log: object): void {
    this.leave(log);
    this.release();
  }

  unlogged(log: object): void {
    this.leave(log);
    this.owner.unclaim?.(log);
  }

  /** Everything that is not safe yet lies in this log. */
  isSafeWith(log: object): boolean {
    return this.holds === (log === this.log ? this.inLog : this.others?.get(log) ?? 0);
  }

  claim(log: object): Claim | undefined {
    return this.owner.claim?.(log);
  }

  private leave(log: object): void {
    if (log === this.log) this.inLog--;
    else this.others!.set(log, this.others!.get(log)! - 1);
  }
}
