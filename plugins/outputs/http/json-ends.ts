const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * Where each of many JSON objects or arrays ends, from `at` on: `{}{}`, or with something between them that is
 * neither a quote nor a bracket.
 */
export function jsonEnds(bytes: Uint8Array, at: number, until: number): number[] {
  const ends: number[] = [];
  let depth = 0;
  for (; at < until; at++) {
    const byte = bytes[at]!;
    if (byte === QUOTE) at = closingQuote(bytes, at);
    // `{` and `[`, `}` and `]`.
    else if (byte === 0x7b || byte === 0x5b) depth++;
    else if ((byte === 0x7d || byte === 0x5d) && --depth === 0) ends.push(at + 1);
  }
  return ends;
}

function closingQuote(bytes: Uint8Array, opening: number): number {
  for (let at = opening + 1; at < bytes.length; at++) {
    const byte = bytes[at]!;
    if (byte === QUOTE) return at;
    if (byte === BACKSLASH) at++;
  }
  return bytes.length;
}

/** Where each line ends, from the first one on: behind its line break. */
export function lineEnds(bytes: Uint8Array): number[] {
  const ends: number[] = [];
  for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) ends.push(at + 1);
  return ends;
}
