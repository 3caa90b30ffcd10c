import { basename, dirname } from "node:path";
import { oldestFirst } from "./ancestors.ts";
import { type BirthTimes, FILE_TIME_STEP_MS } from "./birth-times.ts";
import type { FileIdentity } from "./file-identity.ts";
import { FolderListing } from "./folder-listing.ts";
import { generationsOf } from "./generations.ts";
import type { KnownFiles } from "./known-files.ts";
import { hasPlace, isTelling, type Place } from "./place.ts";
import type { FoundFile } from "./scan.ts";

export interface CopiesOptions {
  readonly known: KnownFiles;
  readonly births: BirthTimes;
  readonly isFollowed: (found: FoundFile) => boolean;
  /** The file that was truncated lies where it was made. */
  readonly isAtHome: boolean;
}

/** A file that holds what another held before it was truncated. */
export interface Copy extends FoundFile {
  /** Where its unread part begins; `undefined` when nothing of it was read. */
  readonly place: Place | undefined;
}

/** Copies that are looked into, the youngest first: each costs two reads. */
const MAX_COPIES = 32;

export interface FoundCopies {
  /** Those that are to be read, in their order. */
  readonly unread: readonly Copy[];
  /** Those that hold nothing that was not read, and were not known to. */
  readonly done: readonly FoundFile[];
  /** Among them is the copy of what was being read. */
  readonly isFound: boolean;
}

/**
 * Finds the copies that were made of a file before it was truncated, as logrotate does it with copytruncate. They
 * are named like generations of the file, and made after it.
 *
 * The first one made since the file was last seen that has the content of the lost place is the copy of what was
 * being read; those before it were read. Those made after it are copies of what was never seen, as long as the file
 * itself is still where it was made: otherwise they are its successors. If none has the content, as when it was
 * compressed since, all are unread that were made since the file was last seen.
 */
export function findCopies(
  { home, birthMs }: FileIdentity,
  lost: Place,
  seenSec: number,
  { known, births, isFollowed, isAtHome }: CopiesOptions,
): FoundCopies {
  const names = generationsOf(basename(home));
  const named = new FolderListing(dirname(home)).filesWith(names.stem, names.matches);
  const ageOf = ({ stat }: FoundFile) => births.of(stat) || stat.mtimeMs;
  const candidates = oldestFirst(named, births)
    .filter((found) => ageOf(found) >= birthMs && !isFollowed(found)).slice(-MAX_COPIES);
  const knownAs = new Map(
    candidates.map((found) => [found, known.matchRenamed(found.path, found.stat)]),
  );
  // What was read in this run has nothing left, whatever its size says.
  const isDone = (found: FoundFile) => knownAs.get(found)?.isFromBefore === false;
  if (candidates.every(isDone)) return { unread: [], done: [], isFound: candidates.length > 0 };
  const isUnknown = (found: FoundFile) => knownAs.get(found) === undefined;
  const isSince = (found: FoundFile) => ageOf(found) >= seenSec * 1000 - FILE_TIME_STEP_MS;
  const isKnown = lost.offset > 0 && isTelling(lost);
  const isCopy = ({ path }: FoundFile) => isKnown && hasPlace(path, lost);
  const whole = (found: FoundFile): Copy => ({ ...found, place: undefined });
  let at = candidates.findIndex((found) => isSince(found) && isCopy(found));
  if (at === -1) at = candidates.findLastIndex(isCopy);
  if (at === -1) {
    const isSure = isAtHome && (isTelling(lost) || lost.offset === 0);
    const unread = isSure ? candidates.filter(isSince).filter(isUnknown).map(whole) : [];
    return { unread, done: [], isFound: false };
  }
  const same = candidates[at]!;
  const isRead = isDone(same) || same.stat.size <= lost.offset;
  const later = isAtHome ? candidates.slice(at + 1).filter(isUnknown).map(whole) : [];
  return {
    unread: isRead ? later : [{ ...same, place: lost }, ...later],
    done: candidates.slice(0, isRead ? at + 1 : at).filter(isUnknown),
    isFound: true,
  };
}
