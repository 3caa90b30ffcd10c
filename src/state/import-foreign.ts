import type { Database, SQLQueryBindings } from "bun:sqlite";
import { countOf } from "../lib/count-of.ts";
import type { CheckpointOptions } from "../sdk/checkpoint.ts";
import type { Logger } from "../sdk/context.ts";
import { createTables, tables } from "./position-table.ts";

/**
 * Takes the positions of another program over, into tables of our own beside its own. Throws an Error for the user
 * when the database is nothing that the input knows; then nothing was changed.
 */
export function importForeign(
  database: Database,
  { migrate, owner, path, log }: Pick<CheckpointOptions, "migrate"> & {
    readonly owner: string;
    readonly path: string;
    readonly log: Logger;
  },
): void {
  const names = tables(database);
  const positions = migrate?.({
    hasTable: (name) => names.includes(name),
    query: (sql) => {
      const statement = database.prepare<Record<string, unknown>, SQLQueryBindings[]>(sql);
      try {
        return statement.safeIntegers(true).all().map(narrow);
      } finally {
        statement.finalize();
      }
    },
  });
  if (positions === undefined) {
    throw new Error(
      `it is a database of another program (${names.join(", ")}): choose another file`,
    );
  }
  const rows = [...positions].map(([stream, position]) => ({ owner, stream, position, order: 0 }));
  createTables(database, rows);
  log.info(`Took over ${countOf(rows.length, "position")} from the database in ${path}`);
}

/** Whole numbers that a double holds become one. */
function narrow(row: Record<string, unknown>): Record<string, unknown> {
  for (const [name, value] of Object.entries(row)) {
    if (typeof value === "bigint" && Number.isSafeInteger(Number(value))) row[name] = Number(value);
  }
  return row;
}
