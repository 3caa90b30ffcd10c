import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { cFunctions } from "../lib/c-library.ts";

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
  release(): void;
}

const { O_CREAT, O_RDWR } = constants;
const LOCK_EX = 2;
const LOCK_NB = 4;
const EXCLUSIVE_NOW = LOCK_EX | LOCK_NB;

/**
 * Locks a file, which is made when it is not there. Throws {@link LockedError}, and what the system says.
 *
 * The lock is flock's, which belongs to the descriptor. SQLite's own locks on a database are fcntl's: those are gone
 * as soon as any descriptor of the file is closed. So release this one after the database was closed.
 */
export function lockFile(path: string): FileLock {
  const fd = openSync(path, O_RDWR | O_CREAT, 0o600);
  try {
    if (flock(fd, EXCLUSIVE_NOW) !== 0) throw new LockedError(path, holderOf(fd));
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  let held = true;
  return {
    release() {
      if (held) closeSync(fd);
      held = false;
    },
  };
}

let loaded: ((fd: number, operation: number) => number) | undefined;

function flock(fd: number, operation: number): number {
  loaded ??= cFunctions({ flock: { args: ["i32", "i32"], returns: "i32" } }).flock as (
    fd: number,
    operation: number,
  ) => number;
  return loaded(fd, operation);
}

/** The system's list of locks names the process: `1: FLOCK  ADVISORY  WRITE 4711 fe:00:1234 0 EOF`. */
function holderOf(fd: number): number | undefined {
  try {
    const { ino } = fstatSync(fd);
    for (const line of readFileSync("/proc/locks", "utf8").split("\n")) {
      const match = /FLOCK\s+ADVISORY\s+WRITE\s+(\d+)\s+[0-9a-f]+:[0-9a-f]+:(\d+)\s/.exec(line);
      if (match !== null && Number(match[2]) === ino) return Number(match[1]) || undefined;
    }
  } catch {
    // Then it stays unknown.
  }
  return undefined;
}
