import { copyBytes } from "./copy";

const LF: u8 = 0x0a;
const QUOTE: u8 = 0x22;
const BACKSLASH: u8 = 0x5c;

/** For each set of bytes out of eight that a backslash goes before: where the sixteen bytes come from. */
const SPREAD: usize = memory.data(256 * 16);
/** Behind a backslash: the letter of a control character that has one, otherwise 0. */
const LETTERS: usize = memory.data(32);

for (let set = 0; set < 256; set++) {
  let at = SPREAD + (set << 4);
  const end = at + 16;
  for (let bit = 0; bit < 8; bit++) {
    // The upper half of the vector is all backslashes.
    if ((set & (1 << bit)) !== 0) store<u8>(at++, 8);
    store<u8>(at++, <u8> bit);
  }
  while (at < end) store<u8>(at++, 0);
}
store<u8>(LETTERS + 8, 0x62);
store<u8>(LETTERS + 9, 0x74);
store<u8>(LETTERS + 12, 0x66);
store<u8>(LETTERS + 13, 0x72);

/** Where {@link escapeLine} came to an end in what it read. */
export let lineEnd: usize = 0;

/**
 * Writes what comes before the next line feed, or before `to`, as it stands inside a JSON string. Up to eight bytes
 * behind `to` are read, and up to sixteen behind the result written. Returns the position behind what was written.
 */
export function escapeLine(from: usize, to: usize, at: usize): usize {
  const quotes = i8x16.splat(QUOTE);
  const backslashes = i8x16.splat(BACKSLASH);
  const spaces = i8x16.splat(0x20);
  const behind = i64x2(0, 0x5c5c_5c5c_5c5c_5c5c);
  let i = from;
  while (i < to) {
    const bytes = v128.load64_zero(i);
    const left = to - i;
    let escapes = i8x16.bitmask(
      v128.or(i8x16.eq(bytes, quotes), i8x16.eq(bytes, backslashes)),
    );
    let controls = i8x16.bitmask(i8x16.lt_u(bytes, spaces)) & 0xff;
    // What lies behind the end ends the text as a control character does.
    if (left < 8) controls |= 1 << <i32> left;
    let length: i32 = 8;
    if (controls !== 0) {
      length = ctz(controls);
      escapes &= (1 << length) - 1;
    }
    v128.store(
      at,
      i8x16.swizzle(v128.or(bytes, behind), v128.load(SPREAD + (<usize> escapes << 4))),
    );
    at += length + popcnt(escapes);
    i += length;
    if (controls === 0) continue;
    if (i >= to) break;
    const control = load<u8>(i);
    if (control === LF) break;
    at = writeControl(control, at);
    i++;
  }
  lineEnd = i;
  return at;
}

/** Writes lines as JSON strings, with a text between two. See {@link escapeLine} for what lies behind. */
export function quoteLines(
  from: usize,
  to: usize,
  between: usize,
  betweenLength: i32,
  at: usize,
): usize {
  store<u8>(at, QUOTE);
  at = escapeLine(from, to, at + 1);
  while (lineEnd < to) {
    store<u8>(at, QUOTE);
    at = copyBytes(between, betweenLength, at + 1);
    store<u8>(at, QUOTE);
    at = escapeLine(lineEnd + 1, to, at + 1);
  }
  store<u8>(at, QUOTE);
  return at + 1;
}

function writeControl(control: u8, at: usize): usize {
  const letter = load<u8>(LETTERS + control);
  store<u8>(at, BACKSLASH);
  if (letter !== 0) {
    store<u8>(at, letter, 1);
    return at + 2;
  }
  // `u00`
  store<u32>(at, 0x0030_3075, 1);
  store<u8>(at, 0x30 + (control >> 4), 4);
  const low = control & 15;
  store<u8>(at, low < 10 ? 0x30 + low : 0x57 + low, 5);
  return at + 6;
}
