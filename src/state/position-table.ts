import type { Database, Statement } from "bun:sqlite";

/** A position as it is kept: see the engine's `SavedPosition`. */
export interface KeptPosition {
  readonly position: string;
  readonly order: number;
}

export interface PositionRow extends KeptPosition {
  readonly owner: string;
  readonly stream: string;
}

export const FORMAT_VERSION = 1;

const CREATE = `
CREATE TABLE logcollector_meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE logcollector_positions (
  owner TEXT NOT NULL,
  stream TEXT NOT NULL,
  position TEXT NOT NULL,
  ord INTEGER NOT NULL,
  PRIMARY KEY (owner, stream)
) WITHOUT ROWID;
INSERT INTO logcollector_meta VALUES ('version', '${FORMAT_VERSION}');
`;

/** What a database holds, seen from here. */
export type Content = "empty" | "ours" | "foreign";

export function contentOf(database: Database): Content {
  const names = tables(database);
  if (names.includes("logcollector_positions")) return "ours";
  return names.length === 0 ? "empty" : "foreign";
}

export function tables(database: Database): string[] {
  const rows = all(database, "SELECT name FROM sqlite_master WHERE type = 'table'");
  return (rows as { name: string }[]).map(({ name }) => name);
}

/** The rows of a query. A statement that is left open would keep the database open. */
function all(database: Database, sql: string): unknown[] {
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

/** Makes the tables and puts rows in, in one transaction. */
export function createTables(database: Database, rows: Iterable<PositionRow>): void {
  inTransaction(database, () => {
    database.exec(CREATE);
    const put = putStatement(database);
    for (const { owner, stream, position, order } of rows) put.run(owner, stream, position, order);
    put.finalize();
  });
}

export function putStatement(database: Database): Statement {
  return database.prepare("INSERT OR REPLACE INTO logcollector_positions VALUES (?, ?, ?, ?)");
}

export function removeStatement(database: Database): Statement {
  return database.prepare("DELETE FROM logcollector_positions WHERE owner = ? AND stream = ?");
}

/** All rows. Throws when the database is damaged. */
export function readRows(database: Database): PositionRow[] {
  return database.query(
    "SELECT owner, stream, position, ord AS [order] FROM logcollector_positions",
  )
    .all() as PositionRow[];
}

/** As many rows as can be read of a damaged database: from the front, and from the back. */
export function salvageRows(database: Database): PositionRow[] {
  const rows = new Map<string, PositionRow>();
  for (const direction of ["ASC", "DESC"]) {
    let query: Statement | undefined;
    try {
      query = database.prepare(
        `SELECT owner, stream, position, ord AS [order] FROM logcollector_positions
         ORDER BY owner ${direction}, stream ${direction}`,
      );
      for (const row of query.iterate() as Iterable<PositionRow>) {
        const isWhole = typeof row.stream === "string" && typeof row.position === "string" &&
          typeof row.order === "number";
        if (isWhole) rows.set(`${row.owner}\n${row.stream}`, row);
      }
    } catch {
      // Up to here, and then from the other end.
    } finally {
      query?.finalize();
    }
  }
  return [...rows.values()];
}
