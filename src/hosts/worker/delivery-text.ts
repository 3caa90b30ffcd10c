import { deserialize, serialize } from "bun:jsc";
import { Batch } from "../../sdk/batch.ts";
import type { LogRecord } from "../../sdk/record.ts";
import { recordsOfColumns, toColumns } from "./batch-message.ts";

// The engine queues the records of an isolated output as lines: one for each batch, JSON columns or, for
// records that JSON cannot hold, their structured clone in base64 behind CLONE. What the plugin has encoded
// already and is to be sent again, or was refused, takes the form of an EncodedDelivery instead.

const CLONE = "#";
const ENCODED = "=";
const LINE_FEED = 0x0a;

/** What the engine calls the form of these payloads: no other output understands them. */
export const DELIVERY_FORMAT = "isolated";

/** What stands between two batches of one payload. */
export const DELIVERY_FRAMING = { separator: "\n" };

/** Bytes of one partition, in the plugin's own wire format. */
export interface OwnPayload {
  readonly partition: string;
  bytes: Uint8Array;
  records: number;
}

/** Payloads that need not be encoded any more. */
export interface EncodedDelivery {
  /** The form that the plugin says they have. */
  readonly format: string;
  readonly payloads: readonly Readonly<OwnPayload>[];
}

interface EncodedHead {
  readonly format: string;
  readonly payloads: readonly [partition: string, records: number, bytes: number][];
}

/** One batch as a line. */
export function toDeliveryLine(records: readonly LogRecord[]): string {
  return toColumns(records) ?? CLONE + Buffer.from(serialize(records)).toString("base64");
}

/** The batches of a payload, all under one tag. */
export function batchesOf(bytes: Uint8Array, tag: string): Batch[] {
  return Buffer.from(bytes).toString("utf8").split("\n").map((line) =>
    Batch.of(
      tag,
      line.startsWith(CLONE)
        ? deserialize(Buffer.from(line.slice(1), "base64")) as LogRecord[]
        : recordsOfColumns(line),
    )
  );
}

/** A line of JSON behind ENCODED that says what follows, and the payloads one behind the other, in memory of their own. */
export function toEncodedDelivery({ format, payloads }: EncodedDelivery): Uint8Array {
  const head: EncodedHead = {
    format,
    payloads: payloads.map(({ partition, records, bytes }) => [partition, records, bytes.length]),
  };
  const line = Buffer.from(`${ENCODED}${JSON.stringify(head)}\n`);
  const parts = [line, ...payloads.map(({ bytes }) => bytes)];
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** What {@link toEncodedDelivery} made bytes of; `undefined` for lines. */
export function encodedDeliveryOf(
  bytes: Uint8Array,
): { format: string; payloads: OwnPayload[] } | undefined {
  if (bytes[0] !== ENCODED.charCodeAt(0)) return undefined;
  const end = bytes.indexOf(LINE_FEED);
  const { format, payloads } = JSON.parse(
    Buffer.from(bytes.subarray(1, end)).toString(),
  ) as EncodedHead;
  let at = end + 1;
  const own = payloads.map(([partition, records, length]) => ({
    partition,
    records,
    bytes: bytes.subarray(at, at += length),
  }));
  return { format, payloads: own };
}
