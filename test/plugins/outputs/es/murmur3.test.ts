import { expect, test } from "bun:test";
import { murmur3 } from "../../../../plugins/outputs/es/murmur3.ts";
import { Random } from "../../../support/random.ts";

const M = (1n << 64n) - 1n;
const rotate = (x: bigint, by: bigint) => ((x << by) | (x >> (64n - by))) & M;

/** The definition of the hash, word for word: slow, and easy to see through. */
function definition(bytes: Uint8Array, seed: bigint): string {
  const [c1, c2] = [0x87c37b91114253d5n, 0x4cf5ad432745937fn];
  const word = (at: number) => {
    let value = 0n;
    for (let i = 7; i >= 0; i--) value = (value << 8n) | BigInt(bytes[at + i] ?? 0);
    return value;
  };
  const mix1 = (k: bigint) => (rotate((k * c1) & M, 31n) * c2) & M;
  const mix2 = (k: bigint) => (rotate((k * c2) & M, 33n) * c1) & M;
  let [h1, h2] = [seed, seed];
  const whole = bytes.length - bytes.length % 16;
  for (let at = 0; at < whole; at += 16) {
    h1 = ((rotate(h1 ^ mix1(word(at)), 27n) + h2) * 5n + 0x52dce729n) & M;
    h2 = ((rotate(h2 ^ mix2(word(at + 8)), 31n) + h1) * 5n + 0x38495ab5n) & M;
  }
  h2 ^= mix2(word(whole + 8));
  h1 ^= mix1(word(whole));
  h1 ^= BigInt(bytes.length);
  h2 ^= BigInt(bytes.length);
  h1 = (h1 + h2) & M;
  h2 = (h2 + h1) & M;
  const finish = (x: bigint) => {
    x = ((x ^ (x >> 33n)) * 0xff51afd7ed558ccdn) & M;
    x = ((x ^ (x >> 33n)) * 0xc4ceb9fe1a85ec53n) & M;
    return x ^ (x >> 33n);
  };
  [h1, h2] = [finish(h1), finish(h2)];
  h1 = (h1 + h2) & M;
  h2 = (h2 + h1) & M;
  return h1.toString(16).padStart(16, "0") + h2.toString(16).padStart(16, "0");
}

/** Both words with the highest byte first. */
function hex(hash: Buffer): string {
  return [0, 8].map((at) => hash.readBigUInt64LE(at).toString(16).padStart(16, "0")).join("");
}

test("murmur3 is the hash that others know under this name", () => {
  const fox = Buffer.from("The quick brown fox jumps over the lazy dog");
  expect(hex(murmur3(fox, 0))).toBe("e34bbc7bbc071b6c7a433ca9c49a9347");
  expect(hex(murmur3(new Uint8Array(), 0))).toBe("0".repeat(32));
});

test("murmur3 agrees with its definition for bytes of any length", () => {
  const random = new Random(46);
  for (let length = 0; length < 300; length++) {
    const bytes = Uint8Array.from({ length: length + 3 }, () => random.below(256)).subarray(3);
    expect(hex(murmur3(bytes, 42))).toBe(definition(bytes, 42n));
  }
});
