import { putBytes } from "./byte-runs.ts";
import type { MsgpackWriter } from "./msgpack-writer.ts";

const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const UPPER_E = 0x45;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const LOWER_E = 0x65;
const LOWER_F = 0x66;
const LOWER_N = 0x6e;
const LOWER_T = 0x74;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** The most bytes of text whose head is one byte. */
const LONGEST_SHORT_TEXT = 31;
/** Every power of ten up to this is a double, so that a division by one rounds once. */
const POWERS = Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));

/** The last members of a map, in msgpack. */
export interface MapTail {
  readonly bytes: Buffer;
  readonly count: number;
}

/**
 * Writes JSON in msgpack without making values of it. Only for JSON exactly as JSON.stringify writes it, without
 * spaces: nothing is checked here.
 */
export class JsonToMsgpack {
  private readonly into: MsgpackWriter;
  private bytes: Buffer = Buffer.alloc(0);
  private cutFrom = -1;
  private cutTo = -1;

  constructor(into: MsgpackWriter) {
    this.into = into;
  }

  /**
   * Writes the object that starts at `from`, without the members from `cutFrom` to `cutTo`, and with some that are msgpack
   * already.
   */
  object(bytes: Buffer, from: number, cutFrom: number, cutTo: number, tail?: MapTail): void {
    this.bytes = bytes;
    this.cutFrom = cutFrom;
    this.cutTo = cutTo;
    this.members(from, tail);
  }

  private value(at: number): number {
    switch (this.bytes[at]) {
      case QUOTE:
        return this.text(at);
      case OPEN_BRACE:
        return this.members(at);
      case OPEN_BRACKET:
        return this.items(at);
      case LOWER_T:
        return this.word(0xc3, at + 4);
      case LOWER_F:
        return this.word(0xc2, at + 5);
      case LOWER_N:
        return this.word(0xc0, at + 4);
      default:
        return this.number(at);
    }
  }

  private members(from: number, tail?: MapTail): number {
    const { bytes, into } = this;
    into.reserve(1);
    const head = into.length++;
    let count = 0;
    let at = this.afterCut(from + 1);
    while (bytes[at] !== CLOSE_BRACE) {
      if (bytes[at] === COMMA) at = this.afterCut(at + 1);
      at = this.text(at);
      at = this.afterCut(this.value(at + 1));
      count++;
    }
    if (tail !== undefined) {
      into.reserve(tail.bytes.length);
      into.length = putBytes(tail.bytes, into.memory, into.length);
      count += tail.count;
    }
    into.closeMap(head, count);
    return at + 1;
  }

  private items(from: number): number {
    const { bytes, into } = this;
    into.reserve(1);
    const head = into.length++;
    let count = 0;
    let at = from + 1;
    while (bytes[at] !== CLOSE_BRACKET) {
      if (bytes[at] === COMMA) at++;
      at = this.value(at);
      count++;
    }
    into.closeArray(head, count);
    return at + 1;
  }

  private afterCut(at: number): number {
    return at === this.cutFrom ? this.cutTo : at;
  }

  private text(from: number): number {
    const { bytes, into } = this;
    // Nearly all text is short: it is copied while its end is looked for, behind room for a head of one byte.
    into.reserve(LONGEST_SHORT_TEXT + 1);
    const { memory, length: head } = into;
    let at = head;
    let i = from + 1;
    for (const last = i + LONGEST_SHORT_TEXT; i <= last; i++) {
      const c = bytes[i]!;
      if (c === QUOTE) {
        memory[head] = 0xa0 | (at - head);
        into.length = at + 1;
        return i + 1;
      }
      if (c === BACKSLASH) return this.escapedText(from, i);
      memory[++at] = c;
    }
    return this.longText(from, i);
  }

  private longText(from: number, known: number): number {
    const { bytes, into } = this;
    const start = from + 1;
    let end = known;
    while (bytes[end] !== QUOTE && bytes[end] !== BACKSLASH) end++;
    if (bytes[end] === BACKSLASH) return this.escapedText(from, end);
    into.textHead(end - start);
    into.length += bytes.copy(into.memory, into.length, start, end);
    return end + 1;
  }

  private escapedText(from: number, firstEscape: number): number {
    let end = firstEscape;
    while (this.bytes[end] !== QUOTE) end += this.bytes[end] === BACKSLASH ? 2 : 1;
    this.into.text(JSON.parse(this.bytes.toString("utf8", from, end + 1)) as string);
    return end + 1;
  }

  private number(from: number): number {
    const { bytes } = this;
    const sign = bytes[from] === MINUS ? -1 : 1;
    let at = sign === -1 ? from + 1 : from;
    let digits = 0;
    let point = -1;
    for (;; at++) {
      const c = bytes[at]!;
      if (c >= ZERO && c <= NINE) digits = digits * 10 + (c - ZERO);
      else if (c === DOT) point = at + 1;
      else break;
    }
    const decimals = point === -1 ? 0 : at - point;
    if (
      bytes[at] === LOWER_E || bytes[at] === UPPER_E || digits > Number.MAX_SAFE_INTEGER ||
      decimals > 22
    ) {
      return this.oddNumber(from, at);
    }
    if (decimals === 0 && sign === 1) this.into.whole(digits);
    else this.into.number(sign * (decimals === 0 ? digits : digits / POWERS[decimals]!));
    return at;
  }

  /** With an exponent, or more digits than a double holds. */
  private oddNumber(from: number, at: number): number {
    let end = at;
    while (end < this.bytes.length && !ENDS_NUMBER.has(this.bytes[end]!)) end++;
    const text = this.bytes.toString("latin1", from, end);
    this.into.value(/^-?\d+$/.test(text) ? BigInt(text) : Number(text));
    return end;
  }

  private word(byte: number, end: number): number {
    this.into.reserve(1);
    this.into.memory[this.into.length++] = byte;
    return end;
  }
}

const ENDS_NUMBER: ReadonlySet<number> = new Set([COMMA, CLOSE_BRACKET, CLOSE_BRACE]);
