// Looks at JSON as bytes, without making values of it. What it accepts is exactly what JSON.stringify would write again
// for the value: no spaces, the shortest escapes, numbers in their shortest form, no key twice. The same in TypeScript,
// for blocks that do not fit in here: src/lib/json-scan.ts.

const QUOTE: u8 = 0x22;
const COMMA: u8 = 0x2c;
const MINUS: u8 = 0x2d;
const DOT: u8 = 0x2e;
const ZERO: u8 = 0x30;
const COLON: u8 = 0x3a;
const OPEN_BRACKET: u8 = 0x5b;
const BACKSLASH: u8 = 0x5c;
const CLOSE_BRACKET: u8 = 0x5d;
const LOWER_E: u8 = 0x65;
const OPEN_BRACE: u8 = 0x7b;
const CLOSE_BRACE: u8 = 0x7d;

/** Nested deeper than this is left to the parser. */
const MAX_DEPTH: i32 = 16;
/** Members of the objects that are open at once. */
const MAX_KEYS: i32 = 256;
/** So many digits always survive the way through a double. */
const MAX_DIGITS: i32 = 15;

/** Returned in place of a position: the text is not in the plain form. */
export const ODD: usize = 0;

/** Of the keys of all objects that are open: what tells most of them apart, and where they are. */
const PRINTS: usize = memory.data(MAX_KEYS * 4);
const STARTS: usize = memory.data(MAX_KEYS * 4);
/** The letters behind a backslash that JSON.stringify writes: `"`, `\`, b, f, n, r, t. */
const SHORT_ESCAPES: usize = memory.data(256);
for (let i = 0; i < 7; i++) {
  const letters: u64 = 0x0074_726e_6662_5c22;
  store<u8>(SHORT_ESCAPES + <usize> ((letters >> (i << 3)) & 0xff), 1);
}

let end: usize = 0;
let openKeys: i32 = 0;
let seen: i32 = 0;
let wanted: usize = 0;
let wantedLength: i32 = -1;

/** After a scan: where the wanted member's key and its value are, when it is there; 0 otherwise. */
export let memberFrom: usize = 0;
export let valueFrom: usize = 0;
export let valueTo: usize = 0;

/** The key of the member to note; none with a length of -1. */
export function wantMember(name: usize, length: i32): void {
  wanted = name;
  wantedLength = length;
}

/** Position behind the object, or {@link ODD} when it is not in the plain form or does not end before `to`. */
export function scanObject(from: usize, to: usize): usize {
  memberFrom = 0;
  valueFrom = 0;
  valueTo = 0;
  openKeys = 0;
  seen = 0;
  end = to;
  if (from >= to || load<u8>(from) !== OPEN_BRACE) return ODD;
  return object(from, 0);
}

function object(from: usize, depth: i32): usize {
  let i = from + 1;
  if (load<u8>(i) === CLOSE_BRACE) return i < end ? i + 1 : ODD;
  const firstKey = openKeys;
  while (true) {
    const keyFrom = i;
    i = key(i, firstKey);
    if (i === ODD || load<u8>(i) !== COLON) return ODD;
    const at = i + 1;
    i = value(at, depth);
    if (i === ODD) return ODD;
    if (depth === 0 && isWanted(keyFrom, at)) {
      if (!isPlainText(at, i)) return ODD;
      memberFrom = keyFrom;
      valueFrom = at;
      valueTo = i;
    }
    if (i >= end) return ODD;
    const c = load<u8>(i);
    i++;
    if (c === COMMA) continue;
    if (c !== CLOSE_BRACE) return ODD;
    openKeys = firstKey;
    return i;
  }
}

function isWanted(keyFrom: usize, at: usize): bool {
  // `"key":` has three characters more than the key.
  return <i32> (at - keyFrom) === wantedLength + 3 && isSame(keyFrom + 1, wanted, wantedLength);
}

/** A string of ASCII without escapes. */
function isPlainText(from: usize, to: usize): bool {
  if (load<u8>(from) !== QUOTE) return false;
  for (let i = from + 1; i < to - 1; i++) {
    const c = load<u8>(i);
    if (c === BACKSLASH || c >= 0x80) return false;
  }
  return true;
}

/** Where the next quote, backslash or control character is. */
function endOfRun(i: usize): usize {
  const quotes = i8x16.splat(QUOTE);
  const backslashes = i8x16.splat(BACKSLASH);
  const spaces = i8x16.splat(0x20);
  while (true) {
    const bytes = v128.load(i);
    const ends = i8x16.bitmask(
      v128.or(
        v128.or(i8x16.eq(bytes, quotes), i8x16.eq(bytes, backslashes)),
        i8x16.lt_u(bytes, spaces),
      ),
    );
    if (ends !== 0) return i + ctz(ends);
    i += 16;
  }
}

/** A key without escapes that no other member of its object has, and that stays in its place. */
function key(from: usize, firstKey: i32): usize {
  if (load<u8>(from) !== QUOTE) return ODD;
  const first = load<u8>(from + 1);
  // Keys that look like numbers are moved to the front of a JavaScript object.
  if (isDigit(first)) return ODD;
  const i = endOfRun(from + 1);
  if (load<u8>(i) !== QUOTE || i >= end) return ODD;
  const length = <i32> (i - from);
  // `__proto__`
  if (
    length === 10 && load<u64>(from + 1) === 0x5f6f_746f_7270_5f5f && load<u8>(from + 9) === 0x5f
  ) {
    return ODD;
  }
  const last = <i32> load<u8>(i - 1);
  // Two keys with the same ends and the same length may be the same key; the bytes in between decide.
  const print = (length << 16) | (<i32> first << 8) | last;
  const bit = 1 << ((length * 7 + <i32> first * 3 + last) & 31);
  if ((seen & bit) !== 0) {
    for (let k = firstKey; k < openKeys; k++) {
      if (load<i32>(PRINTS + (<usize> k << 2)) !== print) continue;
      if (isSame(load<u32>(STARTS + (<usize> k << 2)), from, length)) return ODD;
    }
  }
  seen |= bit;
  if (openKeys === MAX_KEYS) return ODD;
  store<i32>(PRINTS + (<usize> openKeys << 2), print);
  store<u32>(STARTS + (<usize> openKeys << 2), <u32> from);
  openKeys++;
  return i + 1;
}

function value(from: usize, depth: i32): usize {
  const c = load<u8>(from);
  if (c === QUOTE) return string(from);
  if (c === MINUS || isDigit(c)) return number(from);
  if (c === OPEN_BRACE) return depth >= MAX_DEPTH ? ODD : object(from, depth + 1);
  if (c === OPEN_BRACKET) return depth >= MAX_DEPTH ? ODD : array(from, depth + 1);
  const word = load<u32>(from);
  let to = ODD;
  // `true`, `null`, `fals` and `e`
  if (word === 0x6575_7274 || word === 0x6c6c_756e) to = from + 4;
  else if (word === 0x736c_6166 && load<u8>(from + 4) === LOWER_E) to = from + 5;
  return to <= end ? to : ODD;
}

function array(from: usize, depth: i32): usize {
  let i = from + 1;
  if (load<u8>(i) === CLOSE_BRACKET) return i < end ? i + 1 : ODD;
  while (true) {
    i = value(i, depth);
    if (i === ODD || i >= end) return ODD;
    const c = load<u8>(i++);
    if (c === CLOSE_BRACKET) return i;
    if (c !== COMMA) return ODD;
  }
}

function string(from: usize): usize {
  let i = from + 1;
  while (true) {
    i = endOfRun(i);
    if (i >= end) return ODD;
    const c = load<u8>(i);
    if (c === QUOTE) return i + 1;
    if (c !== BACKSLASH) return ODD;
    const escape = load<u8>(i + 1);
    if (load<u8>(SHORT_ESCAPES + escape) !== 0) i += 2;
    else if (escape === 0x75 && isControlEscape(i + 2)) i += 6;
    else return ODD;
  }
}

/** `00` and two digits of a control character that has no shorter escape, in lower case. */
function isControlEscape(at: usize): bool {
  if (load<u8>(at) !== ZERO || load<u8>(at + 1) !== ZERO) return false;
  const high = <i32> load<u8>(at + 2) - ZERO;
  const low = load<u8>(at + 3);
  if (high !== 0 && high !== 1) return false;
  const digit = isDigit(low);
  if (!digit && (low < 0x61 || low > 0x66)) return false;
  const code = high * 16 + (digit ? <i32> low - ZERO : <i32> low - 0x61 + 10);
  return code !== 8 && code !== 9 && code !== 10 && code !== 12 && code !== 13;
}

/** A number that a double holds with all its digits, written the shortest way. */
function number(from: usize): usize {
  const start = load<u8>(from) === MINUS ? from + 1 : from;
  let i = endOfDigits(start);
  const whole = <i32> (i - start);
  if (whole === 0 || whole > MAX_DIGITS) return ODD;
  const isZero = load<u8>(start) === ZERO;
  if (isZero && whole > 1) return ODD;
  if (load<u8>(i) === DOT) {
    const point = i;
    i = endOfDigits(i + 1);
    const digits = <i32> (i - point) - 1;
    // Below a millionth a double is written with an exponent.
    if (digits === 0 || digits > 6 || whole + digits > MAX_DIGITS) return ODD;
    if (load<u8>(i - 1) === ZERO) return ODD;
  } else if (isZero && start !== from) return ODD;
  if ((load<u8>(i) | 0x20) === LOWER_E || i > end) return ODD;
  return i;
}

/** Whether the text, as long as it is, is a number that would be written just so. */
export function isPlainNumber(from: usize, to: usize, mayHaveFraction: bool): bool {
  end = to;
  if (number(from) !== to) return false;
  if (mayHaveFraction) return true;
  const start = load<u8>(from) === MINUS ? from + 1 : from;
  return endOfDigits(start) === to;
}

function endOfDigits(i: usize): usize {
  while (isDigit(load<u8>(i))) i++;
  return i;
}

function isDigit(c: u8): bool {
  return <u8> (c - ZERO) < 10;
}

function isSame(a: usize, b: usize, length: i32): bool {
  for (let k = 0; k < length; k++) if (load<u8>(a + k) !== load<u8>(b + k)) return false;
  return true;
}
