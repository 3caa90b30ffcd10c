/** Position of the byte, which must be there. */
export function findByte(from: usize, byte: u8): usize {
  const bytes = i8x16.splat(byte);
  while (true) {
    const found = i8x16.bitmask(i8x16.eq(v128.load(from), bytes));
    if (found !== 0) return from + ctz(found);
    from += 16;
  }
}
