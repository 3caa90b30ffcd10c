import type { Claim } from "../buffer/queued-payload.ts";
import type { Ack } from "../sdk/checkpoint.ts";
import type { Book } from "./books.ts";
import type { EmissionOrder } from "./emission-order.ts";
import { Ticket } from "./ticket.ts";

export interface StreamAcksOptions {
  /** The input's book: its id is the one that claims speak of. */
  readonly book: Book;
  readonly order: EmissionOrder;
  /** Something became safe. */
  readonly onProgress: () => void;
  /** The position of the stream may be saved. */
  readonly onMoved: (stream: string, position: () => string, order: number) => void;
  /** Told what an input's ack threw: it must not reach the output that delivered. */
  readonly onAckError: (error: unknown) => void;
}

/** A batch that was emitted and that is not acked yet. */
interface Emission {
  readonly ticket: Ticket;
  readonly ack: Ack | undefined;
  readonly bytes: number;
  readonly order: number;
}

/** The batches of one stream, the oldest first. */
interface Stream {
  readonly name: string;
  readonly emissions: Emission[];
  /** The first so many are claimed by this log. */
  claimed: number;
  log: object | undefined;
}

/**
 * Hands an input its acks in the order it emitted, stream by stream: a batch that is safe early waits for
 * the ones before it, so that a checkpoint never passes something that may still be lost.
 */
export class StreamAcks {
  private readonly streams = new Map<string, Stream>();
  private readonly options: StreamAcksOptions;
  /** Bytes that were emitted and are not safe yet. */
  pendingBytes = 0;
  /** Batches that were emitted and are not safe yet. */
  pending = 0;

  constructor(options: StreamAcksOptions) {
    this.options = options;
  }

  /** A ticket for the next batch of a stream; its first hold belongs to the caller. */
  open(name: string, bytes: number, ack: Ack | undefined): Ticket {
    let stream = this.streams.get(name);
    if (stream === undefined) {
      stream = { name, emissions: [], claimed: 0, log: undefined };
      this.streams.set(name, stream);
    }
    const { emissions } = stream;
    const own = stream;
    const ticket = new Ticket({
      book: this.options.book,
      settled: () => this.settle(own, bytes),
      claim: (log) => this.claim(own, log),
      unclaim: () => void (own.claimed = 0),
    });
    emissions.push({ ticket, ack, bytes, order: this.options.order.next() });
    this.pendingBytes += bytes;
    this.pending++;
    return ticket;
  }

  /**
   * How far the stream is safe once the log is. The log asks each time that it has taken something of the stream;
   * what it was told before stays true, so only what is new is looked at.
   */
  private claim(stream: Stream, log: object): Claim | undefined {
    const { emissions } = stream;
    const before = log === stream.log ? stream.claimed : 0;
    let now = before;
    while (now < emissions.length && emissions[now]!.ticket.isSafeWith(log)) now++;
    stream.log = log;
    stream.claimed = now;
    for (let i = now - 1; i >= before; i--) {
      const { ack, order } = emissions[i]!;
      if (typeof ack !== "object") continue;
      return { input: this.options.book.id, stream: stream.name, position: ack.position(), order };
    }
    return undefined;
  }

  private settle(stream: Stream, bytes: number): void {
    this.pendingBytes -= bytes;
    this.pending--;
    const { emissions } = stream;
    let done = 0;
    while (done < emissions.length && emissions[done]!.ticket.settled) done++;
    if (done > 0) {
      // Out of the list before anybody is told: an input may emit again from within its ack.
      const safe = emissions.splice(0, done);
      stream.claimed = Math.max(0, stream.claimed - done);
      if (emissions.length === 0) this.streams.delete(stream.name);
      this.ack(stream, safe);
    }
    this.options.onProgress();
  }

  private ack(stream: Stream, safe: readonly Emission[]): void {
    let last: Emission | undefined;
    for (const emission of safe) {
      const { ack } = emission;
      if (ack === undefined) continue;
      if (typeof ack === "object") last = emission;
      try {
        if (typeof ack === "function") ack();
        else ack.ack?.();
      } catch (error) {
        this.options.onAckError(error);
      }
    }
    if (last === undefined) return;
    const { ack, order } = last as { ack: { position(): string }; order: number };
    this.options.onMoved(stream.name, () => ack.position(), order);
  }
}
