import type { Database, SQLQueryBindings, Statement } from "bun:sqlite";
import { existsSync, mkdirSync, realpathSync, renameSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { countOf } from "../lib/count-of.ts";
import type { CheckpointOptions } from "../sdk/checkpoint.ts";
import type { Logger } from "../sdk/context.ts";
import { type FileLock, lockFile } from "./file-lock.ts";
import { importForeign } from "./import-foreign.ts";
import {
  contentOf,
  createTables,
  FORMAT_VERSION,
  inTransaction,
  type KeptPosition,
  type PositionRow,
  putStatement,
  readRows,
  removeStatement,
  salvageRows,
  versionOf,
} from "./position-table.ts";

export interface CheckpointFileOptions extends Omit<CheckpointOptions, "path"> {
  readonly path: string;
  /** Tells the inputs apart that share the file: an alias, or nothing. */
  readonly owner: string;
  readonly log: Logger;
  /** Milliseconds since 1970, for the names of damaged files. */
  readonly nowMs: () => number;
}

/** A database that is open, for all inputs of this process that keep their positions in it. */
interface Shared {
  readonly path: string;
  readonly lock: FileLock;
  readonly database: Database;
  readonly put: Statement<unknown, SQLQueryBindings[]>;
  readonly take: Statement<unknown, SQLQueryBindings[]>;
  readonly owners: Set<string>;
  /** Does not wait for the disk, and does. */
  readonly synchronous: { readonly soft: string; readonly hard: string };
  current: string;
  users: number;
}

const open = new Map<string, Shared>();

/** Positions of one input in an SQLite database. Shaped like the engine's `CheckpointFile`. */
export class CheckpointFile {
  readonly saved: ReadonlyMap<string, KeptPosition>;
  private readonly shared: Shared;
  private readonly owner: string;
  private closed = false;

  private constructor(shared: Shared, owner: string) {
    this.shared = shared;
    this.owner = owner;
    const own = readRows(shared.database).filter((row) => row.owner === owner);
    this.saved = new Map(
      own.map(({ stream, position, order }) => [stream, { position, order }]),
    );
  }

  /**
   * Opens the file, or makes it. A damaged one is put aside, and what can be read of it goes on. Throws an Error for
   * the user when another process has it, when it is another program's, or when it cannot be written.
   */
  static open(options: CheckpointFileOptions): CheckpointFile {
    const { path, owner, log } = options;
    const key = keyOf(path);
    let shared = open.get(key);
    if (shared === undefined) {
      shared = openShared(options);
      open.set(key, shared);
    }
    if (shared.owners.has(owner)) {
      log.warn(`Another input keeps its positions in ${path} too: give both an alias`);
    }
    shared.owners.add(owner);
    shared.users++;
    return new CheckpointFile(shared, owner);
  }

  commit(
    changed: ReadonlyMap<string, KeptPosition>,
    removed: ReadonlySet<string>,
    durable: boolean,
  ): void {
    const { shared, owner } = this;
    const { database, put, take } = shared;
    try {
      setSynchronous(shared, durable ? shared.synchronous.hard : shared.synchronous.soft);
      inTransaction(database, () => {
        for (const [stream, { position, order }] of changed) {
          put.run(owner, stream, position, order);
        }
        for (const stream of removed) take.run(owner, stream);
        // Makes what earlier transactions left to the system durable too.
        if (changed.size + removed.size === 0) database.exec(TOUCH);
      });
    } catch (error) {
      throw new Error(`Cannot save positions in ${shared.path}: ${reasonOf(error)}`, {
        cause: error,
      });
    }
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    const { shared } = this;
    shared.owners.delete(this.owner);
    if (--shared.users > 0) return;
    for (const [key, each] of open) if (each === shared) open.delete(key);
    closeShared(shared);
  }
}

const TOUCH = `INSERT OR REPLACE INTO logcollector_meta
  SELECT 'commits', COALESCE((SELECT value + 1 FROM logcollector_meta WHERE key = 'commits'), 1)`;

function keyOf(path: string): string {
  return existsSync(path) ? realpathSync(path) : path;
}

function openShared(options: CheckpointFileOptions): Shared {
  const { path } = options;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat !== undefined && !stat.isFile()) throw new Error("it is no file");
    const lock = lockFile(path);
    try {
      return openLocked(options, lock);
    } catch (error) {
      lock.release();
      throw error;
    }
  } catch (error) {
    throw new Error(`Cannot keep positions in ${path}: ${reasonOf(error)}`, { cause: error });
  }
}

function openLocked(options: CheckpointFileOptions, lock: FileLock): Shared {
  let database: Database | undefined;
  try {
    database = connect(options);
    const content = contentOf(database);
    if (content === "empty") createTables(database, []);
    else if (content === "foreign") importForeign(database, options);
    else checkVersion(database, options);
    setJournalMode(database, options.journalMode);
    readRows(database);
    return sharedOf(options, database, lock);
  } catch (error) {
    if (!isDamage(error)) {
      database?.close();
      throw error;
    }
    return replaceDamaged(options, database, lock);
  }
}

function connect({ path, exclusive }: CheckpointFileOptions): Database {
  // Loaded when it is asked for: it costs two megabytes.
  const { Database } = require("bun:sqlite") as typeof import("bun:sqlite");
  const database = new Database(path, { create: true, readwrite: true });
  database.exec("PRAGMA busy_timeout = 2000");
  if (exclusive) database.exec("PRAGMA locking_mode = EXCLUSIVE");
  return database;
}

/** Only for a database that is ours: this changes it. */
function setJournalMode(database: Database, mode = "WAL"): void {
  database.exec(`PRAGMA journal_mode = ${/^[a-z]+$/i.test(mode) ? mode : "WAL"}`);
}

function sharedOf(
  { path, sync = "full", journalMode = "WAL" }: CheckpointFileOptions,
  database: Database,
  lock: FileLock,
): Shared {
  // Without a log of its own SQLite waits for the disk at each transaction, unless it is told not to wait at all.
  const soft = sync !== "off" && /^wal$/i.test(journalMode) ? "NORMAL" : "OFF";
  const hard = sync === "off" ? "OFF" : sync === "extra" ? "EXTRA" : "FULL";
  return {
    path,
    lock,
    database,
    put: putStatement(database),
    take: removeStatement(database),
    owners: new Set(),
    synchronous: { soft, hard },
    current: "",
    users: 0,
  };
}

function setSynchronous(shared: Shared, mode: string): void {
  if (shared.current === mode) return;
  shared.database.exec(`PRAGMA synchronous = ${mode}`);
  shared.current = mode;
}

function closeShared({ database, lock, put, take }: Shared): void {
  put.finalize();
  take.finalize();
  database.close();
  lock.release();
}

function checkVersion(database: Database, { path, log }: CheckpointFileOptions): void {
  const version = versionOf(database);
  if (version <= FORMAT_VERSION) return;
  try {
    readRows(database);
  } catch {
    throw new Error(
      `it was written by a newer version of this program (format ${version}, known is ${FORMAT_VERSION}): ` +
        "update the collector, or choose another file",
    );
  }
  log.warn(
    `${path} was written by a newer version of this program: its positions are used as they are`,
  );
}

/** Keeps the damaged file beside the new one, and in the new one what could be read. */
function replaceDamaged(
  options: CheckpointFileOptions,
  damaged: Database | undefined,
  lock: FileLock,
): Shared {
  const { path, log, nowMs } = options;
  let rows: PositionRow[] = [];
  if (damaged !== undefined) {
    rows = salvageRows(damaged);
    damaged.close();
  }
  const aside = `${path}.damaged-${nowMs()}`;
  for (const suffix of ["", "-wal", "-shm"]) {
    if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);
  }
  const own = lockFile(path);
  lock.release();
  const database = connect(options);
  createTables(database, rows);
  setJournalMode(database, options.journalMode);
  log.error(
    `${path} is damaged: ${
      countOf(rows.length, "position")
    } could be read and go on, the file is kept as ${join(dirname(path), basename(aside))}`,
  );
  return sharedOf(options, database, own);
}

function isDamage(error: unknown): boolean {
  const code = (error as { code?: string })?.code ?? "";
  return code.startsWith("SQLITE_NOTADB") || code.startsWith("SQLITE_CORRUPT");
}

function reasonOf(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  if (code === undefined || message?.includes(code)) return message ?? String(error);
  return `${message} (${code})`;
}
