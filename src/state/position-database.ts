import type { Database } from "bun:sqlite";
import { mkdirSync, realpathSync, statSync } from "node:fs";
import { basename, dirname } from "node:path";
import { countOf } from "../lib/count-of.ts";
import type { CheckpointOptions } from "../sdk/checkpoint.ts";
import type { Logger } from "../sdk/context.ts";
import { checkDatabase, connect, isOwnVersion, makeDatabase, newerVersion } from "./connect.ts";
import { type FileLock, lockFile } from "./file-lock.ts";
import { foreignPositions, unknownForeign } from "./import-foreign.ts";
import {
  contentOf,
  createTables,
  hasForeignTables,
  inTransaction,
  isToTakeOver,
  type KeptPosition,
  type PositionRow,
  putRow,
  putStatement,
  readableRows,
  readRows,
  removeStatement,
  takeOver,
  touchStatement,
  type Write,
} from "./position-table.ts";
import { removeDatabase, removeOldDamaged, replaceDatabase } from "./put-aside.ts";
import { scanPages } from "./scan-pages.ts";
import { isDamage, reasonOf } from "./sqlite-problems.ts";

export interface PositionDatabaseOptions extends Omit<CheckpointOptions, "path"> {
  readonly path: string;
  /** The input on whose behalf the file is opened: an alias, or nothing. */
  readonly owner: string;
  /** The input's plugin: of another program's positions each plugin takes over its own. */
  readonly plugin: string;
  readonly log: Logger;
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
}

/** How long another program may hold a commit up, in milliseconds. It is tried again anyway. */
const COMMIT_WAIT_MS = 100;

/** A database that is open and ours, with what is done to it. */
interface Connection {
  readonly database: Database;
  readonly put: Write;
  readonly take: Write;
  readonly touch: Write;
  synchronous: string;
}

/** An SQLite database with positions, locked for this process. */
export class PositionDatabase {
  readonly path: string;
  private readonly options: PositionDatabaseOptions;
  private readonly softSync: string;
  private readonly hardSync: string;
  private lock: FileLock;
  private connection: Connection | undefined;

  private constructor(options: PositionDatabaseOptions, lock: FileLock) {
    const { path, sync = "full", journalMode = "WAL" } = options;
    this.path = path;
    this.options = options;
    this.lock = lock;
    // Without a log of its own SQLite waits for the disk at each transaction, unless it is told not to wait at all.
    this.softSync = sync !== "off" && /^wal$/i.test(journalMode) ? "NORMAL" : "OFF";
    this.hardSync = sync === "off" ? "OFF" : sync === "extra" ? "EXTRA" : "FULL";
  }

  /**
   * Opens the file, or makes it. A damaged one is put aside, and what can be read of it goes on. Throws an Error for
   * the user when another process has it, when it is another program's, or when it cannot be written.
   */
  static open(options: PositionDatabaseOptions): PositionDatabase {
    const { path } = options;
    return forUser(`Cannot keep positions in ${path}`, () => {
      const stat = statSync(path, { throwIfNoEntry: false });
      if (stat !== undefined && !stat.isFile()) throw new Error("it is no file");
      const opened = new PositionDatabase(options, lockFile(path));
      try {
        opened.connected();
        return opened;
      } catch (error) {
        opened.close();
        throw error;
      }
    });
  }

  /** The one path of a file that may have several. Makes its folder. Throws an Error for the user. */
  static pathOf(path: string): string {
    return forUser(`Cannot keep positions in ${path}`, () => {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      try {
        return realpathSync(path);
      } catch {
        return `${realpathSync(dirname(path))}/${basename(path)}`;
      }
    });
  }

  /**
   * Takes over another program's positions for an input that has not done so yet. That program's tables stay as they
   * are, for inputs that come later. Throws an Error for the user.
   */
  takeOver(taker: PositionDatabaseOptions): void {
    forUser(`Cannot take over positions in ${this.path}`, () => {
      const { database } = this.synchronous(true);
      if (!hasForeignTables(database) || !isToTakeOver(database, taker)) return;
      const positions = foreignPositions(database, taker);
      if (positions !== undefined) this.give(positions, database, taker);
    });
  }

  positionsOf(owner: string): Map<string, KeptPosition> {
    const own = readRows(this.connected().database).filter((row) => row.owner === owner);
    return new Map(own.map(({ stream, position, order }) => [stream, { position, order }]));
  }

  /** Writes changes in one transaction. Throws an Error for the user; then nothing of it is there. */
  commit(
    owner: string,
    changed: ReadonlyMap<string, KeptPosition>,
    removed: ReadonlySet<string>,
    durable: boolean,
  ): void {
    const write = (): void => {
      const { database, put, take, touch } = this.synchronous(durable);
      const now = this.nowSec;
      inTransaction(database, () => {
        for (const [stream, { position, order }] of changed) {
          putRow(put, { owner, stream, position, order }, now);
        }
        for (const stream of removed) take.run(owner, stream);
        // Makes what earlier transactions left to the system durable too.
        if (changed.size + removed.size === 0) touch.run();
      });
    };
    forUser(`Cannot save positions in ${this.path}`, () => {
      try {
        write();
      } catch (error) {
        if (!isDamage(error)) throw error;
        this.repair(this.connection?.database);
        write();
      }
    });
  }

  close(): void {
    this.disconnect();
    this.lock.release();
  }

  private get nowSec(): number {
    return Math.floor(this.options.nowMs() / 1000);
  }

  private connected(): Connection {
    if (this.connection !== undefined) return this.connection;
    const database = connect(this.path, this.options.exclusive);
    try {
      return this.connection = this.begin(database);
    } catch (error) {
      if (isDamage(error)) return this.repair(database);
      database.close();
      throw error;
    }
  }

  /** Makes sure that the database is ours. Nothing is changed in one that is not. */
  private begin(database: Database): Connection {
    const { path, options } = this;
    const content = contentOf(database);
    if (content === "unknown") throw newerVersion(database);
    if (content === "empty") createTables(database, [], this.nowSec);
    else if (content === "foreign") {
      const positions = foreignPositions(database, options);
      if (positions === undefined) throw unknownForeign(database);
      createTables(database, [], this.nowSec);
      this.give(positions, database, options);
    } else if (!isOwnVersion(database)) {
      options.log.warn(
        `${path} was written by a newer version of this program: its positions are used as they are`,
      );
    }
    checkDatabase(database, path);
    return this.connectionOf(database);
  }

  private give(
    positions: ReadonlyMap<string, string>,
    database: Database,
    { owner, plugin, log }: PositionDatabaseOptions,
  ): void {
    takeOver(database, { owner, plugin }, positions, this.nowSec);
    const whose = owner === "" ? "" : ` for ${owner}`;
    log.info(
      `Took over ${countOf(positions.size, "position")} from the database in ${this.path}${whose}`,
    );
  }

  private connectionOf(database: Database): Connection {
    const { journalMode: mode = "WAL" } = this.options;
    database.exec(`PRAGMA journal_mode = ${/^[a-z]+$/i.test(mode) ? mode : "WAL"}`);
    database.exec(`PRAGMA busy_timeout = ${COMMIT_WAIT_MS}`);
    return {
      database,
      put: putStatement(database),
      take: removeStatement(database),
      touch: touchStatement(database),
      synchronous: "",
    };
  }

  private synchronous(durable: boolean): Connection {
    const connection = this.connected();
    const mode = durable ? this.hardSync : this.softSync;
    if (connection.synchronous !== mode) {
      connection.database.exec(`PRAGMA synchronous = ${mode}`);
      connection.synchronous = mode;
    }
    return connection;
  }

  /** Puts what can be read into a new file, and that in the place of the damaged one, which is kept. */
  private repair(damaged: Database | undefined): Connection {
    const { path, options } = this;
    const rows = salvage(path, damaged);
    this.disconnect();
    damaged?.close();
    const fresh = `${path}.recovered`;
    removeDatabase(fresh);
    // Locked before it gets its name, so that nobody finds it there without a lock.
    const lock = this.lock.isOfName ? this.lock : lockFile(fresh);
    try {
      makeDatabase(fresh, rows, this.nowSec);
      this.sayRepaired(rows, replaceDatabase(path, fresh, options.nowMs()));
    } catch (error) {
      if (lock !== this.lock) lock.release();
      removeDatabase(fresh);
      throw error;
    }
    if (lock !== this.lock) this.lock.release();
    this.lock = lock;
    const database = connect(path, options.exclusive);
    try {
      return this.connection = this.connectionOf(database);
    } catch (error) {
      database.close();
      throw error;
    }
  }

  private sayRepaired(rows: readonly PositionRow[], aside: string): void {
    const { path, options: { log } } = this;
    log.error(
      `${path} is damaged: ${
        countOf(rows.length, "position")
      } could be read and go on, the file is kept as ${aside}`,
    );
    for (const old of removeOldDamaged(path)) log.warn(`Removed ${old}: newer ones are kept`);
  }

  private disconnect(): void {
    const { connection } = this;
    this.connection = undefined;
    if (connection === undefined) return;
    for (const statement of [connection.put, connection.take, connection.touch]) {
      statement.finalize();
    }
    connection.database.close();
  }
}

/** What can be read of a damaged database, the newest of each stream. */
function salvage(path: string, database: Database | undefined): PositionRow[] {
  const newest = new Map<string, PositionRow>();
  const readable = database === undefined ? [] : readableRows(database);
  // Of two that are equally new the one that SQLite still finds counts.
  for (const row of [...scanPages(path), ...readable]) {
    const key = `${row.owner}\n${row.stream}`;
    if ((newest.get(key)?.order ?? -1) <= row.order) newest.set(key, row);
  }
  return [...newest.values()];
}

function forUser<T>(what: string, attempt: () => T): T {
  try {
    return attempt();
  } catch (error) {
    throw new Error(`${what}: ${reasonOf(error)}`, { cause: error });
  }
}
