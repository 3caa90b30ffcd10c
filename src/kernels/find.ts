/** Position of the byte, which must be there. */
export function findByte(from: usize, byte: u8): usize {
  const bytes = i8x16.splat(byte);
  while (true) {
    const found = i8x16.bitmask(i8x16.eq(v128.load(from), bytes));
    if (found !== 0) return from + ctz(found);
    from += 16;
  }
}

/** Whether there is anything but ASCII. */
export function hasHigh(from: usize, to: usize): bool {
  for (; from + 16 <= to; from += 16) if (i8x16.bitmask(v128.load(from)) !== 0) return true;
  for (; from < to; from++) if (load<u8>(from) >= 0x80) return true;
  return false;
}
