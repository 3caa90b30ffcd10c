import type { Claim } from "../buffer/queued-payload.ts";
import type { Ack } from "../sdk/checkpoint.ts";
import type { Book } from "./books.ts";
import type { SavedPosition } from "./checkpoint-file.ts";
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
  /** An input that was here before forgets a stream. */
  readonly onForgotten?: (stream: string) => void;
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
  private options: StreamAcksOptions;
  /** Bytes that were emitted and are not safe yet. */
  pendingBytes = 0;
  /** Batches that were emitted and are not safe yet. */
  pending = 0;

  constructor(options: StreamAcksOptions) {
    this.options = options;
  }

  /** What was emitted by one input, and is not safe yet, is another's from now on: that one is told of it. */
  handOver(to: StreamAcksOptions): void {
    this.options = to;
  }

  /** How far the streams were read that have batches which are not safe yet. */
  get emitted(): Map<string, SavedPosition> {
    const emitted = new Map<string, SavedPosition>();
    for (const { name, emissions } of this.streams.values()) {
      const last = emissions.findLast(({ ack }) => typeof ack === "object");
      if (last === undefined || typeof last.ack !== "object") continue;
      try {
        emitted.set(name, { position: last.ack.position(), order: last.order });
      } catch (error) {
        this.options.onAckError(error);
      }
    }
    return emitted;
  }

  /**
   * The stream stands at a position that no batch stands for: at once, or as soon as all batches before it are safe.
   */
  put(name: string, position: string): void {
    const order = this.options.order.next();
    const stream = this.streams.get(name);
    if (stream === undefined) return this.options.onMoved(name, () => position, order);
    const ticket = new Ticket({ book: this.options.book });
    ticket.release();
    stream.emissions.push({ ticket, ack: { position: () => position }, bytes: 0, order });
  }

  /** Passes on to whom the streams belong now that one of them is of no use any more. */
  forget(name: string): void {
    this.options.onForgotten?.(name);
  }

  /** A ticket for the next batch of a stream; its first hold belongs to the caller. */
  open(name: string, bytes: number, ack: Ack | undefined): Ticket {
    const own = this.stream(name);
    const { emissions } = own;
    const { book } = this.options;
    const ticket = new Ticket({
      book,
      settled: () => this.settle(own, bytes),
      claim: (log) => this.claim(own, log),
      unclaim: () => void (own.claimed = 0),
    });
    emissions.push({ ticket, ack, bytes, order: this.options.order.next() });
    this.pendingBytes += bytes;
    this.pending++;
    return ticket;
  }

  private stream(name: string): Stream {
    let stream = this.streams.get(name);
    if (stream === undefined) {
      stream = { name, emissions: [], claimed: 0, log: undefined };
      this.streams.set(name, stream);
    }
    return stream;
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
