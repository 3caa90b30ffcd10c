const T = new Int32Array(256 * 8);
for (let i = 0; i < 256; i++) {
  let c = i;
  for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1;
  T[i] = c;
}
for (let i = 0; i < 256; i++) {
  for (let t = 1; t < 8; t++) {
    T[t * 256 + i] = (T[(t - 1) * 256 + i]! >>> 8) ^ T[T[(t - 1) * 256 + i]! & 255]!;
  }
}
export function crc32c(b: Uint8Array, seed = 0): number {
  let i = 0, c = ~seed;
  const n = b.length & ~7;
  for (; i < n; i += 8) {
    const a = c ^ (b[i]! | b[i + 1]! << 8 | b[i + 2]! << 16 | b[i + 3]! << 24);
    c = T[1792 + (a & 255)]! ^ T[1536 + (a >>> 8 & 255)]! ^ T[1280 + (a >>> 16 & 255)]! ^
      T[1024 + (a >>> 24)]! ^ T[768 + b[i + 4]!]! ^ T[512 + b[i + 5]!]! ^ T[256 + b[i + 6]!]! ^
      T[b[i + 7]!]!;
  }
  for (; i < b.length; i++) c = (c >>> 8) ^ T[(c ^ b[i]!) & 255]!;
  return ~c >>> 0;
}
