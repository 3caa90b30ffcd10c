import {
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
} from "node:fs";
import { basename, dirname } from "node:path";

/** What SQLite keeps beside a database. */
const COMPANIONS = ["-wal", "-shm", "-journal"];
/** Damaged files of one name that are kept. */
const MAX_KEPT = 3;

/** A database's files are gone, all of them. */
export function removeDatabase(path: string): void {
  for (const suffix of ["", ...COMPANIONS]) rmSync(path + suffix, { force: true });
}

/**
 * Puts a whole database in the place of a damaged one, which is kept under another name: at any moment there is one
 * of them at the path. Both must be closed. Returns the damaged one's new name.
 */
export function replaceDatabase(path: string, whole: string, nowMs: number): string {
  const time = new Date(nowMs).toISOString().replace(/[-:.]/g, "");
  const aside = `${path}.damaged-${time}`;
  keepAs(path, aside);
  // A log of the damaged one would be played into the new one.
  for (const suffix of COMPANIONS) {
    if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);
  }
  renameSync(whole, path);
  syncFolder(dirname(path));
  return aside;
}

/** Removes all but the newest damaged files of this path. Returns those that are gone. */
export function removeOldDamaged(path: string): string[] {
  const prefix = `${basename(path)}.damaged-`;
  const names = readdirSync(dirname(path)).filter((name) =>
    name.startsWith(prefix) && /^\d{8}T\d{9}Z$/.test(name.slice(prefix.length))
  );
  const old = names.sort().slice(0, -MAX_KEPT).map((name) => `${dirname(path)}/${name}`);
  for (const each of old) removeDatabase(each);
  return old;
}

function keepAs(path: string, aside: string): void {
  try {
    linkSync(path, aside);
  } catch {
    // Some file systems know no second name for a file: then there is none at the path for a moment.
    renameSync(path, aside);
  }
}

function syncFolder(path: string): void {
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
