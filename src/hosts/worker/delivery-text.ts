import { deserialize, serialize } from "bun:jsc";
import { Batch } from "../../sdk/batch.ts";
import type { LogRecord } from "../../sdk/record.ts";
import { recordsOfColumns, toColumns } from "./batch-message.ts";

// The engine queues the records of an isolated output as lines: one for each batch, JSON columns or, for
// records that JSON cannot hold, their structured clone in base64 behind CLONE. A line with TOKEN in front
// of them names what the worker has left of an earlier attempt.

const CLONE = "#";
const TOKEN = "@";

/** What stands between two batches of one payload. */
export const DELIVERY_FRAMING = { separator: "\n" };

/** One batch as a line. */
export function toDeliveryLine(records: readonly LogRecord[]): string {
  return toColumns(records) ?? CLONE + Buffer.from(serialize(records)).toString("base64");
}

/** The batches of a payload, all under one tag. */
export function batchesOf(text: string, tag: string): Batch[] {
  const lines = text.split("\n").filter((line) => !line.startsWith(TOKEN));
  return lines.map((line) =>
    Batch.of(
      tag,
      line.startsWith(CLONE)
        ? deserialize(Buffer.from(line.slice(1), "base64")) as LogRecord[]
        : recordsOfColumns(line),
    )
  );
}

/** The token of a payload that was delivered in part. */
export function tokenOf(text: string): number | undefined {
  return text.startsWith(TOKEN) ? Number(text.slice(1, text.indexOf("\n"))) : undefined;
}

/** The same payload, delivered in part. */
export function withToken(bytes: Uint8Array, token: number): Uint8Array {
  const old = bytes[0] === TOKEN.charCodeAt(0) ? bytes.indexOf(0x0a) + 1 : 0;
  return Buffer.concat([Buffer.from(`${TOKEN}${token}\n`), bytes.subarray(old)]);
}
