// Writes msgpack values, of JSON that is as JSON.stringify writes it.

import { copyBytes } from "./copy";
import { endOfString, forgetEscapes, hasEscapes, nextMember } from "./members";

const QUOTE: u8 = 0x22;
const COMMA: u8 = 0x2c;
const MINUS: u8 = 0x2d;
const DOT: u8 = 0x2e;
const ZERO: u8 = 0x30;
const OPEN_BRACKET: u8 = 0x5b;
const BACKSLASH: u8 = 0x5c;
const CLOSE_BRACKET: u8 = 0x5d;
const LOWER_B: u8 = 0x62;
const LOWER_E: u8 = 0x65;
const LOWER_F: u8 = 0x66;
const LOWER_N: u8 = 0x6e;
const LOWER_R: u8 = 0x72;
const LOWER_T: u8 = 0x74;
const LOWER_U: u8 = 0x75;
const OPEN_BRACE: u8 = 0x7b;
const CLOSE_BRACE: u8 = 0x7d;

/** So many digits always survive the way through a double. */
const MAX_DIGITS: i32 = 15;
const MAX_DECIMALS: i32 = 6;
const MAX_DEPTH: i32 = 32;
/** Of the head of a text, in bytes. */
const LONGEST_HEAD: i32 = 5;

/** Where the last value was written to; 0 when it takes another way of writing. */
export let packedTo: usize = 0;

/**
 * Writes an object as a map.
 *
 * @param cutFrom what lies from here to `cutTo` is no part of it
 * @param tail members that come behind its own, in msgpack
 * @returns position behind the object; look at {@link packedTo}
 */
export function packObject(
  from: usize,
  cutFrom: usize,
  cutTo: usize,
  at: usize,
  tail: usize,
  tailLength: i32,
  tailCount: i32,
  depth: i32,
): usize {
  if (depth > MAX_DEPTH) return giveUp();
  const head = at++;
  let count = 0;
  let i = from + 1;
  if (i === cutFrom) i = cutTo;
  while (load<u8>(i) !== CLOSE_BRACE) {
    i = packText(i, at);
    if (packedTo === 0) return 0;
    i = packValue(i + 1, packedTo, depth);
    if (packedTo === 0) return 0;
    at = packedTo;
    count++;
    i = nextMember(i, cutFrom, cutTo);
  }
  at = copyBytes(tail, tailLength, at);
  packedTo = closeList(head, at, count + tailCount, 0x80, 0xde);
  return i + 1;
}

function packValue(from: usize, at: usize, depth: i32): usize {
  switch (load<u8>(from)) {
    case QUOTE:
      return packText(from, at);
    case OPEN_BRACE:
      return packObject(from, 0, 0, at, 0, 0, 0, depth + 1);
    case OPEN_BRACKET:
      return packArray(from, at, depth + 1);
    case LOWER_T:
      return packWord(0xc3, from + 4, at);
    case LOWER_F:
      return packWord(0xc2, from + 5, at);
    case LOWER_N:
      return packWord(0xc0, from + 4, at);
    default:
      return packNumber(from, at);
  }
}

function packArray(from: usize, at: usize, depth: i32): usize {
  if (depth > MAX_DEPTH) return giveUp();
  const head = at++;
  let count = 0;
  let i = from + 1;
  while (load<u8>(i) !== CLOSE_BRACKET) {
    i = packValue(i, at, depth);
    if (packedTo === 0) return 0;
    at = packedTo;
    count++;
    if (load<u8>(i) === COMMA) i++;
  }
  packedTo = closeList(head, at, count, 0x90, 0xdc);
  return i + 1;
}

function packWord(byte: u8, end: usize, at: usize): usize {
  store<u8>(at, byte);
  packedTo = at + 1;
  return end;
}

function giveUp(): usize {
  packedTo = 0;
  return 0;
}

/** Puts the number of items into a list whose head has one byte. Returns the position behind the list. */
function closeList(head: usize, at: usize, count: i32, short: u8, long: u8): usize {
  if (count < 16) {
    store<u8>(head, short | <u8> count);
    return at;
  }
  const more: usize = count < 0x10000 ? 2 : 4;
  memory.copy(head + 1 + more, head + 1, at - head - 1);
  if (more === 2) {
    store<u8>(head, long);
    store<u16>(head, bswap<u16>(<u16> count), 1);
  } else {
    store<u8>(head, long + 1);
    store<u32>(head, bswap<u32>(<u32> count), 1);
  }
  return at + more;
}

/** Writes the head of a text of so many bytes, and returns the position behind it. */
export function packTextHead(length: i32, at: usize): usize {
  if (length < 32) {
    store<u8>(at, 0xa0 | <u8> length);
    return at + 1;
  }
  if (length < 0x100) {
    store<u8>(at, 0xd9);
    store<u8>(at, <u8> length, 1);
    return at + 2;
  }
  if (length < 0x10000) {
    store<u8>(at, 0xda);
    store<u16>(at, bswap<u16>(<u16> length), 1);
    return at + 3;
  }
  store<u8>(at, 0xdb);
  store<u32>(at, bswap<u32>(<u32> length), 1);
  return at + LONGEST_HEAD;
}

/** Of a JSON string. */
function packText(from: usize, at: usize): usize {
  forgetEscapes();
  const end = endOfString(from);
  if (hasEscapes) {
    packEscaped(from + 1, end - 1, at);
    return end;
  }
  const length = <i32> (end - from) - 2;
  packedTo = copyBytes(from + 1, length, packTextHead(length, at));
  return end;
}

/** How long the text is comes out behind it, so it is moved to its head then. */
function packEscaped(from: usize, to: usize, at: usize): void {
  const text = at + LONGEST_HEAD;
  let end = text;
  for (let i = from; i < to;) {
    const c = load<u8>(i);
    if (c !== BACKSLASH) {
      store<u8>(end++, c);
      i++;
      continue;
    }
    const letter = load<u8>(i + 1);
    if (letter !== LOWER_U) {
      store<u8>(end++, unescaped(letter));
      i += 2;
      continue;
    }
    const code = (hex(load<u8>(i + 2)) << 12) | (hex(load<u8>(i + 3)) << 8) |
      (hex(load<u8>(i + 4)) << 4) | hex(load<u8>(i + 5));
    // Half a pair of UTF-16, which is no character.
    if (code >= 0x80) {
      packedTo = 0;
      return;
    }
    store<u8>(end++, <u8> code);
    i += 6;
  }
  const length = end - text;
  const start = packTextHead(<i32> length, at);
  memory.copy(start, text, length);
  packedTo = start + length;
}

function unescaped(letter: u8): u8 {
  switch (letter) {
    case LOWER_B:
      return 8;
    case LOWER_T:
      return 9;
    case LOWER_N:
      return 10;
    case LOWER_F:
      return 12;
    case LOWER_R:
      return 13;
    default:
      return letter;
  }
}

function hex(digit: u8): i32 {
  const value = <i32> digit - 0x30;
  return value < 10 ? value : (<i32> (digit | 0x20)) - 0x57;
}

function packNumber(from: usize, at: usize): usize {
  const isNegative = load<u8>(from) === MINUS;
  let i = isNegative ? from + 1 : from;
  let digits: i64 = 0;
  let count = 0;
  let point: usize = 0;
  let c = load<u8>(i);
  while (true) {
    if (<u8> (c - ZERO) < 10) {
      digits = digits * 10 + (c - ZERO);
      count++;
    } else if (c === DOT) point = i + 1;
    else break;
    c = load<u8>(++i);
  }
  const decimals = point === 0 ? 0 : <i32> (i - point);
  if ((c | 0x20) === LOWER_E || count > MAX_DIGITS || decimals > MAX_DECIMALS) return giveUp();
  if (decimals === 0 && point === 0) {
    if (isNegative && digits === 0) return giveUp();
    packedTo = packInteger(isNegative ? -digits : digits, at);
    return i;
  }
  let power: f64 = 1;
  for (let k = 0; k < decimals; k++) power *= 10;
  const value = <f64> (isNegative ? -digits : digits) / power;
  if (floor(value) === value) return giveUp();
  store<u8>(at, 0xcb);
  store<u64>(at, bswap<u64>(reinterpret<u64>(value)), 1);
  packedTo = at + 9;
  return i;
}

/** In its shortest form. */
function packInteger(value: i64, at: usize): usize {
  if (value >= -32 && value < 0x80) {
    store<u8>(at, <u8> value);
    return at + 1;
  }
  const isNegative = value < 0;
  // One bit of a negative one is its sign.
  const size: u64 = <u64> (isNegative ? ~value << 1 : value);
  if (size < 0x100) {
    store<u8>(at, isNegative ? 0xd0 : 0xcc);
    store<u8>(at, <u8> value, 1);
    return at + 2;
  }
  if (size < 0x10000) {
    store<u8>(at, isNegative ? 0xd1 : 0xcd);
    store<u16>(at, bswap<u16>(<u16> value), 1);
    return at + 3;
  }
  if (size < 0x1_0000_0000) {
    store<u8>(at, isNegative ? 0xd2 : 0xce);
    store<u32>(at, bswap<u32>(<u32> value), 1);
    return at + 5;
  }
  store<u8>(at, isNegative ? 0xd3 : 0xcf);
  store<u64>(at, bswap<u64>(<u64> value), 1);
  return at + 9;
}
