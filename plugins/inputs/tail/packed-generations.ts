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

/**
 * The compressed generations of a file that were made after it was last seen, in the order in which what is in them
 * was written.
 */
export function packedGenerations(
  home: string,
  seenSec: number,
  { births, isTaken }: PackedOptions,
  listing: FolderListing = new FolderListing(dirname(home)),
): FoundFile[] {
  const name = basename(home);
  const names = generationsOf(name);
  const isPacked = (other: string) => {
    if (!other.endsWith(EXTENSION)) return false;
    const plain = other.slice(0, -EXTENSION.length);
    return plain === name || names.matches(plain);
  };
  return listing.filesWith(names.stem, isPacked)
    .filter((found) => (births.of(found.stat) || found.stat.ctimeMs) >= seenSec * 1000)
    .filter((found) => !isTaken(found))
    // Compressing keeps the time of the last change.
    .sort((a, b) => a.stat.mtimeMs - b.stat.mtimeMs).slice(-MAX_FILES);
}

/** The paths that what is in a compressed file may have been known under: without its extension, and before that. */
export function pathsBeforePacking(path: string): string[] {
  if (!path.endsWith(EXTENSION)) return [];
  const plain = path.slice(0, -EXTENSION.length);
  const before = plain.replace(/[-._]\d[-._\dTZ:+]*$/, "");
  return before === plain ? [plain] : [plain, before];
}
