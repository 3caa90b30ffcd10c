import { basename, dirname } from "node:path";
import type { ForeignDatabase } from "logcollector/plugin";
import { NO_BYTES } from "./fingerprint.ts";
import { generationsOf } from "./generations.ts";
import type { Place } from "./place.ts";
import { type Position, writePosition } from "./position.ts";

/**
 * The positions in a database of Fluent Bit's tail, as this plugin's own, by stream; `undefined` when it is not such
 * a database. Those of files that other inputs want are among them: they matter when this one comes to want them.
 *
 * Fluent Bit knows files by inode alone. Since 5.1 it keeps a hash of up to 32 bytes in front of the offset, before
 * that nothing that tells a file from the next one with its inode. The offset is that of the first byte that it has
 * not made a record of; before 5.1 it may lie inside a line that was not whole yet.
 */
export function fluentBitPositions(
  database: ForeignDatabase,
  isWanted: (path: string) => boolean,
  nowSec: number,
): Map<string, string> | undefined {
  if (!database.hasTable("in_tail_files")) {
    // Fluent Bit's systemd input was there alone.
    return database.hasTable("in_systemd_cursor") ? new Map() : undefined;
  }
  const positions = new Map<string, string>();
  // Of several rows with one inode the last counts. Older databases lack some columns.
  for (const row of database.query("SELECT * FROM in_tail_files ORDER BY id")) {
    const position = positionOf(row, isWanted, nowSec);
    if (position === undefined) continue;
    positions.set(`fluent-bit:${position.file.ino}`, writePosition(position));
  }
  return positions;
}

type Row = Readonly<Record<string, unknown>>;

function positionOf(
  row: Row,
  isWanted: (path: string) => boolean,
  nowSec: number,
): Position | undefined {
  const { name } = row;
  const [ino, offset, created] = [numberOf(row.inode), numberOf(row.offset), numberOf(row.created)];
  if (typeof name !== "string" || ino <= 0 || offset < 0) return undefined;
  const path = isWanted(name) ? name : beforeRotation(name, isWanted);
  const place = placeOf(row, name, offset);
  return {
    file: {
      path,
      home: path,
      dev: undefined,
      ino,
      birthMs: 0,
      // A row may be left from an earlier file, but then the hash tells.
      madeBeforeMs: place.mark.bytes === 0 && created > 0 ? (created + 1) * 1000 : undefined,
      // It tells when Fluent Bit last looked for files, and for others than these it may never have.
      sinceMs: isWanted(path) ? created * 1000 : 0,
    },
    place,
    isDone: false,
    isDeleted: false,
    seenSec: nowSec,
  };
}

function placeOf(row: Row, name: string, offset: number): Place {
  const bytes = Math.min(numberOf(row.offset_marker_size), offset);
  const mark = bytes > 0 && bytes <= 32
    ? { bytes, hash: BigInt.asUintN(64, BigInt(row.offset_marker as number | bigint)) }
    : NO_BYTES;
  const isCompressed = name.endsWith(".gz");
  return {
    offset: isCompressed ? 0 : offset,
    mark,
    head: NO_BYTES,
    inLongLine: false,
    mayBeInLine: !isCompressed,
    packedBytes: isCompressed ? offset : undefined,
  };
}

/** A row names a rotated file as it is called now: records speak of what it was called before. */
function beforeRotation(name: string, isWanted: (path: string) => boolean): string {
  const before = name.replace(/[-._]\d[-._\dTZ:+]*$/, "");
  const isGeneration = generationsOf(basename(before)).matches(basename(name));
  return dirname(before) === dirname(name) && isGeneration && isWanted(before) ? before : name;
}

/** Columns that are missing or `NULL` count as 0. */
function numberOf(value: unknown): number {
  return typeof value === "number" || typeof value === "bigint" ? Number(value) : 0;
}
