import { isUtf8 } from "node:buffer";

const TAB = 0x09;
const LF = 0x0a;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const HEX = Buffer.from("0123456789abcdef");

/** How a byte stands in a JSON string: for itself (0), behind a backslash (1), as `\u00..` (2), or in UTF-8 (3). */
const SHORT = 1;
const CONTROL = 2;
const MULTIBYTE = 3;
const KIND = new Uint8Array(256).fill(CONTROL, 0, 0x20).fill(MULTIBYTE, 0x80);
/** What is written, behind the backslash if there is one. */
const LETTER = Uint8Array.from({ length: 256 }, (_, byte) => byte);
for (const [byte, letter] of [[8, "b"], [9, "t"], [10, "n"], [12, "f"], [13, "r"]] as const) {
  KIND[byte] = SHORT;
  LETTER[byte] = letter.charCodeAt(0);
}
KIND[QUOTE] = SHORT;
KIND[BACKSLASH] = SHORT;

/** The most bytes that {@link writeJsonText} makes of one. */
export const LONGEST_ESCAPE = 6;

/**
 * Writes bytes as a JSON string, as JSON.stringify would write their text. What is not UTF-8 becomes U+FFFD.
 *
 * @param out has room for {@link LONGEST_ESCAPE} bytes a byte, and two quotes
 * @returns the position in `out` after what was written
 */
export function writeJsonText(
  source: Uint8Array,
  from: number,
  to: number,
  out: Uint8Array,
  at: number,
): number {
  const start = at;
  let isAscii = true;
  out[at++] = QUOTE;
  for (let i = from; i < to; i++) {
    const c = source[i]!;
    const kind = KIND[c]!;
    if (kind === CONTROL) {
      at = writeControl(c, out, at);
      continue;
    }
    if (kind === MULTIBYTE) {
      isAscii = false;
      out[at++] = c;
      continue;
    }
    // The backslash is always written, and overwritten where none belongs: cheaper than a branch.
    out[at] = BACKSLASH;
    at += kind;
    out[at++] = LETTER[c]!;
  }
  out[at++] = QUOTE;
  if (isAscii || isUtf8(source.subarray(from, to))) return at;
  const text = Buffer.from(source.buffer, source.byteOffset + from, to - from).toString("utf8");
  const mended = Buffer.from(JSON.stringify(text));
  out.set(mended, start);
  return start + mended.length;
}

/**
 * The same, but bytes that are no printable text become the list of their numbers, as in journalctl's JSON. Needs the
 * same room.
 */
export function writeTextOrNumbers(
  source: Uint8Array,
  from: number,
  to: number,
  out: Uint8Array,
  at: number,
): number {
  const start = at;
  let isAscii = true;
  out[at++] = QUOTE;
  for (let i = from; i < to; i++) {
    const c = source[i]!;
    if (c >= 0x7f) {
      if (c === 0x7f || c === 0xc2 && source[i + 1]! < 0xa0) {
        return writeNumbers(source, from, to, out, start);
      }
      isAscii = false;
      out[at++] = c;
      continue;
    }
    if (c < 0x20 && c !== TAB && c !== LF) return writeNumbers(source, from, to, out, start);
    out[at] = BACKSLASH;
    at += KIND[c]!;
    out[at++] = LETTER[c]!;
  }
  out[at++] = QUOTE;
  if (isAscii || isUtf8(source.subarray(from, to))) return at;
  return writeNumbers(source, from, to, out, start);
}

function writeNumbers(
  source: Uint8Array,
  from: number,
  to: number,
  out: Uint8Array,
  at: number,
): number {
  const numbers = Buffer.from(JSON.stringify([...source.subarray(from, to)]));
  out.set(numbers, at);
  return at + numbers.length;
}

/** UTF-8 without control characters, but for tabs and line feeds. */
export function isPrintable(source: Uint8Array, from: number, to: number): boolean {
  let isAscii = true;
  for (let i = from; i < to; i++) {
    const c = source[i]!;
    if (c < 0x20 && c !== TAB && c !== LF || c === 0x7f) return false;
    // U+0080 to U+009F are control characters too.
    if (c === 0xc2 && source[i + 1]! < 0xa0) return false;
    if (c >= 0x80) isAscii = false;
  }
  return isAscii || isUtf8(source.subarray(from, to));
}

function writeControl(c: number, out: Uint8Array, at: number): number {
  out[at] = BACKSLASH;
  out[at + 1] = 0x75;
  out[at + 2] = 0x30;
  out[at + 3] = 0x30;
  out[at + 4] = HEX[c >> 4]!;
  out[at + 5] = HEX[c & 15]!;
  return at + 6;
}
