import type { QueueDrop } from "../buffer/payload-queue.ts";
import type { QueuedPayload } from "../buffer/queued-payload.ts";
import { type Book, type Books, takeShares } from "./books.ts";

/** Keeps an output's book, and those of the sources whose records it has. */
export class DeliveryBook {
  private readonly books: Books;
  private output: Book;

  constructor(books: Books, output: string) {
    this.books = books;
    this.output = books.output(output);
  }

  /** Records of a batch have come. */
  came(records: number): void {
    this.output.in += records;
  }

  /** Records were found in the queue. */
  recovered(records: number): void {
    this.output.recovered += records;
  }

  /** What is held is another output's from now on, and what becomes of it is put down there. */
  handOver(
    to: DeliveryBook,
    { own, recovered }: { readonly own: number; readonly recovered: number },
  ): void {
    this.leave({ own, recovered });
    to.output.in += own;
    to.output.recovered += recovered;
    this.output = to.output;
  }

  /** What is held stays behind on the disk, and is in this output's book no more. */
  leave({ own, recovered }: { readonly own: number; readonly recovered: number }): void {
    this.output.in -= own;
    this.output.recovered -= recovered;
  }

  /** Records that never came to be in a payload. */
  leftOut(records: number, source: string): void {
    this.books.settle(this.output, "dropped", records, new Map([[source, records]]));
  }

  delivered(payload: QueuedPayload, records: number): void {
    this.settle("delivered", payload, records);
  }

  dropped(payload: QueuedPayload, records: number): void {
    this.settle("dropped", payload, records);
  }

  deadLettered(payload: QueuedPayload, records: number): void {
    this.settle("deadLettered", payload, records);
  }

  /** Records that the queue itself gave up. */
  gaveUp({ records, sources, isRecovered }: QueueDrop): void {
    this.books.settle(this.output, "dropped", records, isRecovered ? undefined : sources);
  }

  private settle(
    fate: "delivered" | "dropped" | "deadLettered",
    { sources, isRecovered }: QueuedPayload,
    records: number,
  ): void {
    const shares = takeShares(sources, records);
    this.books.settle(this.output, fate, records, isRecovered ? undefined : shares);
  }
}
