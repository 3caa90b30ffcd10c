import { putBytes } from "../lib/byte-runs.ts";
import { type JsonDate, jsonDate, type JsonDateFormat } from "../lib/json-date.ts";
import { jsonDateWriter, LONGEST_DATE } from "../lib/json-date-bytes.ts";
import { type LineFrame, lineFrame } from "../lib/quoted-lines.ts";
import { Scratch } from "../lib/scratch.ts";
import type { Batch } from "./batch.ts";
import type { JsonHead } from "./json-head.ts";
import { jsonLinesWriter } from "./json-lines-writer.ts";
import { quotedLinesWriter } from "./quoted-lines-writer.ts";
import type { RawLines } from "./raw-lines.ts";

export interface JsonBytesOptions {
  /** What stands between two records, and after the last. */
  readonly between: string;
  readonly end: string;
  readonly dateKey: string | undefined;
  readonly dateFormat: JsonDateFormat;
}

const OPEN_BRACE = 0x7b;

/**
 * Makes JSON of a batch whose records are still bytes, without making anything else of them in between; the
 * function returns `undefined` when the batch is not such a one. The bytes are valid until the next call.
 */
export function jsonBytesWriter(
  options: JsonBytesOptions,
): (batch: Batch) => Uint8Array | undefined {
  const { between, end, dateKey } = options;
  const scratch = new Scratch();
  const dateOf = jsonDate(options.dateFormat);
  const writeJson = jsonLinesWriter({ head: dateHead(options), between, end }, scratch);
  const writeLines = quotedLinesWriter(scratch);

  function rawBytes(raw: RawLines): Uint8Array | undefined {
    const frame = rawFrame(raw, dateKey, dateOf);
    return frame && writeLines(raw, {
      before: frame.before,
      between: frame.after + between + frame.before,
      after: frame.after + end,
    });
  }

  return (batch) => {
    const { raw, json } = batch;
    if (json !== undefined) return writeJson(json);
    if (raw?.bytes !== undefined) return rawBytes(raw);
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

/** The date as the first field, or none. */
function dateHead({ dateKey, dateFormat }: JsonBytesOptions): JsonHead {
  if (dateKey === undefined) {
    return {
      names: [],
      beforeNumber: Buffer.alloc(0),
      longest: () => 1,
      put(_sec, _nsec, out, at) {
        out[at] = OPEN_BRACE;
        return at + 1;
      },
    };
  }
  const putDate = jsonDateWriter(dateFormat);
  const dateName = Buffer.from(`{${JSON.stringify(dateKey)}:`);
  return {
    names: [dateKey],
    beforeNumber: dateFormat === "double" ? dateName : undefined,
    longest: () => dateName.length + LONGEST_DATE,
    put: (sec, nsec, out, at) => putDate(sec, nsec, out, putBytes(dateName, out, at)),
  };
}
