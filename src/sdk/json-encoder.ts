import { jsonDate, type JsonDateFormat } from "../lib/json-date.ts";
import { stringifyJson, stringifyJsonLines } from "../lib/json-text.ts";
import { quoteLines } from "../lib/quoted-lines.ts";
import type { Batch } from "./batch.ts";
import * as field from "./fields.ts";
import { jsonBytesWriter, rawFrame } from "./json-bytes-writer.ts";
import type { Framing, PayloadWriter } from "./payload.ts";
import type { RawLines } from "./raw-lines.ts";
import type { Body, LogRecord } from "./record.ts";

/** `json` is an array, `json_lines` ends each record with a newline, `json_stream` puts nothing between them. */
export type JsonFormat = "json" | "json_lines" | "json_stream";

/** Options of {@link jsonEncoder}. */
export interface JsonEncoderOptions {
  readonly format: JsonFormat;
  /** The field that gets the record's time, in front of the others; none when false. */
  readonly dateKey?: string | false;
  readonly dateFormat?: JsonDateFormat;
  /** Writes a record's metadata under `__internal__`, as Fluent Bit has it. Default true. */
  readonly metadata?: boolean;
}

/** Writes batches as JSON in one of the common formats. */
export interface JsonEncoder {
  /** What the output must declare as its framing. */
  readonly framing: Framing;
  /** Writes a whole batch. Lines that nobody looked into go from bytes to bytes. */
  encode(batch: Batch, into: Pick<PayloadWriter, "text" | "bytes">): void;
}

const BETWEEN: Readonly<Record<JsonFormat, string>> = {
  json: ",",
  json_lines: "\n",
  json_stream: "",
};

/** Compiles a JSON encoder: see {@link JsonFormat}. */
export function jsonEncoder(options: JsonEncoderOptions): JsonEncoder {
  const { format, metadata = true } = options;
  const dateKey = options.dateKey || undefined;
  const dateFormat = options.dateFormat ?? "double";
  const dateOf = jsonDate(dateFormat);
  const between = BETWEEN[format];
  const end = format === "json_lines" ? "\n" : "";
  const fromBytes = jsonBytesWriter({ between, end, dateKey, dateFormat });

  const valueOf = (record: LogRecord): Body => dated(record, dateKey, dateOf, metadata);
  const ofRecords = (records: readonly LogRecord[]): string => {
    if (format === "json") return stringifyJson(records.map(valueOf)).slice(1, -1);
    const text = stringifyJsonLines(records, valueOf);
    return format === "json_lines" ? `${text}\n` : text.replaceAll("\n", "");
  };
  return {
    framing: format === "json" ? { prefix: "[", separator: ",", suffix: "]" } : {},
    encode(batch, into) {
      if (batch.length === 0) return;
      const bytes = fromBytes(batch);
      if (bytes !== undefined) return into.bytes(bytes, batch.length);
      const text = batch.raw && linesText(batch.raw);
      into.text(text ?? ofRecords(batch.records), batch.length);
    },
  };

  function linesText(raw: RawLines): string | undefined {
    const frame = rawFrame(raw, dateKey, dateOf);
    if (frame === undefined) return undefined;
    const lines = quoteLines(raw, frame.after + between + frame.before);
    return frame.before + lines + frame.after + end;
  }
}

/** The body with the time in front and, as Fluent Bit has it, the metadata under `__internal__`. */
function dated(
  { sec, nsec, body, metadata }: LogRecord,
  dateKey: string | undefined,
  dateOf: (sec: number, nsec: number) => number | string,
  withMetadata: boolean,
): Body {
  if (withMetadata && metadata !== undefined && Object.keys(metadata).length > 0) {
    const internal = { __internal__: { log_metadata: metadata } };
    if (dateKey === undefined) return { ...internal, ...body };
    return { [dateKey]: dateOf(sec, nsec), ...internal, ...body };
  }
  return dateKey === undefined ? body : { [dateKey]: dateOf(sec, nsec), ...body };
}

/** The options `json_date_key` and `json_date_format`, for outputs that write JSON. */
export const jsonDateFields = {
  json_date_key: field.custom<string | false>("string | off", (text) => isOff(text) ? false : text)
    .default("date")
    .describe("Field that gets the record's time, in front of the others. off leaves it out."),
  json_date_format: field.custom<JsonDateFormat>(
    "double | epoch | epoch_ms | iso8601 | java_sql_timestamp",
    parseDateFormat,
  ).default("double").describe(
    "How the time is written: seconds with a fraction, whole seconds, milliseconds, or as text in UTC.",
  ),
};

function isOff(text: string): boolean {
  return /^(false|off|no)$/i.test(text);
}

const DATE_FORMATS: ReadonlyMap<string, JsonDateFormat> = new Map([
  ["double", "double"],
  ["epoch", "epoch"],
  ["epoch_ms", "epoch_ms"],
  ["epoch_millis", "epoch_ms"],
  ["epoch_milliseconds", "epoch_ms"],
  ["iso8601", "iso8601"],
  ["java_sql_timestamp", "java_sql_timestamp"],
]);

function parseDateFormat(text: string): JsonDateFormat {
  const found = DATE_FORMATS.get(text.toLowerCase());
  if (found === undefined) {
    throw new RangeError(
      `expected double, epoch, epoch_ms, iso8601 or java_sql_timestamp, got ${
        JSON.stringify(text)
      }`,
    );
  }
  return found;
}
