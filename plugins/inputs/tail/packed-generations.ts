import { basename, dirname } from "node:path";
import { type BirthTimes, FILE_TIME_STEP_MS } from "./birth-times.ts";
import { FolderListing } from "./folder-listing.ts";
import { byRotation, type Generation, generationsOf } from "./generations.ts";
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

/**
 * The compressed generations of a file, in the order in which what is in them was written: as their numbers say, or
 * the times of the last change, after which a program may have gone on writing.
 */
export function packedGenerations(
  home: string,
  since: PackedSince,
  { births, isTaken }: PackedOptions,
): FoundFile[] {
  const name = basename(home);
  const { stem } = generationsOf(name);
  return new FolderListing(dirname(home)).filesWith(stem, isPackedOf(name))
    .filter(({ stat }) => (births.of(stat) || stat.ctimeMs) >= since.madeMs - FILE_TIME_STEP_MS)
    // Compressing keeps the time of the last change, to the second at least.
    .filter(({ stat }) => stat.mtimeMs >= since.changedMs - FILE_TIME_STEP_MS)
    .filter((found) => !isTaken(found))
    .sort((a, b) => byRotation(unpacked(a), unpacked(b))).slice(-MAX_FILES);
}

/** Whether a file that was made at `home` may be what a compressed file holds, as its name says. */
export function mayHold(packedPath: string, home: string): boolean {
  if (dirname(packedPath) !== dirname(home) || !packedPath.endsWith(EXTENSION)) return false;
  return isPackedOf(basename(home))(basename(packedPath));
}

function unpacked({ path, stat }: FoundFile): Generation {
  return { path: path.slice(0, -EXTENSION.length), birthMs: stat.mtimeMs };
}

function isPackedOf(name: string): (other: string) => boolean {
  const { matches } = generationsOf(name);
  return (other) => {
    if (!other.endsWith(EXTENSION)) return false;
    const plain = other.slice(0, -EXTENSION.length);
    return plain === name || matches(plain);
  };
}
