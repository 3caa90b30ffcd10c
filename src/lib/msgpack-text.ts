import type { Fields, Value } from "./record-accessor.ts";

/** What of a record is written; the SDK's `LogRecord` is one. */
export interface TextRecord {
  readonly sec: number;
  readonly nsec: number;
  readonly body: Fields;
  readonly metadata?: Fields | undefined;
}

/**
 * A record as Fluent Bit's stdout output prints it: `[0] tag: [[sec.nsec, {meta}], {"key"=>"value"}]`. Its
 * stdout filter prints `[0] tag: [sec.nsec, {meta}, {"key"=>"value"}]`: ask for the `flat` form. Without the
 * line's newline.
 */
export function formatRecordText(
  index: number,
  tag: string,
  record: TextRecord,
  form: "nested" | "flat" = "nested",
): string {
  const time = `${record.sec}.${String(record.nsec).padStart(9, "0")}`;
  const metadata = record.metadata === undefined ? "{}" : mapText(record.metadata);
  const body = mapText(record.body);
  return form === "nested"
    ? `[${index}] ${tag}: [[${time}, ${metadata}], ${body}]`
    : `[${index}] ${tag}: [${time}, ${metadata}, ${body}]`;
}

/** A value in the notation of the msgpack library's own printer. Text is not escaped. */
export function formatValueText(value: Value): string {
  switch (typeof value) {
    case "string":
      return `"${value}"`;
    case "number":
      // Integers that a double cannot count are bigint, so a larger number was written as a float.
      return Number.isSafeInteger(value) ? String(value) : floatText(value);
    case "object":
      if (value === null) return "nil";
      if (Array.isArray(value)) return `[${value.map(formatValueText).join(", ")}]`;
      return value instanceof Uint8Array ? `"${bytesText(value)}"` : mapText(value);
    default:
      return String(value);
  }
}

function mapText(fields: Fields): string {
  let text = "";
  for (const key in fields) {
    text += `${text === "" ? "" : ", "}"${key}"=>${formatValueText(fields[key]!)}`;
  }
  return `{${text}}`;
}

function floatText(value: number): string {
  // From 1e21 on toFixed falls back to an exponent, which C never prints.
  if (Math.abs(value) >= 1e21 && Number.isFinite(value)) return `${BigInt(value)}.000000`;
  if (Number.isFinite(value)) return value.toFixed(6);
  return Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
}

function bytesText(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) {
    if (byte === 0x22) text += '\\"';
    else if (byte >= 0x20 && byte < 0x7f) text += String.fromCharCode(byte);
    else text += `\\x${byte.toString(16).padStart(2, "0")}`;
  }
  return text;
}
