import { Ticket } from "./ticket.ts";

interface Entry {
  ack: (() => void) | undefined;
  bytes: number;
  settled: boolean;
}

/**
 * Hands an input its acks in the order it emitted, stream by stream: a batch that is safe early waits for
 * the ones before it, so that a checkpoint never passes something that may still be lost.
 */
export class StreamAcks {
  private readonly streams = new Map<string, Entry[]>();
  private readonly onProgress: () => void;
  private readonly onAckError: (error: unknown) => void;
  /** Bytes that were emitted and are not safe yet. */
  pendingBytes = 0;
  /** Batches that were emitted and are not safe yet. */
  pending = 0;

  /** `onAckError` is told what an input's ack threw: it must not reach the output that delivered. */
  constructor(onProgress: () => void, onAckError: (error: unknown) => void) {
    this.onProgress = onProgress;
    this.onAckError = onAckError;
  }

  /** A ticket for the next batch of a stream; its first hold belongs to the caller. */
  open(stream: string, bytes: number, ack: (() => void) | undefined): Ticket {
    const entry: Entry = { ack, bytes, settled: false };
    const queue = this.streams.get(stream);
    if (queue === undefined) this.streams.set(stream, [entry]);
    else queue.push(entry);
    this.pendingBytes += bytes;
    this.pending++;
    return new Ticket(() => this.settle(stream, entry));
  }

  private settle(stream: string, entry: Entry): void {
    entry.settled = true;
    this.pendingBytes -= entry.bytes;
    this.pending--;
    const queue = this.streams.get(stream)!;
    let done = 0;
    while (done < queue.length && queue[done]!.settled) done++;
    const settled = done === queue.length ? queue : queue.splice(0, done);
    if (settled === queue) this.streams.delete(stream);
    for (const { ack } of settled) {
      try {
        ack?.();
      } catch (error) {
        this.onAckError(error);
      }
    }
    this.onProgress();
  }
}
