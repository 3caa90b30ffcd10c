const TOP = 2 ** 24;
/** Probabilities have so many bits, and move by a part of 2^MOVE_BITS. */
const MODEL_BITS = 11;
const MOVE_BITS = 5;
export const EVEN = 1 << (MODEL_BITS - 1);

/** The range coder of LZMA: takes bits out of bytes, each with the probability that it is 0. */
export class RangeDecoder {
  private source: Uint8Array = new Uint8Array(0);
  private at = 0;
  private end = 0;
  private range = 0;
  private code = 0;

  /** Begins with the bytes from `from` to `to`. */
  begin(source: Uint8Array, from: number, to: number): void {
    if (to - from < 5 || source[from] !== 0) {
      throw new SyntaxError("Cannot unpack LZMA: it begins wrongly");
    }
    this.source = source;
    this.end = to;
    this.range = 0xffffffff;
    this.code = 0;
    for (let i = 1; i < 5; i++) this.code = (this.code << 8 | source[from + i]!) >>> 0;
    this.at = from + 5;
  }

  /** Everything was used, and nothing else. */
  get isFinished(): boolean {
    return this.code === 0 && this.at === this.end;
  }

  bit(probabilities: Uint16Array, index: number): number {
    const probability = probabilities[index]!;
    const bound = (this.range >>> MODEL_BITS) * probability;
    let bit: number;
    if (this.code < bound) {
      this.range = bound;
      probabilities[index] = probability + (((1 << MODEL_BITS) - probability) >> MOVE_BITS);
      bit = 0;
    } else {
      this.code -= bound;
      this.range -= bound;
      probabilities[index] = probability - (probability >> MOVE_BITS);
      bit = 1;
    }
    if (this.range < TOP) this.more();
    return bit;
  }

  /** A number of so many bits, the highest first, whose probabilities begin at `from`. */
  tree(probabilities: Uint16Array, from: number, bits: number): number {
    let node = 1;
    for (let i = 0; i < bits; i++) node = node << 1 | this.bit(probabilities, from + node);
    return node - (1 << bits);
  }

  /** The same, the lowest bit first. */
  reverseTree(probabilities: Uint16Array, from: number, bits: number): number {
    let node = 1;
    let value = 0;
    for (let i = 0; i < bits; i++) {
      const bit = this.bit(probabilities, from + node);
      node = node << 1 | bit;
      value |= bit << i;
    }
    return value;
  }

  /** A number of so many bits that are as often 0 as 1. */
  plain(bits: number): number {
    let value = 0;
    for (let i = 0; i < bits; i++) {
      this.range >>>= 1;
      const isOne = this.code >= this.range;
      if (isOne) this.code -= this.range;
      value = value * 2 + (isOne ? 1 : 0);
      if (this.range < TOP) this.more();
    }
    return value;
  }

  private more(): void {
    if (this.at >= this.end) throw new SyntaxError("Cannot unpack LZMA: it ends too early");
    this.range = (this.range << 8) >>> 0;
    this.code = (this.code << 8 | this.source[this.at++]!) >>> 0;
  }
}
