import { MsgpackWriter } from "./msgpack-writer.ts";
import type { Fields } from "./record-accessor.ts";

/** What of a record is encoded; the SDK's `LogRecord` is one. */
export interface EventRecord {
  readonly sec: number;
  readonly nsec: number;
  readonly body: Fields;
  readonly metadata?: Fields | undefined;
}

const HEAD_BYTES = 13;
/** Written without a look into it. */
export const NO_METADATA: Fields = {};
const writer = new MsgpackWriter();

/** The records as Fluent Bit's own events, one behind the other: `[[EventTime, metadata], body]`. */
export function encodeMsgpackEvents(records: readonly EventRecord[]): Uint8Array {
  writer.clear();
  for (const { sec, nsec, body, metadata } of records) {
    writeEventHead(writer, sec, nsec, metadata ?? NO_METADATA);
    writer.map(body);
  }
  return Buffer.from(writer.written);
}

/**
 * What stands before a record's body: with metadata `[[EventTime, metadata]`, without `[EventTime`, which is
 * the older form. The time is exact to the nanosecond, as the Forward protocol has it: extension type 0, two
 * big-endian 32-bit numbers.
 */
export function writeEventHead(
  into: MsgpackWriter,
  sec: number,
  nsec: number,
  metadata: Fields | undefined,
): void {
  into.reserve(HEAD_BYTES);
  const { memory } = into;
  let at = into.length;
  memory[at++] = 0x92;
  if (metadata !== undefined) memory[at++] = 0x92;
  memory[at++] = 0xd7;
  memory[at++] = 0;
  at = putUint32(sec, memory, at);
  at = putUint32(nsec, memory, at);
  if (metadata === NO_METADATA) memory[at++] = 0x80;
  into.length = at;
  if (metadata !== undefined && metadata !== NO_METADATA) into.map(metadata);
}

/** A call of the runtime would cost more. */
function putUint32(value: number, memory: Uint8Array, at: number): number {
  memory[at] = value >>> 24;
  memory[at + 1] = value >>> 16;
  memory[at + 2] = value >>> 8;
  memory[at + 3] = value;
  return at + 4;
}

/** Fields as one msgpack map. */
export function encodeMsgpackMap(fields: Fields): Uint8Array {
  writer.clear();
  writer.map(fields);
  return Buffer.from(writer.written);
}
