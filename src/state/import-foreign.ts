import type { Database, SQLQueryBindings } from "bun:sqlite";
import type { CheckpointOptions } from "../sdk/checkpoint.ts";
import { type PositionRow, tables } from "./position-table.ts";
import { isDamage } from "./sqlite-problems.ts";

/**
 * The positions in another program's database, by what the input knows of it. Changes nothing. Throws an Error for
 * the user when the database is nothing that the input knows.
 */
export function foreignPositions(
  database: Database,
  { migrate, owner }: Pick<CheckpointOptions, "migrate"> & { readonly owner: string },
): PositionRow[] {
  const names = tables(database);
  let positions: ReadonlyMap<string, string> | undefined;
  try {
    positions = migrate?.({
      hasTable: (name) => names.includes(name),
      query: (sql) => queryForeign(database, sql),
    });
  } catch (error) {
    if (!isDamage(error)) throw error;
    throw new Error(
      `it is a damaged database of another program (${names.join(", ")}): ` +
        "move it away to begin without positions, or choose another file",
      { cause: error },
    );
  }
  if (positions === undefined) {
    throw new Error(
      `it is a database of another program (${names.join(", ")}): choose another file`,
    );
  }
  return [...positions].map(([stream, position]) => ({ owner, stream, position, order: 0 }));
}

function queryForeign(database: Database, sql: string): Record<string, unknown>[] {
  const statement = database.prepare<Record<string, unknown>, SQLQueryBindings[]>(sql);
  try {
    return statement.safeIntegers(true).all().map(narrow);
  } finally {
    statement.finalize();
  }
}

/** Whole numbers that a double holds become one. */
function narrow(row: Record<string, unknown>): Record<string, unknown> {
  for (const [name, value] of Object.entries(row)) {
    if (typeof value === "bigint" && Number.isSafeInteger(Number(value))) row[name] = Number(value);
  }
  return row;
}
