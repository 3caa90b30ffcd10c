import { closeSync, fstatSync, openSync, readSync, writeSync } from "node:fs";

/*
 * The layout of what Bun 1.4 appends to its runtime, little endian, places counted from the start of the blob:
 *
 *   blob | blob length u64, module table (place, length) u32, entry u32, arguments (place, length) u32, flags u32 | MARK
 *
 * A module is 52 bytes, of which the fifth and sixth u32 are place and length of its source map:
 *
 *   count u32, length of the mappings u32, count × (place, length) of names, count × the same of packed texts, …
 */
const MARK = "\n---- Bun! ----\n";
const TRAILER_BYTES = 32;
const MODULE_BYTES = 52;
const ZSTD_MAGIC = 0xfd2fb528;

/**
 * Takes the texts of the sources out of the executable's source maps, and leaves the mappings: stacks have the files
 * and lines of the sources as before, and nothing shows the texts. They are overwritten with zeros in their places, so
 * the file is as long as it was, and packed it is 1.1 MB smaller. Throws when the file is not laid out as expected.
 * Returns the bytes that were overwritten.
 */
export function dropSourceTexts(path: string): number {
  const file = openSync(path, "r+");
  try {
    const graph = findGraph(file, path);
    let dropped = 0;
    for (const map of sourceMaps(graph, path)) dropped += emptyTexts(map, path);
    if (dropped === 0) throw unexpected(path, "no source map has texts");
    writeSync(file, graph.bytes, 0, graph.bytes.length, graph.at);
    return dropped;
  } finally {
    closeSync(file);
  }
}

interface Graph {
  readonly bytes: Buffer;
  /** Where it begins in the file. */
  readonly at: number;
  readonly table: Buffer;
}

function findGraph(file: number, path: string): Graph {
  const { size } = fstatSync(file);
  // Behind the mark are the section headers alone.
  const tail = Buffer.alloc(Math.min(size, 256 * 1024));
  readSync(file, tail, 0, tail.length, size - tail.length);
  const mark = tail.lastIndexOf(MARK);
  if (mark < TRAILER_BYTES) throw unexpected(path, "there is no mark");
  const trailer = tail.subarray(mark - TRAILER_BYTES, mark);
  const length = Number(trailer.readBigUInt64LE(0));
  const [tableAt, tableLength] = [trailer.readUInt32LE(8), trailer.readUInt32LE(12)];
  const at = size - tail.length + mark - TRAILER_BYTES - length;
  const isSound = at > 0 && tableLength > 0 && tableLength % MODULE_BYTES === 0 &&
    tableAt + tableLength <= length;
  if (!isSound) throw unexpected(path, "the module table is not where it should be");
  const bytes = Buffer.alloc(length);
  readSync(file, bytes, 0, length, at);
  return { bytes, at, table: bytes.subarray(tableAt, tableAt + tableLength) };
}

function sourceMaps({ bytes, table }: Graph, path: string): Buffer[] {
  const maps: Buffer[] = [];
  for (let at = 0; at < table.length; at += MODULE_BYTES) {
    const [from, length] = [table.readUInt32LE(at + 16), table.readUInt32LE(at + 20)];
    if (from + length > bytes.length) throw unexpected(path, "a source map is out of bounds");
    if (length > 0) maps.push(bytes.subarray(from, from + length));
  }
  return maps;
}

function emptyTexts(map: Buffer, path: string): number {
  const count = map.readUInt32LE(0);
  let dropped = 0;
  for (let i = 0; i < count; i++) {
    const entry = 8 + (count + i) * 8;
    const [from, length] = [map.readUInt32LE(entry), map.readUInt32LE(entry + 4)];
    if (length === 0) continue;
    if (from + length > map.length || map.readUInt32LE(from) !== ZSTD_MAGIC) {
      throw unexpected(path, "a source text is not where it should be");
    }
    map.fill(0, from, from + length);
    map.writeUInt32LE(0, entry + 4);
    dropped += length;
  }
  return dropped;
}

function unexpected(path: string, reason: string): Error {
  return new Error(
    `Cannot take the source texts out of ${path}: ${reason}; Bun's layout has changed`,
  );
}
