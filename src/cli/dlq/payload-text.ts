import { createGunzip, createZstdDecompress } from "node:zlib";
import type { LetterHeader } from "../../buffer/dead-letters/letter.ts";
import { encodeForSimpleOutput } from "../../engine/simple-output.ts";
import { decodeEvents } from "../../hosts/go/decode-events.ts";
import { EVENTS_FORMAT } from "../../hosts/go/encode-events.ts";
import {
  batchesOf,
  DELIVERY_FORMAT,
  type EncodedDelivery,
  encodedDeliveryOf,
} from "../../hosts/worker/delivery-text.ts";
import type { LogRecord } from "../../sdk/record.ts";
import { printable } from "../../telemetry/printable.ts";
import { hexDump } from "./hex-dump.ts";

/** What is shown of a payload, in bytes. */
const MAX_TEXT = 32 * 1024;
const MAX_BINARY = 2 * 1024;

/** A payload for people. */
export interface PayloadText {
  /** Ends with a line break, and does nothing to a terminal. */
  readonly text: string;
  /** What one looks at, when it is not simply the payload. */
  readonly form: "" | "unpacked from gzip" | "unpacked from zstd" | "records as JSON" | "binary";
  /** There is more than is shown. */
  readonly isCut: boolean;
}

/** Shows a payload as text where it is text, also under its compression, and as a hex dump where it is not. */
export async function payloadText(
  { format, partition }: Pick<LetterHeader, "format" | "partition">,
  bytes: Buffer,
): Promise<PayloadText> {
  const encoded = format === DELIVERY_FORMAT ? encodedIn(bytes) : undefined;
  if (encoded !== undefined) {
    const whole = Buffer.concat(encoded.payloads.map((each) => each.bytes));
    return await payloadText({ format: encoded.format, partition }, whole);
  }
  const lines = await recordLines(format, bytes, partition);
  if (lines !== undefined) return shownText(Buffer.from(lines), "records as JSON", false);
  for (const [name, magic, create] of COMPRESSIONS) {
    if (!bytes.subarray(0, magic.length).equals(magic)) continue;
    const unpacked = await beginning(create(), bytes);
    if (unpacked !== undefined && isText(unpacked)) {
      return shownText(unpacked, `unpacked from ${name}`, unpacked.length > MAX_TEXT);
    }
  }
  if (isText(bytes)) return shownText(bytes, "", false);
  return {
    text: hexDump(bytes.subarray(0, MAX_BINARY)),
    form: "binary",
    isCut: bytes.length > MAX_BINARY,
  };
}

const COMPRESSIONS = [
  ["gzip", Buffer.from([0x1f, 0x8b]), createGunzip],
  ["zstd", Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), createZstdDecompress],
] as const;

function shownText(bytes: Buffer, form: PayloadText["form"], isCut: boolean): PayloadText {
  const text = decoded(bytes.subarray(0, MAX_TEXT)).split("\n").map(printable).join("\n");
  return {
    text: text.endsWith("\n") || text === "" ? text : `${text}\n`,
    form,
    isCut: isCut || bytes.length > MAX_TEXT,
  };
}

/** UTF-8 without what no log holds. Only the beginning is looked at. */
function isText(bytes: Buffer): boolean {
  const looked = bytes.subarray(0, MAX_TEXT);
  if (looked.includes(0)) return false;
  const text = decoded(looked);
  return !text.includes("\ufffd") || looked.includes("\ufffd");
}

/** The last character may be cut off: it is left out. */
function decoded(bytes: Buffer): string {
  return new TextDecoder().decode(bytes, { stream: true });
}

/** The first bytes of what is packed; `undefined` when it cannot be unpacked. */
async function beginning(
  unpack: ReturnType<typeof createGunzip>,
  bytes: Buffer,
): Promise<Buffer | undefined> {
  const parts: Buffer[] = [];
  let length = 0;
  try {
    unpack.end(bytes);
    for await (const part of unpack) {
      parts.push(part);
      length += part.length;
      // A few bytes may unpack to gigabytes.
      if (length > MAX_TEXT) break;
    }
  } catch {
    return undefined;
  }
  // Of a file that is cut off some unpackers say nothing.
  return length === 0 ? undefined : Buffer.concat(parts);
}

/** What an isolated output had encoded already, if it is that. */
function encodedIn(bytes: Buffer): EncodedDelivery | undefined {
  try {
    return encodedDeliveryOf(bytes);
  } catch {
    return undefined;
  }
}

/** A line for each record; `undefined` when they are in no form that holds records. */
async function recordLines(
  format: string,
  bytes: Buffer,
  partition: string,
): Promise<string | undefined> {
  try {
    return (await READERS[format]?.(bytes, partition))?.map(recordLine).join("");
  } catch {
    return undefined;
  }
}

type Records = readonly LogRecord[];

/** The engine's own forms of records, and those of what runs plugins elsewhere. */
const READERS: Readonly<
  Record<string, (bytes: Buffer, partition: string) => Records | Promise<Records>>
> = {
  records: engineRecords,
  [DELIVERY_FORMAT]: (bytes, tag) => batchesOf(bytes, tag).flatMap(({ records }) => records),
  [EVENTS_FORMAT]: (bytes) => {
    const { records, problem } = decodeEvents(bytes);
    if (problem !== undefined) throw new Error(problem);
    return records;
  },
};

async function engineRecords(bytes: Buffer, partition: string): Promise<Records> {
  const all: LogRecord[] = [];
  const output = encodeForSimpleOutput({
    async write(batch) {
      for (const record of batch.records) all.push(record);
    },
  });
  const payload = { bytes, records: 0, partition, attempt: 1 };
  await output.send(payload, new AbortController().signal);
  return all;
}

function recordLine({ sec, nsec, body, metadata }: LogRecord): string {
  const seconds = `${sec}.${String(nsec).padStart(9, "0")}`;
  const row = metadata === undefined ? [seconds, body] : [seconds, body, metadata];
  return `${JSON.stringify(row, (_, value) => typeof value === "bigint" ? `${value}` : value)}\n`;
}
