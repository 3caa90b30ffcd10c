import { MsgpackReader } from "../../lib/msgpack-reader.ts";
import { type Body, isBody, type LogRecord } from "../../sdk/record.ts";

export interface DecodedEvents {
  readonly records: LogRecord[];
  /** Bytes that became records. */
  readonly read: number;
  /** Why the rest did not; `undefined` when there is none. */
  readonly problem: string | undefined;
}

/** Reads events one behind the other: `[time, body]`, or `[[time, metadata], body]` as newer plugins write. */
export function decodeEvents(data: Uint8Array): DecodedEvents {
  const reader = new MsgpackReader(data);
  const records: LogRecord[] = [];
  let read = 0;
  try {
    while (reader.offset < data.length) {
      records.push(readEvent(reader));
      read = reader.offset;
    }
    return { records, read, problem: undefined };
  } catch (error) {
    return { records, read, problem: (error as Error).message };
  }
}

function readEvent(reader: MsgpackReader): LogRecord {
  if (reader.arrayHead() !== 2) throw new Error("a record is an array of two, time and map");
  let metadata: Body | undefined;
  const nested = reader.nextIsArray;
  if (nested && reader.arrayHead() !== 2) throw new Error("time and metadata are an array of two");
  const time = reader.eventTime();
  if (nested) metadata = map(reader);
  const body = map(reader);
  const empty = metadata === undefined || Object.keys(metadata).length === 0;
  return empty ? { ...time, body } : { ...time, body, metadata };
}

function map(reader: MsgpackReader): Body {
  const value = reader.value();
  if (!isBody(value)) throw new Error("a record's body must be a map");
  return value;
}
