import { basename, dirname } from "node:path";
import { oldestFirst } from "./ancestors.ts";
import type { BirthTimes } from "./birth-times.ts";
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

/**
 * Finds the copies that were made of a file before it was truncated, as logrotate does it with copytruncate, as far
 * as something in them was not read. They are named like generations of the file, and made after it.
 *
 * The youngest that has the content of the lost place is the copy of what was being read. Those made after it are
 * copies of what was never seen, as long as the file itself is still where it was made: otherwise they are its
 * successors. If none has the content, as when it was compressed since, all count that were made after the file was
 * last seen.
 */
export function findCopies(
  { home, birthMs }: FileIdentity,
  lost: Place,
  seenSec: number,
  { known, births, isFollowed, isAtHome }: CopiesOptions,
): Copy[] {
  const names = generationsOf(basename(home));
  const named = new FolderListing(dirname(home)).filesWith(names.stem, names.matches);
  const ageOf = ({ stat }: FoundFile) => births.of(stat) || stat.mtimeMs;
  const candidates = oldestFirst(named, births)
    .filter((found) => ageOf(found) >= birthMs && !isFollowed(found)).slice(-MAX_COPIES);
  const isKnown = ({ path, stat }: FoundFile) => known.matchRenamed(path, stat);
  const unseen = (from: readonly FoundFile[]): Copy[] =>
    isAtHome ? from.flatMap((found) => isKnown(found) ? [] : [{ ...found, place: undefined }]) : [];
  const at = isTelling(lost) ? candidates.findLastIndex(({ path }) => hasPlace(path, lost)) : -1;
  if (at === -1) return unseen(candidates.filter((found) => ageOf(found) >= seenSec * 1000));
  const same = candidates[at]!;
  // One that was read to its end in this run has nothing left, whatever its size says.
  const isRead = isKnown(same)?.isFromBefore === false || same.stat.size <= lost.offset;
  return [...isRead ? [] : [{ ...same, place: lost }], ...unseen(candidates.slice(at + 1))];
}
