/**
 * A copy of a text that does not share memory with what it was cut out of: a piece of a line keeps the whole
 * block of lines alive.
 */
export function ownText(piece: string): string {
  return Buffer.from(piece, "utf16le").toString("utf16le");
}
