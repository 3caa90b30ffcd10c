/**
 * Looks at JSON as bytes, without making values of it. What it accepts is exactly what JSON.stringify would
 * write again for the value: no spaces, the shortest escapes, numbers in their shortest form, no key twice.
 * Such a text can be passed on as it is; everything else is the business of a parser.
 */

import { isAt } from "./byte-runs.ts";

const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const UPPER_E = 0x45;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const LOWER_E = 0x65;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** Nested deeper than this is left to the parser. */
const MAX_DEPTH = 16;
/** Members of the objects that are open at once. */
const MAX_KEYS = 256;
/** So many digits always survive the way through a double. */
const MAX_DIGITS = 15;

const PROTO = Buffer.from("__proto__");
const TRUE = Buffer.from("true");
const FALSE = Buffer.from("false");
const NULL = Buffer.from("null");

/** Returned in place of a position: the text is not in the plain form. */
const ODD = -1;

/** What ends the quick walk through a string: a quote, a backslash, a control character. */
const ENDS_RUN = new Uint8Array(256);
ENDS_RUN.fill(1, 0, 0x20);
ENDS_RUN[QUOTE] = 1;
ENDS_RUN[BACKSLASH] = 1;

/** The second character of an escape that JSON.stringify writes: `"`, `\`, b, f, n, r, t. */
const SHORT_ESCAPES = new Uint8Array(256);
for (const letter of '"\\bfnrt') SHORT_ESCAPES[letter.charCodeAt(0)] = 1;

/** Scans objects, and notes where one of their members is. */
export class JsonScanner {
  private readonly wanted: Buffer | undefined;
  /** Of the keys of all objects that are open: what tells most of them apart, and where they are. */
  private readonly prints = new Int32Array(MAX_KEYS);
  private readonly starts = new Int32Array(MAX_KEYS);
  private openKeys = 0;
  private seen = 0;
  /**
   * After an object was scanned: start of the wanted member's value and the position after it, when it is a
   * string without escapes; -1 when there is no such member. `memberFrom` is where its key's quote is.
   */
  memberFrom = -1;
  valueFrom = -1;
  valueTo = -1;

  /** @param wanted the key of the member to note, if any */
  constructor(wanted: string | undefined) {
    this.wanted = wanted === undefined ? undefined : Buffer.from(wanted);
  }

  /** Position after the object that starts at `from`, or -1 when it is not in the plain form or does not end before `to`. */
  scan(b: Uint8Array, from: number, to: number): number {
    this.memberFrom = -1;
    this.valueFrom = -1;
    this.valueTo = -1;
    this.openKeys = 0;
    this.seen = 0;
    if (from >= to || b[from] !== OPEN_BRACE) return ODD;
    return this.object(b, from, to, 0);
  }

  private object(b: Uint8Array, from: number, to: number, depth: number): number {
    let i = from + 1;
    if (b[i] === CLOSE_BRACE) return i < to ? i + 1 : ODD;
    const firstKey = this.openKeys;
    for (;;) {
      const keyFrom = i;
      i = this.key(b, i, to, firstKey);
      if (i === ODD || b[i] !== COLON) return ODD;
      const valueFrom = i + 1;
      i = this.value(b, valueFrom, to, depth);
      if (i === ODD) return ODD;
      if (depth === 0 && this.isWanted(b, keyFrom, valueFrom)) {
        if (!this.note(b, keyFrom, valueFrom, i)) return ODD;
      }
      const c = b[i];
      if (i >= to) return ODD;
      i++;
      if (c === COMMA) continue;
      if (c !== CLOSE_BRACE) return ODD;
      this.openKeys = firstKey;
      return i;
    }
  }

  private isWanted(b: Uint8Array, keyFrom: number, valueFrom: number): boolean {
    const { wanted } = this;
    // `"key":` has three characters more than the key.
    if (wanted === undefined || valueFrom - keyFrom !== wanted.length + 3) return false;
    return isAt(b, keyFrom + 1, wanted);
  }

  private note(b: Uint8Array, keyFrom: number, valueFrom: number, valueTo: number): boolean {
    if (b[valueFrom] !== QUOTE) return false;
    for (let i = valueFrom + 1; i < valueTo - 1; i++) {
      if (b[i] === BACKSLASH || b[i]! >= 0x80) return false;
    }
    this.memberFrom = keyFrom;
    this.valueFrom = valueFrom;
    this.valueTo = valueTo;
    return true;
  }

  /** A key without escapes that no other member of its object has, and that stays in its place. */
  private key(b: Uint8Array, from: number, to: number, firstKey: number): number {
    if (b[from] !== QUOTE) return ODD;
    let i = from + 1;
    let c = b[i]!;
    // Keys that look like numbers are moved to the front of a JavaScript object.
    if (c >= ZERO && c <= NINE) return ODD;
    const first = c;
    while (ENDS_RUN[c] === 0) c = b[++i]!;
    if (c !== QUOTE || i >= to) return ODD;
    const length = i - from;
    if (first === PROTO[0] && length === PROTO.length + 1 && isAt(b, from + 1, PROTO)) return ODD;
    // Two keys with the same ends and the same length may be the same key; the bytes in between decide.
    const print = (length << 16) | (first << 8) | b[i - 1]!;
    const { prints, starts, openKeys } = this;
    const bit = 1 << ((length * 7 + first * 3 + b[i - 1]!) & 31);
    if ((this.seen & bit) !== 0) {
      for (let k = firstKey; k < openKeys; k++) {
        if (prints[k] === print && isSame(b, starts[k]!, from, length)) return ODD;
      }
    }
    this.seen |= bit;
    if (openKeys === MAX_KEYS) return ODD;
    prints[openKeys] = print;
    starts[openKeys] = from;
    this.openKeys = openKeys + 1;
    return i + 1;
  }

  private value(b: Uint8Array, from: number, to: number, depth: number): number {
    const c = b[from]!;
    if (c === QUOTE) return string(b, from, to);
    if (c === MINUS || (c >= ZERO && c <= NINE)) return number(b, from, to);
    if (c === OPEN_BRACE) {
      return depth >= MAX_DEPTH ? ODD : this.object(b, from, to, depth + 1);
    }
    if (c === OPEN_BRACKET) return depth >= MAX_DEPTH ? ODD : this.array(b, from, to, depth + 1);
    const word = c === TRUE[0] ? TRUE : c === FALSE[0] ? FALSE : NULL;
    return from + word.length <= to && isAt(b, from, word) ? from + word.length : ODD;
  }

  private array(b: Uint8Array, from: number, to: number, depth: number): number {
    let i = from + 1;
    if (b[i] === CLOSE_BRACKET) return i < to ? i + 1 : ODD;
    for (;;) {
      i = this.value(b, i, to, depth);
      if (i === ODD || i >= to) return ODD;
      const c = b[i++];
      if (c === CLOSE_BRACKET) return i;
      if (c !== COMMA) return ODD;
    }
  }
}

function string(b: Uint8Array, from: number, to: number): number {
  let i = from + 1;
  for (;;) {
    let c = b[i]!;
    while (ENDS_RUN[c] === 0) c = b[++i]!;
    if (i >= to) return ODD;
    if (c === QUOTE) return i + 1;
    if (c !== BACKSLASH) return ODD;
    const escape = b[i + 1]!;
    if (SHORT_ESCAPES[escape] === 1) i += 2;
    else if (escape === 0x75 && isControlEscape(b, i + 2)) i += 6;
    else return ODD;
  }
}

/** `00` and two digits of a control character that has no shorter escape, in lower case. */
function isControlEscape(b: Uint8Array, at: number): boolean {
  if (b[at] !== ZERO || b[at + 1] !== ZERO) return false;
  const high = b[at + 2]! - ZERO;
  const low = b[at + 3]!;
  if (high !== 0 && high !== 1) return false;
  const isDigit = low >= ZERO && low <= NINE;
  if (!isDigit && (low < 0x61 || low > 0x66)) return false;
  const code = high * 16 + (isDigit ? low - ZERO : low - 0x61 + 10);
  return code !== 8 && code !== 9 && code !== 10 && code !== 12 && code !== 13;
}

/** A number that a double holds with all its digits, written the shortest way. */
function number(b: Uint8Array, from: number, to: number): number {
  const start = b[from] === MINUS ? from + 1 : from;
  let i = start;
  let c = b[i]!;
  while (c >= ZERO && c <= NINE) c = b[++i]!;
  const whole = i - start;
  if (whole === 0 || whole > MAX_DIGITS) return ODD;
  if (b[start] === ZERO && whole > 1) return ODD;
  if (c === DOT) {
    const point = i;
    c = b[++i]!;
    while (c >= ZERO && c <= NINE) c = b[++i]!;
    const digits = i - point - 1;
    // Below a millionth a double is written with an exponent.
    if (digits === 0 || digits > 6 || whole + digits > MAX_DIGITS || b[i - 1] === ZERO) return ODD;
  } else if (b[start] === ZERO && start !== from) return ODD;
  if (c === LOWER_E || c === UPPER_E || i > to) return ODD;
  return i;
}

function isSame(b: Uint8Array, at: number, other: number, length: number): boolean {
  for (let k = 0; k < length; k++) if (b[at + k] !== b[other + k]) return false;
  return true;
}
