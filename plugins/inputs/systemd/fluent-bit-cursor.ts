import type { ForeignDatabase } from "logcollector/plugin";
import { readCursor } from "./journal/cursor.ts";

/** The position in a database of Fluent Bit's systemd input; `undefined` when it is not such a database. */
export function fluentBitCursor(
  database: ForeignDatabase,
  stream: string,
): ReadonlyMap<string, string> | undefined {
  if (!database.hasTable("in_systemd_cursor")) {
    // Fluent Bit's tail was there alone.
    return database.hasTable("in_tail_files") ? new Map() : undefined;
  }
  const [row] = database.query(
    "SELECT cursor FROM in_systemd_cursor ORDER BY updated DESC LIMIT 1",
  );
  const cursor = row?.cursor;
  const isCursor = typeof cursor === "string" && readCursor(cursor) !== undefined;
  return new Map(isCursor ? [[stream, cursor]] : []);
}
