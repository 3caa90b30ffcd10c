import type { Database } from "bun:sqlite";
import { statSync } from "node:fs";
import {
  all,
  createTables,
  FORMAT_VERSION,
  type PositionRow,
  readRows,
  versionOf,
} from "./position-table.ts";
import { damageError, isDamage } from "./sqlite-problems.ts";

/** How long another program may keep us from opening a database, in milliseconds. */
const OPEN_WAIT_MS = 2000;
/** A database up to this size is looked through when it is opened, in bytes: it takes a millisecond. */
const CHECKED_BYTES = 1024 * 1024;

/** Opens a database, which is made when it is not there. What is wrong with it may show only when it is used. */
export function connect(path: string, exclusive = false): Database {
  // Loaded when it is asked for: it costs two megabytes.
  const { Database } = require("bun:sqlite") as typeof import("bun:sqlite");
  const database = new Database(path, { create: true, readwrite: true });
  try {
    database.exec(`PRAGMA busy_timeout = ${OPEN_WAIT_MS}`);
    if (exclusive) database.exec("PRAGMA locking_mode = EXCLUSIVE");
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Makes a database with these positions, on the disk. */
export function makeDatabase(path: string, rows: readonly PositionRow[], nowSec: number): void {
  const database = connect(path);
  try {
    createTables(database, rows, nowSec);
  } finally {
    database.close();
  }
}

/** Throws when the database is damaged, as far as it can be told cheaply. */
export function checkDatabase(database: Database, path: string): void {
  readRows(database);
  if (statSync(path).size > CHECKED_BYTES) return;
  const [row] = all(database, "PRAGMA quick_check(1)") as Record<string, unknown>[];
  const [finding] = Object.values(row ?? {});
  if (finding !== "ok") throw damageError(String(finding));
}

/** True when the database is of this version; false when it is of a newer one, and can be read. Throws otherwise. */
export function isOwnVersion(database: Database): boolean {
  const version = versionOf(database);
  if (version <= FORMAT_VERSION) return true;
  try {
    readRows(database);
    return false;
  } catch (error) {
    if (isDamage(error)) throw error;
    throw newerVersion(database);
  }
}

export function newerVersion(database: Database): Error {
  return new Error(
    `it was written by a newer version of this program (format ${
      versionOf(database) || "unknown"
    }, known is ${FORMAT_VERSION}): update the collector, or choose another file`,
  );
}
