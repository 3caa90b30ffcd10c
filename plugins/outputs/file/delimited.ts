import { type Body, formatValueText, type LogRecord, type Payload } from "logcollector/plugin";
import type { Delimiters } from "./delimiters.ts";
import { type RecordFormat, timeText } from "./record-format.ts";

/** A record as labels with their values, in Fluent Bit's notation: `"time":1.5	"key":"value"`. */
export function ltsvLine({ delimiter, label }: Delimiters): (record: LogRecord) => string {
  return ({ sec, nsec, body }) => {
    let text = "";
    for (const key in body) {
      text += `${delimiter}"${key}"${label}${formatValueText(body[key]!)}`;
    }
    return text === "" ? "" : `"time"${label}${(sec + nsec / 1e9).toFixed(6)}${text}\n`;
  };
}

/**
 * A record as its time and values. Whether a file still needs the line of column names is known only when
 * it is written, so each write of a payload carries that line in front, behind both lengths.
 */
export function csvFormat({ delimiter }: Delimiters, columnNames: boolean): RecordFormat {
  const rows = (records: readonly LogRecord[]): string => {
    let text = "";
    for (const record of records) text += csvLine(record, delimiter);
    return text;
  };
  if (!columnNames) {
    return {
      encode: (batch, into) => into.text(rows(batch.records), batch.length),
      finish: (payload) => payload.bytes,
    };
  }
  return {
    encode({ records }, into) {
      const first = records.find(({ body }) => !isEmpty(body));
      const names = Buffer.from(first === undefined ? "" : columnLine(first.body, delimiter));
      const lines = Buffer.from(rows(records));
      const lengths = Buffer.allocUnsafe(LENGTHS_BYTES);
      lengths.writeUInt32LE(names.length, 0);
      lengths.writeUInt32LE(lines.length, 4);
      into.bytes(Buffer.concat([lengths, names, lines]), records.length);
    },
    finish: withColumnLine,
  };
}

const LENGTHS_BYTES = 8;

function withColumnLine({ bytes }: Payload, fileIsEmpty: boolean): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts: Uint8Array[] = [];
  let needsNames = fileIsEmpty;
  for (let at = 0; at < bytes.length;) {
    const names = at + LENGTHS_BYTES;
    const lines = names + view.getUint32(at, true);
    const end = lines + view.getUint32(at + 4, true);
    if (needsNames && lines > names) {
      parts.push(bytes.subarray(names, lines));
      needsNames = false;
    }
    parts.push(bytes.subarray(lines, end));
    at = end;
  }
  return Buffer.concat(parts);
}

function csvLine(record: LogRecord, delimiter: string): string {
  let text = "";
  for (const key in record.body) text += delimiter + formatValueText(record.body[key]!);
  return text === "" ? "" : `${timeText(record)}${text}\n`;
}

function columnLine(body: Body, delimiter: string): string {
  return `timestamp${Object.keys(body).map((key) => `${delimiter}"${key}"`).join("")}\n`;
}

function isEmpty(body: Body): boolean {
  for (const _ in body) return false;
  return true;
}
