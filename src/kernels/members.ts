// Takes objects apart into members. For JSON that is as JSON.stringify writes it: nothing is checked here.

const QUOTE: u8 = 0x22;
const COMMA: u8 = 0x2c;
const BACKSLASH: u8 = 0x5c;
const OPEN_BRACKET: u8 = 0x5b;
const CLOSE_BRACKET: u8 = 0x5d;
const OPEN_BRACE: u8 = 0x7b;
const CLOSE_BRACE: u8 = 0x7d;

/** Members of an object that is taken apart. */
export const MAX_MEMBERS: i32 = 256;
/** Of a member: where its key is with its quotes, how long that is, where its value is, and how long that is. */
export const MEMBER_BYTES: i32 = 16;

/** Set where {@link endOfString} has come by a backslash, to be reset by whoever wants to know. */
export let hasEscapes: bool = false;

export function forgetEscapes(): void {
  hasEscapes = false;
}

/** Position behind the quote that ends the string. */
export function endOfString(from: usize): usize {
  const quotes = i8x16.splat(QUOTE);
  const backslashes = i8x16.splat(BACKSLASH);
  let i = from + 1;
  while (true) {
    const bytes = v128.load(i);
    const ends = i8x16.bitmask(v128.or(i8x16.eq(bytes, quotes), i8x16.eq(bytes, backslashes)));
    if (ends === 0) {
      i += 16;
      continue;
    }
    i += ctz(ends);
    if (load<u8>(i) === QUOTE) return i + 1;
    hasEscapes = true;
    i += 2;
  }
}

export function endOfValue(from: usize): usize {
  const c = load<u8>(from);
  if (c === QUOTE) return endOfString(from);
  if (c === OPEN_BRACE || c === OPEN_BRACKET) return endOfNested(from);
  let i = from + 1;
  while (true) {
    const next = load<u8>(i);
    if (next === COMMA || next === CLOSE_BRACE || next === CLOSE_BRACKET) return i;
    i++;
  }
}

/** Of an object or an array. */
function endOfNested(from: usize): usize {
  const quotes = i8x16.splat(QUOTE);
  const small = i8x16.splat(0x20);
  const opens = i8x16.splat(OPEN_BRACE);
  const closes = i8x16.splat(CLOSE_BRACE);
  let depth = 1;
  let i = from + 1;
  while (true) {
    const bytes = v128.load(i);
    // Brackets differ from braces in that bit alone.
    const braces = v128.or(bytes, small);
    const found = i8x16.bitmask(
      v128.or(
        i8x16.eq(bytes, quotes),
        v128.or(i8x16.eq(braces, opens), i8x16.eq(braces, closes)),
      ),
    );
    if (found === 0) {
      i += 16;
      continue;
    }
    i += ctz(found);
    const c = load<u8>(i);
    if (c === QUOTE) i = endOfString(i);
    else {
      i++;
      if ((c | 0x20) === OPEN_BRACE) depth++;
      else if (--depth === 0) return i;
    }
  }
}

/**
 * Notes the members of an object at the end of a list.
 *
 * @param cutFrom what lies from here to `cutTo` is no part of the object: a member with a comma
 * @returns how many members the list has then; -1 when there are too many, or when the order of keys may not be that in
 *   which they stand
 */
export function readMembers(
  from: usize,
  cutFrom: usize,
  cutTo: usize,
  list: usize,
  count: i32,
): i32 {
  let i = from + 1;
  if (i === cutFrom) i = cutTo;
  let entry = list + count * MEMBER_BYTES;
  while (load<u8>(i) !== CLOSE_BRACE) {
    if (count === MAX_MEMBERS || isOddKey(i)) return -1;
    const keyEnd = endOfString(i);
    const valueEnd = endOfValue(keyEnd + 1);
    noteMember(entry, i, <i32> (keyEnd - i), keyEnd + 1, <i32> (valueEnd - keyEnd - 1));
    entry += MEMBER_BYTES;
    count++;
    i = nextMember(valueEnd, cutFrom, cutTo);
  }
  return count;
}

/** Where the key behind a value is, or the end of the object. What lies from `cutFrom` to `cutTo` is not there. */
export function nextMember(valueEnd: usize, cutFrom: usize, cutTo: usize): usize {
  let i = valueEnd === cutFrom ? cutTo : valueEnd;
  if (load<u8>(i) !== COMMA) return i;
  i++;
  return i === cutFrom ? cutTo : i;
}

/** One that would not stay where it is in a JavaScript object. */
export function isOddKey(key: usize): bool {
  return <u8> (load<u8>(key, 1) - 0x30) < 10;
}

export function noteMember(
  entry: usize,
  key: usize,
  keyLength: i32,
  value: usize,
  valueLength: i32,
): void {
  store<u32>(entry, <u32> key);
  store<i32>(entry, keyLength, 4);
  store<u32>(entry, <u32> value, 8);
  store<i32>(entry, valueLength, 12);
}

/** The number of the member with this key, or -1. */
export function indexOfMember(list: usize, count: i32, key: usize, length: i32): i32 {
  for (let k = 0; k < count; k++) {
    const entry = list + k * MEMBER_BYTES;
    if (load<i32>(entry, 4) === length && isSame(load<u32>(entry), key, length)) return k;
  }
  return -1;
}

/** Behind {@link findMember}: where the value ends. */
export let foundTo: usize = 0;

/** Where the value of a member is, or 0. */
export function findMember(
  from: usize,
  cutFrom: usize,
  cutTo: usize,
  key: usize,
  length: i32,
): usize {
  let i = from + 1;
  if (i === cutFrom) i = cutTo;
  while (load<u8>(i) !== CLOSE_BRACE) {
    const keyEnd = endOfString(i);
    const value = keyEnd + 1;
    if (<i32> (keyEnd - i) === length && isSame(i, key, length)) {
      hasEscapes = false;
      foundTo = endOfValue(value);
      return value;
    }
    i = nextMember(endOfValue(value), cutFrom, cutTo);
  }
  return 0;
}

/** Whether so many bytes are the same. Up to fifteen behind them are read. */
export function isSame(a: usize, b: usize, length: i32): bool {
  let left = length;
  while (true) {
    const differ = ~i8x16.bitmask(i8x16.eq(v128.load(a), v128.load(b))) & 0xffff;
    if (left <= 16) return differ === 0 || ctz(differ) >= left;
    if (differ !== 0) return false;
    a += 16;
    b += 16;
    left -= 16;
  }
}
