import type { JsonTail } from "./json-tail.ts";

/** Positions of one line in {@link JsonLines.spans}. */
export const SPAN = { start: 0, cutFrom: 1, cutTo: 2, end: 3, size: 4 } as const;

/**
 * Records whose bodies still are the JSON they were read as, each exactly as JSON.stringify would write it
 * again: for outputs that write JSON, and never need to know what is in it.
 *
 * The memory belongs to whoever read the lines and is valid only while the batch is handed over.
 */
export interface JsonLines {
  readonly count: number;
  readonly bytes: Buffer;
  /**
   * Where each object is: from `start` to `end`, without what lies from `cutFrom` to `cutTo`, the time that
   * was taken out of it. The opening brace is never part of the cut.
   */
  readonly spans: Int32Array;
  /** The time of each record, as in {@link LogRecord}. */
  readonly sec: Float64Array;
  readonly nsec: Int32Array;
  /** The bodies of the few that had to be rewritten, as JSON, by their number. Their spans mean nothing. */
  readonly rewritten: ReadonlyMap<number, string>;
  /** Fields that all have besides, behind their own. */
  readonly tail?: JsonTail | undefined;
  /** Called when the records are wanted after all: whoever reads on had better make them at once. */
  readonly onRecords: () => void;
}
