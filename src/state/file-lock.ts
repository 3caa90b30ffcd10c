import { closeSync, constants, existsSync, openSync } from "node:fs";
import { cFunctions } from "../lib/c-library.ts";
import { lockHolder } from "./lock-holder.ts";

/** Another process has it. */
export class LockedError extends Error {
  override readonly name = "LockedError";
  /** The process that has it, when that is known. */
  readonly pid: number | undefined;

  constructor(path: string, pid: number | undefined) {
    const who = pid === undefined ? "another process" : `process ${pid}`;
    super(`${path} is in use by ${who}: only one collector may work with it`);
    this.pid = pid;
  }
}

/** A file that this process has for itself until it gives it up or ends, however it ends. */
export interface FileLock {
  /** What is locked is the name, whatever file has it; otherwise the file, whatever its name becomes. */
  readonly isOfName: boolean;
  release(): void;
}

/** flock(2) on a descriptor, without waiting. Returns the system's number of what is wrong; 0 when it is locked. */
export type Flock = (fd: number) => number;

/**
 * Locks a file, which is made when it is not there. Throws {@link LockedError}, and what the system says.
 *
 * The lock is flock's, which belongs to the descriptor. SQLite's own locks on a database are fcntl's, and those are
 * gone as soon as the process closes any descriptor of the file: so release this one after the database was closed.
 *
 * Where flock cannot be called (`null`), because the service manager allows no machine code to be made at run time,
 * the lock is a transaction of SQLite in an empty file beside it.
 */
export function lockFile(path: string, flock: Flock | null = systemFlock()): FileLock {
  return flock === null ? lockName(path) : lockDescriptor(path, flock);
}

const { O_CREAT, O_RDWR } = constants;

function lockDescriptor(path: string, flock: Flock): FileLock {
  const fd = openSync(path, O_RDWR | O_CREAT, 0o600);
  let held = true;
  const release = () => {
    if (held) closeSync(fd);
    held = false;
  };
  const failure = flock(fd);
  if (failure === 0) return { isOfName: false, release };
  const holder = failure === EWOULDBLOCK ? lockHolder("FLOCK", path) : undefined;
  release();
  if (failure === EWOULDBLOCK) throw new LockedError(path, holder);
  throw new Error(
    `Cannot lock ${path}: its file system refuses it (error ${failure}); choose a place on a local disk`,
  );
}

function lockName(path: string): FileLock {
  const { Database } = require("bun:sqlite") as typeof import("bun:sqlite");
  const name = `${path}-lock`;
  // Closing one that this process has locked already would give the lock away.
  if (!existsSync(name)) closeSync(openSync(name, O_RDWR | O_CREAT, 0o600));
  const database = new Database(name, { readwrite: true });
  try {
    database.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    if (!String((error as { code?: string }).code).startsWith("SQLITE_BUSY")) throw error;
    throw new LockedError(path, lockHolder("POSIX", name));
  }
  return { isOfName: true, release: () => database.close() };
}

const LOCK_EX = 2;
const LOCK_NB = 4;
const EWOULDBLOCK = 11;

let loaded: Flock | null | undefined;

function systemFlock(): Flock | null {
  return loaded === undefined ? loaded = loadFlock() : loaded;
}

function loadFlock(): Flock | null {
  try {
    const library = cFunctions({
      flock: { args: ["i32", "i32"], returns: "i32" },
      __errno_location: { args: [], returns: "ptr" },
    });
    const flock = library.flock as (fd: number, operation: number) => number;
    const errno = library.__errno_location as () => number;
    const { read } = require("bun:ffi") as typeof import("bun:ffi");
    return (fd) => flock(fd, LOCK_EX | LOCK_NB) === 0 ? 0 : read.i32(errno() as never);
  } catch {
    return null;
  }
}
