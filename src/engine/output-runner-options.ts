import type { PayloadQueue, QueueEvents, QueueLimits } from "../buffer/payload-queue.ts";
import type { Clock, Logger } from "../sdk/context.ts";
import type { EncodedOutput, Output } from "../sdk/define.ts";
import type { BackoffLimits } from "../lib/backoff.ts";
import type { DeliveryBook } from "./delivery-book.ts";
import type { OutputMetrics } from "./metrics.ts";
import type { GivenUp } from "./sender.ts";

export interface OutputRunnerOptions {
  readonly id: string;
  readonly output: Output | EncodedOutput;
  readonly log: Logger;
  readonly clock: Clock;
  readonly metrics: OutputMetrics;
  readonly book: DeliveryBook;
  /** True when records under this tag go to this output. */
  readonly accepts: (tag: string) => boolean;
  /** May change while the output is at work. */
  readonly settings: OutputSettings;
  /** A payload is finished at this size, in bytes. */
  readonly payloadBytes: number;
  readonly limits: QueueLimits;
  /** Makes the queue, whose payloads have this form. Rejects with a message for the user. */
  readonly openQueue: (
    format: string,
    owner: QueueEvents & QueueLimits,
  ) => PayloadQueue | Promise<PayloadQueue>;
  readonly onQueueClosed: (queue: PayloadQueue, format: string) => void;
  /** The queue is at its limit, and somebody waits. */
  readonly onFull: () => void;
  readonly maxInFlight: number;
  readonly retryLimit: number;
  /** Keeps what is given up, in this form. */
  readonly keep?: ((letter: GivenUp, format: string) => Promise<void>) | undefined;
}

export interface OutputSettings {
  /** The oldest record of a payload waits at most this long for others, in milliseconds. */
  readonly flushMs: number;
  readonly backoff: BackoffLimits;
}
