import type { Database, SQLQueryBindings, Statement } from "bun:sqlite";
import { damageError } from "./sqlite-problems.ts";

/** A position as it is kept: see the engine's `SavedPosition`. */
export interface KeptPosition {
  readonly position: string;
  readonly order: number;
}

export interface PositionRow extends KeptPosition {
  readonly owner: string;
  readonly stream: string;
}

/** The input that has the positions of an owner: several plugins may share one, when none of them has a name. */
export interface Taker {
  readonly owner: string;
  readonly plugin: string;
}

/** A prepared statement with values for its question marks. */
export type Write = Statement<unknown, SQLQueryBindings[]>;

export const FORMAT_VERSION = 1;
/** "lgcl" in the header of databases that were made here, for whoever wonders what they are. */
const APPLICATION_ID = 0x6c67636c;

const CREATE = `
CREATE TABLE logcollector_meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE logcollector_positions (
  owner TEXT NOT NULL,
  stream TEXT NOT NULL,
  position TEXT NOT NULL,
  ord INTEGER NOT NULL,
  written INTEGER NOT NULL, -- seconds since 1970
  sum INTEGER NOT NULL, -- CRC-32 of owner, stream, ord and position, joined by line feeds
  PRIMARY KEY (owner, stream)
) WITHOUT ROWID;
INSERT INTO logcollector_meta VALUES ('version', '${FORMAT_VERSION}');
`;

/**
 * What a database holds, seen from here. `unknown`: it was made here, and has nothing of what this version looks
 * for. Throws when the database is damaged.
 */
export type Content = "empty" | "ours" | "foreign" | "unknown";

export function contentOf(database: Database): Content {
  const names = tables(database);
  if (names.includes("logcollector_positions")) return "ours";
  if (names.length === 0) return "empty";
  const [row] = all(database, "PRAGMA application_id");
  return (row as { application_id: number }).application_id === APPLICATION_ID
    ? "unknown"
    : "foreign";
}

export function tables(database: Database): string[] {
  const rows = all(database, "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')");
  return (rows as { name: string }[]).map(({ name }) => name);
}

/** Another program's tables are in the database too. */
export function hasForeignTables(database: Database): boolean {
  return tables(database).some(isForeign);
}

/** The table is not ours, nor SQLite's. */
export function isForeign(table: string): boolean {
  return !/^(?:logcollector|sqlite)_/.test(table);
}

/** The rows of a query. A statement that is left open would keep the database open. */
export function all(database: Database, sql: string): unknown[] {
  const statement = database.prepare(sql);
  try {
    return statement.all();
  } finally {
    statement.finalize();
  }
}

/** Does the work in one transaction, or nothing of it. */
export function inTransaction(database: Database, work: () => void): void {
  database.exec("BEGIN IMMEDIATE");
  try {
    work();
    database.exec("COMMIT");
  } catch (error) {
    try {
      database.exec("ROLLBACK");
    } catch {
      // Some failures end the transaction by themselves.
    }
    throw error;
  }
}

/** The version that wrote the database; 0 when it does not say. */
export function versionOf(database: Database): number {
  try {
    const [row] = all(database, "SELECT value FROM logcollector_meta WHERE key = 'version'");
    return Number((row as { value?: string } | undefined)?.value ?? 0);
  } catch {
    return 0;
  }
}

/**
 * Whether an input is still to take over what is in another program's tables. One that has positions, and no note that
 * says how it came by them, took them over before there were such notes.
 */
export function isToTakeOver(database: Database, { owner, plugin }: Taker): boolean {
  const notes = all(database, "SELECT key FROM logcollector_meta WHERE key LIKE 'took over%'")
    .map((row) => (row as { key: string }).key);
  if (notes.includes(takeoverNote({ owner, plugin }))) return false;
  const isNoted = notes.some((note) => note.endsWith(`\n${owner}`));
  return isNoted || !readRows(database).some((row) => row.owner === owner);
}

/** Puts down what an input takes over, and that it did, in one transaction. What it has of a stream stays. */
export function takeOver(
  database: Database,
  taker: Taker,
  positions: ReadonlyMap<string, string>,
  nowSec: number,
): void {
  const { owner } = taker;
  const own = new Set(
    readRows(database).filter((row) => row.owner === owner).map(({ stream }) => stream),
  );
  inTransaction(database, () => {
    const put = putStatement(database);
    for (const [stream, position] of positions) {
      if (!own.has(stream)) putRow(put, { owner, stream, position, order: 0 }, nowSec);
    }
    put.finalize();
    const note = database.prepare<unknown, SQLQueryBindings[]>(
      "INSERT OR REPLACE INTO logcollector_meta (key, value) VALUES (?, ?)",
    );
    note.run(takeoverNote(taker), String(nowSec));
    note.finalize();
  });
}

function takeoverNote({ owner, plugin }: Taker): string {
  return `took over\n${plugin}\n${owner}`;
}

/** Makes the tables and puts rows in, in one transaction. */
export function createTables(
  database: Database,
  rows: Iterable<PositionRow>,
  nowSec: number,
): void {
  const isNew = tables(database).length === 0;
  inTransaction(database, () => {
    // Another program's database keeps its own.
    if (isNew) database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
    database.exec(CREATE);
    const put = putStatement(database);
    for (const row of rows) putRow(put, row, nowSec);
    put.finalize();
  });
}

/** For {@link putRow}. */
export function putStatement(database: Database): Write {
  return database.prepare(
    `INSERT OR REPLACE INTO logcollector_positions (owner, stream, position, ord, written, sum)
     VALUES (?, ?, ?, ?, ?, ?)`,
  );
}

export function putRow(put: Write, row: PositionRow, nowSec: number): void {
  const { owner, stream, position, order } = row;
  put.run(owner, stream, position, order, nowSec, sumOf(row));
}

/** SQLite has no checksums: without this one, a row that is damaged would be a wrong position. */
function sumOf({ owner, stream, order, position }: PositionRow): number {
  return Bun.hash.crc32(`${owner}\n${stream}\n${order}\n${position}`);
}

/** Values: owner, stream. */
export function removeStatement(database: Database): Write {
  return database.prepare("DELETE FROM logcollector_positions WHERE owner = ? AND stream = ?");
}

/** Changes something that nobody reads: for a transaction that only makes earlier ones durable. */
export function touchStatement(database: Database): Write {
  return database.prepare(
    `INSERT OR REPLACE INTO logcollector_meta (key, value)
     SELECT 'commits', COALESCE((SELECT value + 1 FROM logcollector_meta WHERE key = 'commits'), 1)`,
  );
}

const SELECT = "SELECT owner, stream, position, ord AS [order], sum FROM logcollector_positions";

/** All rows. Throws when the database is damaged. */
export function readRows(database: Database): PositionRow[] {
  const rows = all(database, SELECT) as SummedRow[];
  if (!rows.every(isWhole)) throw damageError("a position has another checksum");
  return rows;
}

/** As many rows as SQLite can read of a damaged database: from the front, and from the back. */
export function readableRows(database: Database): PositionRow[] {
  const rows: PositionRow[] = [];
  for (const direction of ["ASC", "DESC"]) {
    let query: Statement | undefined;
    try {
      query = database.prepare(`${SELECT} ORDER BY owner ${direction}, stream ${direction}`);
      for (const row of query.iterate() as Iterable<SummedRow>) if (isWhole(row)) rows.push(row);
    } catch {
      // Up to here, and then from the other end.
    } finally {
      query?.finalize();
    }
  }
  return rows;
}

/** A row as it was read, with its checksum. */
export interface SummedRow extends PositionRow {
  readonly sum: number;
}

export function isWhole(row: SummedRow): boolean {
  return sumOf(row) === row.sum;
}
