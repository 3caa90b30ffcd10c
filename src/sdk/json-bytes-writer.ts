import { putBytes } from "../lib/byte-runs.ts";
import { type JsonDate, jsonDate, type JsonDateFormat } from "../lib/json-date.ts";
import { jsonDateWriter, LONGEST_DATE } from "../lib/json-date-bytes.ts";
import { type LineFrame, lineFrame } from "../lib/quoted-lines.ts";
import { LONGEST_ESCAPE, writeQuotedLines } from "../lib/quoted-bytes.ts";
import { Scratch } from "../lib/scratch.ts";
import type { Batch } from "./batch.ts";
import { type JsonLines, SPAN } from "./json-lines.ts";
import type { RawLines } from "./raw-lines.ts";

export interface JsonBytesOptions {
  /** What stands between two records, and after the last. */
  readonly between: string;
  readonly end: string;
  readonly dateKey: string | undefined;
  readonly dateFormat: JsonDateFormat;
}

const COMMA = 0x2c;
const OPEN_BRACE = 0x7b;

/**
 * Makes JSON of a batch whose records are still bytes, without making anything else of them in between; the
 * function returns `undefined` when the batch is not such a one. The bytes are valid until the next call.
 */
export function jsonBytesWriter(
  options: JsonBytesOptions,
): (batch: Batch) => Uint8Array | undefined {
  const scratch = new Scratch();
  const dateOf = jsonDate(options.dateFormat);
  const end = Buffer.from(options.end);
  const writeJson = jsonLinesWriter(options, scratch);

  function rawBytes(raw: RawLines, bytes: Uint8Array): Uint8Array | undefined {
    const frame = rawFrame(raw, options.dateKey, dateOf);
    if (frame === undefined) return undefined;
    const before = Buffer.from(frame.before);
    const between = Buffer.from(frame.after + options.between + frame.before);
    const after = Buffer.from(frame.after);
    const out = scratch.room(
      bytes.length * LONGEST_ESCAPE + (between.length + 2) * (raw.count + 1) + end.length,
    );
    before.copy(out);
    let at = writeQuotedLines(bytes, 0, bytes.length, between, out, before.length);
    at += after.copy(out, at);
    at += end.copy(out, at);
    return out.subarray(0, at);
  }

  return (batch) => {
    const { raw, json } = batch;
    if (json !== undefined) return writeJson(json);
    if (raw?.bytes !== undefined) return rawBytes(raw, raw.bytes);
    return undefined;
  };
}

/** The text around each of the lines; `undefined` when their field would not come last. */
export function rawFrame(
  raw: RawLines,
  dateKey: string | undefined,
  dateOf: JsonDate,
): LineFrame | undefined {
  if (dateKey === undefined) return lineFrame(raw.extra, raw.key);
  if (dateKey === raw.key) return undefined;
  return lineFrame({ [dateKey]: dateOf(raw.sec, raw.nsec), ...raw.extra }, raw.key);
}

function jsonLinesWriter(
  { between, end, dateKey, dateFormat }: JsonBytesOptions,
  scratch: Scratch,
): (lines: JsonLines) => Uint8Array | undefined {
  const putDate = jsonDateWriter(dateFormat);
  const separator = Buffer.from(between);
  const ending = Buffer.from(end);
  const dateName = dateKey === undefined ? undefined : Buffer.from(`${JSON.stringify(dateKey)}:`);
  const perLine = separator.length + (dateName?.length ?? 0) + LONGEST_DATE;

  return (lines) => {
    const { bytes, spans, count, rewritten, sec, nsec } = lines;
    if (dateName !== undefined && mayNotComeFirst(lines, dateName)) return undefined;
    let rewrittenBytes = 0;
    for (const text of rewritten.values()) rewrittenBytes += text.length * 3;
    const out = scratch.room(bytes.length + perLine * count + rewrittenBytes + ending.length);
    let at = 0;
    for (let i = 0; i < count; i++) {
      if (i > 0) at = putBytes(separator, out, at);
      const text = rewritten.size > 0 ? rewritten.get(i) : undefined;
      const span = i * SPAN.size;
      const start = spans[span + SPAN.start]! + 1;
      const cutFrom = spans[span + SPAN.cutFrom]!;
      const cutTo = spans[span + SPAN.cutTo]!;
      const last = spans[span + SPAN.end]!;
      out[at++] = OPEN_BRACE;
      if (dateName !== undefined) {
        at = putBytes(dateName, out, at);
        at = putDate(sec[i]!, nsec[i]!, out, at);
        const rest = text === undefined ? cutFrom - start + last - cutTo : text.length - 1;
        // More than the closing brace.
        if (rest > 1) out[at++] = COMMA;
      }
      if (text !== undefined) {
        at += out.write(text.slice(1), at);
        continue;
      }
      if (cutFrom > start) at += bytes.copy(out, at, start, cutFrom);
      if (last > cutTo) at += bytes.copy(out, at, cutTo, last);
    }
    at += ending.copy(out, at);
    return out.subarray(0, at);
  };
}

/**
 * Whether the date cannot just be written in front of every object: a field of the same name would give its
 * value to the place of the date, and fields that look like numbers come before all others.
 */
function mayNotComeFirst({ bytes, rewritten }: JsonLines, dateName: Buffer): boolean {
  if (bytes.includes(dateName)) return true;
  for (const text of rewritten.values()) {
    if (text.includes(dateName.toString()) || /^\{"\d/.test(text)) return true;
  }
  return false;
}
