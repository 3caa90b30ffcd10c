const LF: u8 = 0x0a;
const CR: u8 = 0x0d;
/** The block has a carriage return, or a line that is too long. */
const ODD: i32 = -1;

/** How many lines lie there, a line feed between two; -1 when one is longer than that or has a carriage return. */
export function countLines(from: usize, to: usize, longest: i32): i32 {
  const feeds = i8x16.splat(LF);
  const returns = i8x16.splat(CR);
  let count = 1;
  let line = from;
  for (let at = from; at < to; at += 16) {
    const bytes = v128.load(at);
    let found = i8x16.bitmask(i8x16.eq(bytes, feeds));
    let odd = i8x16.bitmask(i8x16.eq(bytes, returns));
    if (to - at < 16) {
      const mask = (1 << <i32> (to - at)) - 1;
      found &= mask;
      odd &= mask;
    }
    if (odd !== 0) return ODD;
    for (; found !== 0; found &= found - 1) {
      const end = at + ctz(found);
      if (<i32> (end - line) > longest) return ODD;
      line = end + 1;
      count++;
    }
  }
  return <i32> (to - line) > longest ? ODD : count;
}
