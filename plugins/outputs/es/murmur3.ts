const C1_HIGH = 0x87c37b91;
const C1_LOW = 0x114253d5;
const C2_HIGH = 0x4cf5ad43;
const C2_LOW = 0x2745937f;

/** A number of 64 bits as two of 32, since numbers are exact to 53 bits only and bigints are slow. */
interface Word {
  high: number;
  low: number;
}

/** The hash MurmurHash3_x64_128 of the bytes, as 16 bytes in the order of a little-endian machine's memory. */
export function murmur3(bytes: Uint8Array, seed: number): Buffer {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const h1: Word = { high: 0, low: seed };
  const h2: Word = { high: 0, low: seed };
  const k: Word = { high: 0, low: 0 };
  const whole = bytes.length & ~15;
  for (let at = 0; at < whole; at += 16) {
    load(k, view.getUint32(at + 4, true), view.getUint32(at, true));
    mixIn(h1, k, 31, C1_HIGH, C1_LOW, C2_HIGH, C2_LOW);
    rotate(h1, 27);
    add(h1, h2);
    timesFivePlus(h1, 0x52dce729);
    load(k, view.getUint32(at + 12, true), view.getUint32(at + 8, true));
    mixIn(h2, k, 33, C2_HIGH, C2_LOW, C1_HIGH, C1_LOW);
    rotate(h2, 31);
    add(h2, h1);
    timesFivePlus(h2, 0x38495ab5);
  }
  const rest = Buffer.alloc(16);
  rest.set(bytes.subarray(whole));
  load(k, rest.readUInt32LE(12), rest.readUInt32LE(8));
  mixIn(h2, k, 33, C2_HIGH, C2_LOW, C1_HIGH, C1_LOW);
  load(k, rest.readUInt32LE(4), rest.readUInt32LE(0));
  mixIn(h1, k, 31, C1_HIGH, C1_LOW, C2_HIGH, C2_LOW);
  h1.low ^= bytes.length;
  h2.low ^= bytes.length;
  add(h1, h2);
  add(h2, h1);
  finish(h1);
  finish(h2);
  add(h1, h2);
  add(h2, h1);
  const hash = Buffer.alloc(16);
  [h1.low, h1.high, h2.low, h2.high].forEach((part, i) => hash.writeUInt32LE(part >>> 0, i * 4));
  return hash;
}

function load(into: Word, high: number, low: number): void {
  into.high = high;
  into.low = low;
}

/** `h ^= rotate(k * a, by) * b` */
function mixIn(
  h: Word,
  k: Word,
  by: number,
  aHigh: number,
  aLow: number,
  bHigh: number,
  bLow: number,
): void {
  multiply(k, aHigh, aLow);
  rotate(k, by);
  multiply(k, bHigh, bLow);
  h.high ^= k.high;
  h.low ^= k.low;
}

function timesFivePlus(word: Word, low: number): void {
  multiply(word, 0, 5);
  add(word, { high: 0, low });
}

function finish(word: Word): void {
  // A shift to the right by 33 leaves what was above bit 32, one bit lower, in the lower half.
  word.low ^= word.high >>> 1;
  multiply(word, 0xff51afd7, 0xed558ccd);
  word.low ^= word.high >>> 1;
  multiply(word, 0xc4ceb9fe, 0x1a85ec53);
  word.low ^= word.high >>> 1;
}

function add(to: Word, other: Readonly<Word>): void {
  const low = (to.low >>> 0) + (other.low >>> 0);
  to.high = (to.high + other.high + (low > 0xffffffff ? 1 : 0)) | 0;
  to.low = low | 0;
}

function rotate(word: Word, by: number): void {
  const { high, low } = by < 32 ? word : { high: word.low, low: word.high };
  const bits = by % 32;
  word.high = (high << bits) | (low >>> (32 - bits));
  word.low = (low << bits) | (high >>> (32 - bits));
}

/** By halves of 16 bits: a product of two such, and what is carried, is exact. */
function multiply(word: Word, high: number, low: number): void {
  const a0 = word.low & 0xffff;
  const a1 = word.low >>> 16;
  const b0 = low & 0xffff;
  const b1 = low >>> 16;
  const p00 = a0 * b0;
  const middle = a1 * b0 + (p00 >>> 16);
  const cross = a0 * b1 + (middle % 0x10000);
  const carry = a1 * b1 + Math.floor(middle / 0x10000) + Math.floor(cross / 0x10000);
  const newHigh = Math.imul(word.high, low) + Math.imul(word.low, high) + (carry | 0);
  word.low = (p00 & 0xffff) | (cross << 16);
  word.high = newHigh | 0;
}
