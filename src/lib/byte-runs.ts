/** True when these bytes stand at the position. */
export function isAt(bytes: Uint8Array, at: number, what: Uint8Array): boolean {
  for (let k = 0; k < what.length; k++) if (bytes[at + k] !== what[k]) return false;
  return true;
}

/** Copies a few bytes, and returns the position after them. For so few it is faster than a call of the runtime. */
export function putBytes(what: Uint8Array, out: Uint8Array, at: number): number {
  for (let k = 0; k < what.length; k++) out[at++] = what[k]!;
  return at;
}
