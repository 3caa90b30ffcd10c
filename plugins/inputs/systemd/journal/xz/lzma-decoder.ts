import { EVEN, RangeDecoder } from "./range-decoder.ts";

const STATES = 12;
/** States below this follow a literal. */
const AFTER_LITERAL = 7;
const MAX_POSITION_STATES = 16;
const MIN_MATCH = 2;
const LENGTH_STATES = 4;
const SLOT_BITS = 6;
/** Distances up to here have probabilities of their own for all their bits. */
const END_OF_MODELLED_SLOTS = 14;
const FULL_DISTANCES = 1 << (END_OF_MODELLED_SLOTS / 2);
const ALIGN_BITS = 4;
const LITERAL_SIZE = 0x300;
/** A length says which of three forms it has: 8 short, 8 middle or 256 long ones. */
const SHORT_BITS = 3;
const LONG_BITS = 8;
const LENGTH_LOW = 2;
const LENGTH_MIDDLE = LENGTH_LOW + MAX_POSITION_STATES * (1 << SHORT_BITS);
const LENGTH_HIGH = LENGTH_MIDDLE + MAX_POSITION_STATES * (1 << SHORT_BITS);
const LENGTH_SIZE = LENGTH_HIGH + (1 << LONG_BITS);

function even(count: number): Uint16Array {
  return new Uint16Array(count).fill(EVEN);
}

/** What LZMA has learnt so far: probabilities, and the last four distances. */
class Model {
  readonly isMatch = even(STATES * MAX_POSITION_STATES);
  readonly isRepeat = even(STATES);
  readonly isRepeatOf1 = even(STATES);
  readonly isRepeatOf2 = even(STATES);
  readonly isRepeatOf3 = even(STATES);
  readonly isLongRepeat = even(STATES * MAX_POSITION_STATES);
  readonly slots = even(LENGTH_STATES << SLOT_BITS);
  readonly distances = even(FULL_DISTANCES);
  readonly align = even(1 << ALIGN_BITS);
  readonly matchLength = even(LENGTH_SIZE);
  readonly repeatLength = even(LENGTH_SIZE);
  readonly literals: Uint16Array;
  state = 0;
  readonly repeats = [0, 0, 0, 0];

  constructor(literalBits: number) {
    this.literals = even(LITERAL_SIZE << literalBits);
  }
}

/** How a stream was packed: see "LZMA Specification", properties. */
export interface LzmaProperties {
  /** High bits of the byte before that choose the probabilities of a literal. */
  readonly contextBits: number;
  /** Low bits of the position that do. */
  readonly literalPositionBits: number;
  /** Low bits of the position that choose those of all else. */
  readonly positionBits: number;
}

/** Unpacks LZMA into memory that is its own dictionary. Throws `SyntaxError` for what is not valid. */
export class LzmaDecoder {
  private readonly out: Uint8Array;
  private readonly range = new RangeDecoder();
  private properties: LzmaProperties = { contextBits: 0, literalPositionBits: 0, positionBits: 0 };
  private model = new Model(0);
  /** How far `out` is filled. */
  at = 0;
  /** Where the dictionary begins: copies come from behind it. */
  private dictionaryFrom = 0;

  constructor(out: Uint8Array) {
    this.out = out;
  }

  resetDictionary(): void {
    this.dictionaryFrom = this.at;
  }

  /** Forgets what was learnt; with properties, for a stream that was packed with those. */
  reset(properties: LzmaProperties = this.properties): void {
    this.properties = properties;
    this.model = new Model(properties.contextBits + properties.literalPositionBits);
  }

  /** Takes bytes as they are. */
  copy(bytes: Uint8Array): void {
    this.out.set(bytes, this.at);
    this.at += bytes.length;
  }

  /** Unpacks what comes to exactly `length` bytes. */
  unpack(source: Uint8Array, from: number, to: number, length: number): void {
    const { range, model } = this;
    range.begin(source, from, to);
    const end = this.at + length;
    const positionMask = (1 << this.properties.positionBits) - 1;
    while (this.at < end) {
      const positionState = (this.at - this.dictionaryFrom) & positionMask;
      const index = model.state * MAX_POSITION_STATES + positionState;
      if (range.bit(model.isMatch, index) === 0) this.literal();
      else if (range.bit(model.isRepeat, model.state) === 0) this.match(positionState, end);
      else this.repeat(positionState, end);
    }
    if (!range.isFinished) throw new SyntaxError("Cannot unpack LZMA: it is longer than it says");
  }

  private literal(): void {
    const { out, range, model, properties: { contextBits, literalPositionBits } } = this;
    const position = this.at - this.dictionaryFrom;
    const before = position === 0 ? 0 : out[this.at - 1]!;
    const place = position & ((1 << literalPositionBits) - 1);
    const from = LITERAL_SIZE * ((place << contextBits) + (before >> (8 - contextBits)));
    let symbol = 1;
    if (model.state >= AFTER_LITERAL) {
      let match = this.byteBack(model.repeats[0]!);
      while (symbol < 0x100) {
        const expected = match >> 7 & 1;
        match <<= 1;
        const bit = range.bit(model.literals, from + ((1 + expected) << 8) + symbol);
        symbol = symbol << 1 | bit;
        if (bit !== expected) break;
      }
    }
    while (symbol < 0x100) symbol = symbol << 1 | range.bit(model.literals, from + symbol);
    out[this.at++] = symbol;
    const { state } = model;
    model.state = state < 4 ? 0 : state < 10 ? state - 3 : state - 6;
  }

  private match(positionState: number, end: number): void {
    const { model } = this;
    model.repeats[3] = model.repeats[2]!;
    model.repeats[2] = model.repeats[1]!;
    model.repeats[1] = model.repeats[0]!;
    const length = this.length(model.matchLength, positionState);
    model.state = model.state < AFTER_LITERAL ? 7 : 10;
    model.repeats[0] = this.distance(length);
    this.copyBack(model.repeats[0], length, end);
  }

  private repeat(positionState: number, end: number): void {
    const { range, model } = this;
    const { state, repeats } = model;
    if (range.bit(model.isRepeatOf1, state) === 0) {
      if (range.bit(model.isLongRepeat, state * MAX_POSITION_STATES + positionState) === 0) {
        model.state = state < AFTER_LITERAL ? 9 : 11;
        this.out[this.at] = this.byteBack(repeats[0]!);
        this.at++;
        return;
      }
    } else {
      const which = range.bit(model.isRepeatOf2, state) === 0
        ? 1
        : 2 + range.bit(model.isRepeatOf3, state);
      const distance = repeats[which]!;
      repeats.copyWithin(1, 0, which);
      repeats[0] = distance;
    }
    const length = this.length(model.repeatLength, positionState);
    model.state = state < AFTER_LITERAL ? 8 : 11;
    this.copyBack(repeats[0]!, length, end);
  }

  private length(probabilities: Uint16Array, positionState: number): number {
    const { range } = this;
    const place = positionState << SHORT_BITS;
    if (range.bit(probabilities, 0) === 0) {
      return MIN_MATCH + range.tree(probabilities, LENGTH_LOW + place, SHORT_BITS);
    }
    if (range.bit(probabilities, 1) === 0) {
      return MIN_MATCH + 8 + range.tree(probabilities, LENGTH_MIDDLE + place, SHORT_BITS);
    }
    return MIN_MATCH + 16 + range.tree(probabilities, LENGTH_HIGH, LONG_BITS);
  }

  private distance(length: number): number {
    const { range, model } = this;
    const lengthState = Math.min(length - MIN_MATCH, LENGTH_STATES - 1);
    const slot = range.tree(model.slots, lengthState << SLOT_BITS, SLOT_BITS);
    if (slot < 4) return slot;
    const bits = (slot >> 1) - 1;
    const base = (2 | slot & 1) * 2 ** bits;
    if (slot < END_OF_MODELLED_SLOTS) {
      return base + range.reverseTree(model.distances, base - slot, bits);
    }
    return base + range.plain(bits - ALIGN_BITS) * (1 << ALIGN_BITS) +
      range.reverseTree(model.align, 0, ALIGN_BITS);
  }

  private byteBack(distance: number): number {
    if (distance >= this.at - this.dictionaryFrom) throw fromNowhere();
    return this.out[this.at - distance - 1]!;
  }

  private copyBack(distance: number, length: number, end: number): void {
    const { out, at } = this;
    if (distance >= at - this.dictionaryFrom) throw fromNowhere();
    if (at + length > end) throw new SyntaxError("Cannot unpack LZMA: it is longer than it says");
    const back = distance + 1;
    for (let i = 0; i < length; i++) out[at + i] = out[at + i - back]!;
    this.at = at + length;
  }
}

function fromNowhere(): SyntaxError {
  return new SyntaxError("Cannot unpack LZMA: a copy comes from nowhere");
}
