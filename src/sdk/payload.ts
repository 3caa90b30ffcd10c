/** Bytes in an output's own wire format, ready to send. */
export interface Payload {
  /** The body, with the framing's prefix and suffix. Valid only until `send` settles: the engine reuses the memory. */
  readonly bytes: Uint8Array;
  /** Number of records in it. */
  readonly records: number;
  /** What {@link PayloadWriter.partition} was given, "" when it was not called. */
  readonly partition: string;
  /** 1 for the first attempt. */
  readonly attempt: number;
}

/** Where an output's `encode` puts bytes. Many small batches grow into one payload. */
export interface PayloadWriter {
  /**
   * Chooses the payload that the following writes of this call go to: records for different files, URLs
   * or headers must not share one. The default partition is "".
   */
  partition(key: string): void;
  /** Appends text as UTF-8, holding `records` records. Between two calls the framing's separator is put. */
  text(text: string, records: number): void;
  /** Appends bytes, holding `records` records. They are copied. */
  bytes(bytes: Uint8Array, records: number): void;
  /**
   * Counts records of this batch that the output leaves out on purpose, by reason: one word in lower_snake_case,
   * a label of the metric. What is neither written nor dropped counts as dropped for `not_encoded`.
   */
  drop(records: number, reason: string): void;
}

/** What surrounds and joins the writes of one payload. A JSON array is `{ prefix: "[", separator: ",", suffix: "]" }`. */
export interface Framing {
  readonly prefix?: string;
  readonly separator?: string;
  readonly suffix?: string;
}
