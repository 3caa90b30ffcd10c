import type { Counter, Gauge } from "../sdk/context.ts";

/** What an output counts. `drop` makes one counter per reason. */
export interface OutputMetrics {
  readonly deliveredRecords: Counter;
  readonly deliveredBytes: Counter;
  readonly errors: Counter;
  readonly retries: Counter;
  readonly retriesFailed: Counter;
  readonly retriedRecords: Counter;
  readonly droppedRecords: Counter;
  readonly deadLetteredRecords: Counter;
  /** Times that the disk refused something to the queue. */
  readonly diskErrors: Counter;
  readonly queuedBytes: Gauge;
  readonly queuedRecords: Gauge;
  drop(reason: string): Counter;
}

export interface InputMetrics {
  readonly records: Counter;
  readonly bytes: Counter;
  readonly paused: Gauge;
  readonly pendingBytes: Gauge;
}

export interface FilterMetrics {
  readonly records: Counter;
  readonly added: Counter;
  readonly dropped: Counter;
  readonly emitted: Counter;
  drop(reason: string): Counter;
}
