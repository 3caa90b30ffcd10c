const LF = 0x0a;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const HEX = Buffer.from("0123456789abcdef");

/** How a byte stands in a JSON string: for itself (0), behind a backslash (1), or in some longer way. */
const SHORT = 1;
const LONG = 2;
const KIND = new Uint8Array(256).fill(LONG, 0, 0x20);
/** The byte that is written, behind the backslash if there is one. */
const LETTER = Uint8Array.from({ length: 256 }, (_, byte) => byte);
for (const [byte, letter] of [[8, "b"], [9, "t"], [12, "f"], [13, "r"]] as const) {
  KIND[byte] = SHORT;
  LETTER[byte] = letter.charCodeAt(0);
}
KIND[QUOTE] = SHORT;
KIND[BACKSLASH] = SHORT;

/** The most bytes that a byte of text takes inside a JSON string: `\u001f`. */
export const LONGEST_ESCAPE = 6;

/**
 * Writes lines, with a line feed between two, as JSON strings: what JSON.stringify makes of each of them,
 * without making text of them first.
 *
 * @param from the first byte of valid UTF-8 in `source`
 * @param to the position after the last line, without its line feed
 * @param between what comes between the closing quote of a line and the opening quote of the next
 * @param out has room for LONGEST_ESCAPE bytes a byte, and for the quotes and `between` of every line
 * @returns the position in `out` after what was written
 */
export function writeQuotedLines(
  source: Uint8Array,
  from: number,
  to: number,
  between: Uint8Array,
  out: Uint8Array,
  at: number,
): number {
  out[at++] = QUOTE;
  for (let i = from; i < to; i++) {
    const c = source[i]!;
    const kind = KIND[c]!;
    if (kind !== LONG) {
      // Logs are full of quotes, and no processor guesses where: the backslash is always written, and
      // overwritten where none belongs.
      out[at] = BACKSLASH;
      at += kind;
      out[at++] = LETTER[c]!;
    } else if (c === LF) {
      out[at++] = QUOTE;
      for (let k = 0; k < between.length; k++) out[at++] = between[k]!;
      out[at++] = QUOTE;
    } else {
      at = writeControl(c, out, at);
    }
  }
  out[at++] = QUOTE;
  return at;
}

/** Where {@link writeEscapedLine} reads and writes. */
export interface EscapeCursor {
  from: number;
  at: number;
}

/**
 * Writes what comes before the next line feed as it stands inside a JSON string, without the quotes. The
 * cursor moves to that line feed and to the end of what was written.
 */
export function writeEscapedLine(source: Uint8Array, cursor: EscapeCursor, out: Uint8Array): void {
  let { from: i, at } = cursor;
  for (;; i++) {
    const c = source[i]!;
    const kind = KIND[c]!;
    if (kind !== LONG) {
      out[at] = BACKSLASH;
      at += kind;
      out[at++] = LETTER[c]!;
    } else if (c === LF) {
      break;
    } else {
      at = writeControl(c, out, at);
    }
  }
  cursor.from = i;
  cursor.at = at;
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
