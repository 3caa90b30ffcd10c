import type { QueuedPayload } from "./queued-payload.ts";

/** What happens to new payloads when a queue has reached its limit. */
export type FullPolicy = "block" | "drop_oldest" | "drop_newest";

/** Records that a queue gives up, by where they came from. */
export interface QueueDrop {
  readonly records: number;
  readonly sources: ReadonlyMap<string, number>;
  /** They were found in the queue, from an earlier run. */
  readonly isRecovered: boolean;
  /** One word in lower_snake_case. */
  readonly reason: "queue_full_oldest" | "queue_full_newest" | "corrupt";
}

/** What a queue tells the output that it belongs to. */
export interface QueueEvents {
  /** There is something to take. */
  readonly onReady: () => void;
  /** There may be room again. */
  readonly onSpace: () => void;
  /** Records were given up. */
  readonly onDrop: (drop: QueueDrop) => void;
}

/** How much a queue may hold. May change while it is in use. */
export interface QueueLimits {
  /** Bytes; Infinity for no limit. */
  readonly limitBytes: number;
  readonly policy: FullPolicy;
}

/** The payloads that wait for one output, in order. */
export interface PayloadQueue {
  /** Bytes that wait or are on their way, as the output's limit counts them. */
  readonly bytes: number;
  /** Records that wait or are on their way. */
  readonly records: number;
  /** How many of them are from an earlier run. */
  readonly recoveredRecords: number;
  /** With so many bytes more that are being gathered, inputs are to wait. */
  isFull(openBytes: number): boolean;
  /** What waits outlasts the process. */
  readonly isDurable: boolean;
  /** More waits than is at hand in memory: what comes now would have to be read from the disk again. */
  readonly isBehind: boolean;
  /** There is nothing to take and nothing on its way. */
  readonly isIdle: boolean;
  push(payload: QueuedPayload): void;
  /** The next payload to send; `undefined` when none is ready. Everything taken is given back to {@link done}. */
  take(): QueuedPayload | undefined;
  /** So many records of a payload that was taken are delivered or given up; the rest of it is not. */
  partlyDone(payload: QueuedPayload, records: number): void;
  /** The payload is delivered or given up: nobody waits for it any more, and its memory is free. */
  done(payload: QueuedPayload): void;
  /**
   * Takes everything out that waits in memory only, in order, without being done with it: another queue's from now
   * on. `taken` is what was taken before and not given to {@link done}; it comes first.
   */
  handOver?(taken: readonly QueuedPayload[]): readonly QueuedPayload[];
  /** Makes everything that was pushed as safe as the queue can, without sending it. Never rejects. */
  settle(): Promise<void>;
  close(): Promise<void>;
}
