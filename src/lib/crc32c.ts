/** Castagnoli's polynomial, with its bits in reversed order. */
const POLYNOMIAL = 0x82f63b78;
/** Long runs are read at two places at once, this many bytes apart. */
const LANE = 1024;

/** The sums of every byte. */
const BYTES = tableOf((sum) => {
  for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? sum >>> 1 ^ POLYNOMIAL : sum >>> 1;
  return sum;
});
/** Sums of a byte that 0 to 7 zero bytes follow: so eight bytes of input are eight independent look-ups. */
const [T0, T1, T2, T3, T4, T5, T6, T7] = [0, 1, 2, 3, 4, 5, 6, 7].map(behind) as Eight<Int32Array>;
/** What becomes of the four bytes of a sum when `LANE` zero bytes follow it. */
const [L0, L1, L2, L3] = [1, 2, 3, 4].map((n) => behind(LANE - n)) as Four<Int32Array>;

type Four<T> = [T, T, T, T];
type Eight<T> = [...Four<T>, ...Four<T>];

/**
 * The CRC-32C (Castagnoli) of the bytes, from 0 to 2^32 - 1. With the sum of what came before as `seed` it goes
 * on from there: `crc32c(b, crc32c(a))` is the sum of a and b together.
 */
export function crc32c(bytes: Uint8Array, seed = 0): number {
  const { length } = bytes;
  let sum = ~seed;
  let at = 0;
  // Each step needs the one before, and the processor would wait for it: so two sums are made side by side.
  for (; at + 2 * LANE <= length; at += 2 * LANE) sum = twoLanes(bytes, at, sum);
  for (; at + 8 <= length; at += 8) {
    sum = T7[(sum ^ bytes[at]!) & 255]! ^ T6[(sum >>> 8 ^ bytes[at + 1]!) & 255]! ^
      T5[(sum >>> 16 ^ bytes[at + 2]!) & 255]! ^ T4[sum >>> 24 ^ bytes[at + 3]!]! ^
      T3[bytes[at + 4]!]! ^ T2[bytes[at + 5]!]! ^ T1[bytes[at + 6]!]! ^ T0[bytes[at + 7]!]!;
  }
  for (; at < length; at++) sum = sum >>> 8 ^ T0[(sum ^ bytes[at]!) & 255]!;
  return ~sum >>> 0;
}

function twoLanes(bytes: Uint8Array, start: number, sum: number): number {
  let first = sum;
  let second = 0;
  for (let a = start; a < start + LANE; a += 8) {
    const b = a + LANE;
    first = T7[(first ^ bytes[a]!) & 255]! ^ T6[(first >>> 8 ^ bytes[a + 1]!) & 255]! ^
      T5[(first >>> 16 ^ bytes[a + 2]!) & 255]! ^ T4[first >>> 24 ^ bytes[a + 3]!]! ^
      T3[bytes[a + 4]!]! ^ T2[bytes[a + 5]!]! ^ T1[bytes[a + 6]!]! ^ T0[bytes[a + 7]!]!;
    second = T7[(second ^ bytes[b]!) & 255]! ^ T6[(second >>> 8 ^ bytes[b + 1]!) & 255]! ^
      T5[(second >>> 16 ^ bytes[b + 2]!) & 255]! ^ T4[second >>> 24 ^ bytes[b + 3]!]! ^
      T3[bytes[b + 4]!]! ^ T2[bytes[b + 5]!]! ^ T1[bytes[b + 6]!]! ^ T0[bytes[b + 7]!]!;
  }
  return L0[first & 255]! ^ L1[first >>> 8 & 255]! ^ L2[first >>> 16 & 255]! ^
    L3[first >>> 24]! ^ second;
}

/** The sums of every byte, followed by so many zero bytes. */
function behind(zeros: number): Int32Array {
  return tableOf((byte) => {
    let sum = BYTES[byte]!;
    for (let k = 0; k < zeros; k++) sum = sum >>> 8 ^ BYTES[sum & 255]!;
    return sum;
  });
}

/** Of a function of a byte for which the value of two bytes' difference is the difference of their values. */
function tableOf(valueOf: (byte: number) => number): Int32Array {
  const values = new Int32Array(256);
  for (let bit = 1; bit < 256; bit *= 2) values[bit] = valueOf(bit);
  for (let byte = 3; byte < 256; byte++) {
    values[byte] = values[byte & byte - 1]! ^ values[byte & -byte]!;
  }
  return values;
}
