import { describe, expect, test } from "bun:test";
import { crc32c } from "../../src/lib/crc32c.ts";
import { Random } from "../support/random.ts";

/** The definition, bit by bit. */
function slowly(bytes: Uint8Array): number {
  let sum = ~0;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? sum >>> 1 ^ 0x82f63b78 : sum >>> 1;
  }
  return ~sum >>> 0;
}

describe("crc32c", () => {
  test("has the published values", () => {
    // The check value of the catalogue of CRCs, and the examples of RFC 3720, appendix B.4.
    expect(crc32c(Buffer.from("123456789"))).toBe(0xe3069283);
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
    expect(crc32c(new Uint8Array(32).map((_, i) => i))).toBe(0x46dd794e);
    expect(crc32c(new Uint8Array(32).map((_, i) => 31 - i))).toBe(0x113fdb5c);
  });

  test("of nothing is 0, or what was before", () => {
    expect(crc32c(new Uint8Array(0))).toBe(0);
    expect(crc32c(new Uint8Array(0), 0xdeadbeef)).toBe(0xdeadbeef);
  });

  test("of any bytes, at any place in memory, in any parts, is what the definition says", () => {
    for (let seed = 1; seed <= 60; seed++) {
      const random = new Random(seed);
      const memory = new Uint8Array(9000).map(() => random.below(256));
      const start = random.below(16);
      const bytes = memory.subarray(start, start + random.below(memory.length - 16));
      const cut = random.below(bytes.length + 1);
      const expected = { seed, whole: slowly(bytes), parts: slowly(bytes) };
      const parts = crc32c(bytes.subarray(cut), crc32c(bytes.subarray(0, cut)));
      expect({ seed, whole: crc32c(bytes), parts }).toEqual(expected);
    }
  });

  test("finds every single bit that is wrong", () => {
    const bytes = new Uint8Array(300).map((_, i) => i * 7);
    const good = crc32c(bytes);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      expect(crc32c(bytes)).not.toBe(good);
      bytes[bit >> 3]! ^= 1 << (bit & 7);
    }
  });
});
