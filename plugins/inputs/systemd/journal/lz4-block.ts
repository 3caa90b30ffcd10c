const MIN_MATCH = 4;
/** A length of 15 in a token goes on in the bytes behind it. */
const MORE = 15;

/**
 * Unpacks one block of LZ4, as "LZ4 Block Format Description" has it: sequences of literal bytes and of copies of
 * what was unpacked before. Throws `SyntaxError` for anything that does not come to exactly `size` bytes.
 */
export function decompressLz4Block(packed: Uint8Array, size: number): Buffer {
  const out = Buffer.allocUnsafeSlow(size);
  let from = 0;
  let to = 0;
  const longer = (length: number): number => {
    if (length < MORE) return length;
    for (;;) {
      const more = packed[from++];
      if (more === undefined) throw ended();
      length += more;
      if (more !== 255) return length;
      if (length > size) throw tooLong();
    }
  };
  while (from < packed.length) {
    const token = packed[from++]!;
    const literals = longer(token >> 4);
    if (from + literals > packed.length) throw ended();
    if (to + literals > size) throw tooLong();
    out.set(packed.subarray(from, from + literals), to);
    from += literals;
    to += literals;
    // The last sequence is literals alone.
    if (from === packed.length) break;
    if (from + 2 > packed.length) throw ended();
    const distance = packed[from]! | packed[from + 1]! << 8;
    from += 2;
    const length = longer(token & MORE) + MIN_MATCH;
    if (distance === 0 || distance > to) {
      throw new SyntaxError("Cannot unpack LZ4: a copy comes from nowhere");
    }
    if (to + length > size) throw tooLong();
    to = repeat(out, to, distance, length);
  }
  if (to !== size) throw ended();
  return out;
}

/** Copies what was written so far back; the copy may reach into itself. */
function repeat(out: Buffer, to: number, distance: number, length: number): number {
  if (distance >= length) {
    out.copyWithin(to, to - distance, to - distance + length);
    return to + length;
  }
  for (let i = 0; i < length; i++) out[to + i] = out[to + i - distance]!;
  return to + length;
}

function ended(): SyntaxError {
  return new SyntaxError("Cannot unpack LZ4: it ends too early");
}

function tooLong(): SyntaxError {
  return new SyntaxError("Cannot unpack LZ4: it is longer than it says");
}
