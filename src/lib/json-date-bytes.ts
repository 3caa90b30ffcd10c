import { jsonDate, type JsonDateFormat } from "./json-date.ts";

/** Writes the JSON value of a record's time as ASCII, and returns the position after it. */
export type JsonDateWriter = (sec: number, nsec: number, out: Uint8Array, at: number) => number;

/** The most bytes that a date takes. */
export const LONGEST_DATE = 64;

const QUOTE = 0x22;
const DOT = 0x2e;
const ZERO = 0x30;
/** Between 2004 and 2242 the shortest form of a double has just the decimals that it was made of. */
const MIN_EXACT_SEC = 2 ** 30;
const MAX_EXACT_SEC = 2 ** 33;

/** What {@link jsonDate} makes of a time, as bytes. */
export function jsonDateWriter(format: JsonDateFormat): JsonDateWriter {
  const dateOf = jsonDate(format);
  const general: JsonDateWriter = (sec, nsec, out, at) => putText(dateOf(sec, nsec), out, at);
  return format === "double" ? doubleWriter(general) : general;
}

function doubleWriter(general: JsonDateWriter): JsonDateWriter {
  // Records come in the order of their time, so nearly always the second is the same as before.
  let lastSec = NaN;
  let digits = "";
  return (sec, nsec, out, at) => {
    let micros = Math.round(nsec / 1000);
    if (micros >= 1e6 || !(sec >= MIN_EXACT_SEC && sec < MAX_EXACT_SEC)) {
      return general(sec, nsec, out, at);
    }
    if (sec !== lastSec) {
      lastSec = sec;
      digits = String(sec);
    }
    for (let k = 0; k < digits.length; k++) out[at++] = digits.charCodeAt(k);
    if (micros === 0) return at;
    let places = 6;
    while (micros % 10 === 0) {
      micros /= 10;
      places--;
    }
    out[at] = DOT;
    for (let k = places; k > 0; k--) {
      const rest = Math.floor(micros / 10);
      out[at + k] = ZERO + micros - rest * 10;
      micros = rest;
    }
    return at + places + 1;
  };
}

function putText(date: number | string, out: Uint8Array, at: number): number {
  const text = String(date);
  const isText = typeof date === "string";
  if (isText) out[at++] = QUOTE;
  for (let k = 0; k < text.length; k++) out[at++] = text.charCodeAt(k);
  if (isText) out[at++] = QUOTE;
  return at;
}
