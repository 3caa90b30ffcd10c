/** What SQLite says when a file is no database, or not a whole one. */
export function isDamage(error: unknown): boolean {
  // For a header with numbers in it that no version writes there is no code of its own.
  return /^SQLITE_(NOTADB|CORRUPT)/.test(codeOf(error)) ||
    (error as Error | undefined)?.message === "unsupported file format";
}

/** Damage that a check found, in the form of SQLite's own. */
export function damageError(what: string): Error {
  return Object.assign(new Error(what), { code: "SQLITE_CORRUPT" });
}

const RIGHTS = "give this user the right to write to the file and its folder, or choose another";
const REMEDIES: Readonly<Record<string, string>> = {
  EACCES: RIGHTS,
  EPERM: RIGHTS,
  EROFS: "choose a path that can be written to",
  ENOSPC: "make room, or choose a path on another disk",
  SQLITE_READONLY: RIGHTS,
  SQLITE_CANTOPEN: RIGHTS,
  SQLITE_IOERR_SHMSIZE: "make room on the disk",
  SQLITE_FULL: "make room on the disk",
  SQLITE_BUSY: "another program is writing to the database",
};

/** What went wrong, for people, and what to do about it where that is known. */
export function reasonOf(error: unknown): string {
  const code = codeOf(error);
  const message = error instanceof Error ? error.message : String(error);
  const text = code === "" || message.includes(code) ? message : `${message} (${code})`;
  // Extended codes begin with the general one: SQLITE_READONLY_DIRECTORY.
  const known = Object.keys(REMEDIES).find((each) => code === each || code.startsWith(`${each}_`));
  return known === undefined ? text : `${text}: ${REMEDIES[known]}`;
}

function codeOf(error: unknown): string {
  return String((error as { code?: unknown } | null)?.code ?? "");
}
