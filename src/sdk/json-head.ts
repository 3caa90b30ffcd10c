/** Writes what stands in front of a record's fields: its opening brace, and fields that it is to have besides. */
export interface JsonHead {
  /** The names of those fields. */
  readonly names: readonly string[];
  /**
   * What stands in front of the time, where the head is nothing but the time as a number with a fraction; empty
   * where it is nothing but the brace.
   */
  readonly beforeNumber?: Buffer | undefined;
  /** The most bytes that {@link put} writes for any of these times. */
  longest(seconds: Float64Array, count: number): number;
  /** Writes at the position, and returns the one behind: behind the brace, or behind a value. */
  put(sec: number, nsec: number, out: Buffer, at: number): number;
}

export interface JsonLinesWriterOptions {
  readonly head: JsonHead;
  /** What stands between two records, and after the last. */
  readonly between: string;
  readonly end: string;
}
