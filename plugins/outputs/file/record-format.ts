import type { Batch, Payload, PayloadWriter } from "logcollector/plugin";

/** How records become the bytes of a file. */
export interface RecordFormat {
  encode(batch: Batch, into: PayloadWriter): void;
  /** What of a payload is written to a file that has something in it already, or has not. */
  finish(payload: Payload, fileIsEmpty: boolean): Uint8Array;
}

/** Seconds and nanoseconds as one number with nine digits behind the point. */
export function timeText({ sec, nsec }: { readonly sec: number; readonly nsec: number }): string {
  return `${sec}.${String(nsec).padStart(9, "0")}`;
}
