import { readFileSync } from "node:fs";
import { isWhole, type PositionRow } from "./position-table.ts";

/** Larger files are not looked through: they are read into memory whole. */
const MAX_BYTES = 256 * 1024 * 1024;
const WAL_HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
const FILE_HEADER_BYTES = 100;
const LEAF = 0x0a;
const INNER = 0x02;

/**
 * The positions in the pages of a database file and of its log, whatever else is wrong with them: a row is
 * recognised by its checksum. Older rows of a stream may be among them, and rows that were deleted; rows so long that
 * they continue on another page are not.
 */
export function scanPages(path: string): PositionRow[] {
  const file = bytesOf(path);
  const log = bytesOf(`${path}-wal`);
  const size = pageSizeOf(file);
  const rows: PositionRow[] = [];
  const add = (page: Buffer, headerAt: number) => void rows.push(...rowsOf(page, headerAt));
  for (let at = 0; at < file.length; at += size) {
    add(file.subarray(at, at + size), at === 0 ? FILE_HEADER_BYTES : 0);
  }
  const frame = FRAME_HEADER_BYTES + size;
  for (let at = WAL_HEADER_BYTES; at < log.length; at += frame) {
    add(log.subarray(at + FRAME_HEADER_BYTES, at + frame), 0);
  }
  return rows;
}

function bytesOf(path: string): Buffer {
  try {
    const bytes = readFileSync(path);
    return bytes.length > MAX_BYTES ? bytes.subarray(0, 0) : bytes;
  } catch {
    return Buffer.alloc(0);
  }
}

function pageSizeOf(file: Buffer): number {
  const size = file.length < 18 ? 0 : file.readUInt16BE(16);
  const isPlausible = size >= 512 && (size & (size - 1)) === 0;
  return isPlausible ? size : size === 1 ? 65_536 : 4096;
}

/** The rows of a page of an index, which is what a table without row numbers is kept in. */
function* rowsOf(page: Buffer, headerAt: number): Generator<PositionRow> {
  const kind = page[headerAt];
  if (kind !== LEAF && kind !== INNER || page.length < headerAt + 12) return;
  const pointers = headerAt + (kind === LEAF ? 8 : 12);
  const cells = page.readUInt16BE(headerAt + 3);
  for (let i = 0; i < cells && pointers + 2 * i + 2 <= page.length; i++) {
    // Within an inner page the number of another page comes first.
    const at = page.readUInt16BE(pointers + 2 * i) + (kind === INNER ? 4 : 0);
    const row = rowAt(page, at);
    if (row !== undefined) yield row;
  }
}

/** A cell: the length of the record, the length of its head, a type for each column, the columns. */
function rowAt(page: Buffer, cellAt: number): PositionRow | undefined {
  const cursor = { at: cellAt };
  const length = varint(page, cursor);
  const recordAt = cursor.at;
  if (recordAt + length > page.length) return undefined;
  const valuesAt = recordAt + varint(page, cursor);
  const types: number[] = [];
  while (cursor.at < valuesAt && types.length < COLUMNS) types.push(varint(page, cursor));
  if (types.length < COLUMNS) return undefined;
  cursor.at = valuesAt;
  const values = types.map((type) => valueOf(page, cursor, type));
  const [owner, stream, position, order, , sum] = values;
  const row = { owner, stream, position, order, sum } as PositionRow & { sum: number };
  return isWhole(row) ? row : undefined;
}

const COLUMNS = 6;

interface Cursor {
  at: number;
}

/** Seven bits a byte, the high ones first; the ninth byte, of numbers that no record here has, is not read. */
function varint(page: Buffer, cursor: Cursor): number {
  let value = 0;
  for (let i = 0; i < 8; i++) {
    const byte = page[cursor.at++] ?? 0;
    value = value * 128 + (byte & 127);
    if (byte < 128) break;
  }
  return value;
}

const INTEGER_BYTES = [0, 1, 2, 3, 4, 6, 8];

function valueOf(page: Buffer, cursor: Cursor, type: number): string | number | undefined {
  const { at } = cursor;
  if (type === 8 || type === 9) return type - 8;
  const bytes = type >= 13 && type % 2 === 1 ? (type - 13) / 2 : INTEGER_BYTES[type];
  if (bytes === undefined || at + bytes > page.length) return undefined;
  cursor.at += bytes;
  if (type >= 13) return page.toString("utf8", at, at + bytes);
  if (bytes === 0) return undefined;
  return bytes <= 6 ? page.readIntBE(at, bytes) : Number(page.readBigInt64BE(at));
}
