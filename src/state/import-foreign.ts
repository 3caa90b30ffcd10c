import type { Database, SQLQueryBindings } from "bun:sqlite";
import type { CheckpointOptions } from "../sdk/checkpoint.ts";
import { isForeign, tables } from "./position-table.ts";
import { isDamage } from "./sqlite-problems.ts";

/**
 * The positions in another program's database, by what the input knows of it; `undefined` when that is nothing. Changes
 * nothing. Throws an Error for the user when it is damaged.
 */
export function foreignPositions(
  database: Database,
  { migrate }: { readonly migrate?: CheckpointOptions["migrate"] | undefined },
): ReadonlyMap<string, string> | undefined {
  const names = tables(database).filter(isForeign);
  try {
    return migrate?.({
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
}

/** For the user, of a database that the input does not know. */
export function unknownForeign(database: Database): Error {
  return new Error(
    `it is a database of another program (${tables(database).join(", ")}): choose another file`,
  );
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
