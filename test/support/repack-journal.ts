import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";

/** What old versions of journald packed fields with, and this version only reads. */
export type OldPacking = "xz" | "lz4";

const MIN_BYTES = 512;
const TYPE = { data: 1, field: 2, entry: 3, fieldTable: 4, dataTable: 5, entryArray: 6 };

interface JournalObject {
  readonly offset: number;
  readonly type: number;
  bytes: Buffer;
}

/**
 * Writes a journal file again, with its long fields packed. The file must have been made without packing. Objects
 * change their places by that, and so every offset in the file changes too.
 */
export function repackJournal(from: string, to: string, packing: OldPacking): void {
  const source = readFileSync(from);
  const isCompact = (source.readUInt32LE(12) & 16) !== 0;
  const headerBytes = number(source, 88);
  const payload = isCompact ? 72 : 64;
  const objects = objectsOf(source, headerBytes, number(source, 136));
  const places = new Map<number, number>([[0, 0]]);
  let end = headerBytes;
  for (const object of objects) {
    if (object.type === TYPE.data) pack(object, payload, packing);
    places.set(object.offset, end);
    end += Math.ceil(object.bytes.length / 8) * 8;
  }
  const moved = (offset: number): number => {
    const place = places.get(offset);
    if (place === undefined) throw new Error(`Cannot repack ${from}: nothing is at ${offset}`);
    return place;
  };
  const out = Buffer.alloc(Math.ceil(end / 4096) * 4096);
  for (const object of objects) {
    for (const at of offsetsIn(object, isCompact)) put(object.bytes, at, moved);
    object.bytes.copy(out, moved(object.offset));
  }
  const header = Buffer.from(source.subarray(0, headerBytes));
  header.writeUInt32LE(header.readUInt32LE(12) | (packing === "xz" ? 1 : 2), 12);
  header.writeBigUInt64LE(BigInt(out.length - headerBytes), 96);
  // These two lead behind the headers of their objects.
  for (const at of [104, 120]) {
    header.writeBigUInt64LE(BigInt(moved(number(header, at) - 16) + 16), at);
  }
  for (const at of [136, 176]) put(header, { at, size: 8 }, moved);
  if (headerBytes >= 264) put(header, { at: 256, size: 4 }, moved);
  if (headerBytes >= 272) put(header, { at: 264, size: 8 }, moved);
  header.copy(out);
  writeFileSync(to, out);
}

interface Place {
  readonly at: number;
  readonly size: 4 | 8;
}

function objectsOf(source: Buffer, start: number, last: number): JournalObject[] {
  const objects: JournalObject[] = [];
  for (let offset = start; offset <= last;) {
    const size = number(source, offset + 8);
    const bytes = Buffer.from(source.subarray(offset, offset + size));
    objects.push({ offset, type: source[offset]!, bytes });
    offset += Math.ceil(size / 8) * 8;
  }
  return objects;
}

/** Where in an object there are offsets of others. */
function offsetsIn({ type, bytes }: JournalObject, isCompact: boolean): Place[] {
  const item = isCompact ? 4 : 8;
  switch (type) {
    case TYPE.data:
      return [
        ...[24, 32, 40, 48].map((at) => ({ at, size: 8 as const })),
        ...(isCompact ? [{ at: 64, size: 4 as const }] : []),
      ];
    case TYPE.field:
      return [24, 32].map((at) => ({ at, size: 8 }));
    case TYPE.entry:
      return range(64, bytes.length, isCompact ? 4 : 16, item);
    case TYPE.fieldTable:
    case TYPE.dataTable:
      return range(16, bytes.length, 8, 8);
    case TYPE.entryArray:
      return [{ at: 16, size: 8 }, ...range(24, bytes.length, item, item)];
    default:
      return [];
  }
}

function range(from: number, to: number, step: number, size: 4 | 8): Place[] {
  const places: Place[] = [];
  for (let at = from; at + size <= to; at += step) places.push({ at, size });
  return places;
}

function put(bytes: Buffer, { at, size }: Place, moved: (offset: number) => number): void {
  if (size === 4) bytes.writeUInt32LE(moved(bytes.readUInt32LE(at)), at);
  else bytes.writeBigUInt64LE(BigInt(moved(number(bytes, at))), at);
}

function pack(object: JournalObject, payload: number, packing: OldPacking): void {
  const plain = object.bytes.subarray(payload);
  if (plain.length < MIN_BYTES) return;
  const packed = packing === "xz" ? xz(plain) : lz4(plain);
  if (packed.length >= plain.length) return;
  object.bytes = Buffer.concat([object.bytes.subarray(0, payload), packed]);
  object.bytes[1] = packing === "xz" ? 1 : 2;
  object.bytes.writeBigUInt64LE(BigInt(object.bytes.length), 8);
}

function xz(plain: Buffer): Buffer {
  return run("xz", ["-c", "-z", "-0", "-C", "none"], plain);
}

/** The legacy frame is 4 bytes of magic, the size of the block in 4, and the block. */
function lz4(plain: Buffer): Buffer {
  const frame = run("lz4", ["-c", "-z", "-l"], plain);
  const size = Buffer.alloc(8);
  size.writeUInt32LE(plain.length, 0);
  return Buffer.concat([size, frame.subarray(8, 8 + frame.readUInt32LE(4))]);
}

function run(command: string, args: readonly string[], input: Buffer): Buffer {
  const { status, stdout, stderr } = spawnSync(command, args, { input, maxBuffer: 1 << 28 });
  if (status !== 0) throw new Error(`${command}: ${stderr}`);
  return stdout;
}

function number(bytes: Buffer, at: number): number {
  return Number(bytes.readBigUInt64LE(at));
}
