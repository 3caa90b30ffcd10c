import { basename, dirname } from "node:path";
import type { BirthTimes } from "./birth-times.ts";
import { FolderListing } from "./folder-listing.ts";
import { generationsOf } from "./generations.ts";
import type { FoundFile } from "./scan.ts";

const EXTENSION = ".gz";
/** Compressed files that are looked into for one file, the youngest: each is unpacked once. */
const MAX_FILES = 8;

export interface PackedOptions {
  readonly births: BirthTimes;
  /** Somebody reads it, or has looked into it. */
  readonly isTaken: (found: FoundFile) => boolean;
}

/** Which of a file's compressed generations are wanted, in milliseconds since 1970. */
export interface PackedSince {
  /** They were compressed since. */
  readonly madeMs: number;
  /** What is in them was written to since. */
  readonly changedMs: number;
}

/** The compressed generations of a file, in the order in which what is in them was written. */
export function packedGenerations(
  home: string,
  since: PackedSince,
  { births, isTaken }: PackedOptions,
): FoundFile[] {
  const name = basename(home);
  const names = generationsOf(name);
  const isPacked = (other: string) => {
    if (!other.endsWith(EXTENSION)) return false;
    const plain = other.slice(0, -EXTENSION.length);
    return plain === name || names.matches(plain);
  };
  return new FolderListing(dirname(home)).filesWith(names.stem, isPacked)
    .filter(({ stat }) => (births.of(stat) || stat.ctimeMs) >= since.madeMs)
    // Compressing keeps the time of the last change.
    .filter(({ stat }) => stat.mtimeMs >= since.changedMs)
    .filter((found) => !isTaken(found))
    .sort((a, b) => a.stat.mtimeMs - b.stat.mtimeMs).slice(-MAX_FILES);
}

/** The paths that what is in a compressed file may have been known under: without its extension, and before that. */
export function pathsBeforePacking(path: string): string[] {
  if (!path.endsWith(EXTENSION)) return [];
  const plain = path.slice(0, -EXTENSION.length);
  const before = plain.replace(/[-._]\d[-._\dTZ:+]*$/, "");
  return before === plain ? [plain] : [plain, before];
}
