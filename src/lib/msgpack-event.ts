import { Packr } from "msgpackr/pack";
import type { Fields } from "./record-accessor.ts";

// "auto" (a 64-bit integer where a number would lose digits) is in msgpackr's documentation, not in its types.
const packr = new Packr({
  useRecords: false,
  variableMapSize: true,
  int64AsType: "auto" as unknown as "bigint",
});

/** What of a record is encoded; the SDK's `LogRecord` is one. */
export interface EventRecord {
  readonly sec: number;
  readonly nsec: number;
  readonly body: Fields;
  readonly metadata?: Fields | undefined;
}

const EMPTY_MAP = Buffer.from([0x80]);

/** The records as Fluent Bit's own events, one behind the other: `[[EventTime, metadata], body]`. */
export function encodeMsgpackEvents(records: readonly EventRecord[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const { sec, nsec, body, metadata } of records) {
    parts.push(
      eventHead(sec, nsec),
      metadata === undefined ? EMPTY_MAP : packr.pack(metadata),
      packr.pack(body),
    );
  }
  return Buffer.concat(parts);
}

/**
 * Two arrays of two, and the time to the nanosecond as the Forward protocol has it: extension type 0,
 * two big-endian 32-bit numbers. msgpackr keeps type 0 for itself, so these bytes are written here.
 */
function eventHead(sec: number, nsec: number): Buffer {
  const head = Buffer.allocUnsafe(12);
  head.writeUInt32BE(0x9292d700, 0);
  head.writeUInt32BE(sec >>> 0, 4);
  head.writeUInt32BE(nsec, 8);
  return head;
}
