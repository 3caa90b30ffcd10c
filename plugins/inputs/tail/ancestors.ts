import { basename, dirname } from "node:path";
import { type BirthTimes, FILE_TIME_STEP_MS } from "./birth-times.ts";
import { identityOf } from "./file-identity.ts";
import { FolderListing, statOf } from "./folder-listing.ts";
import { byAge, generationsOf } from "./generations.ts";
import type { KnownFile, KnownFiles } from "./known-files.ts";
import { hasPlace, isTelling } from "./place.ts";
import type { FoundFile } from "./scan.ts";
import type { Step } from "./step-work.ts";
import type { TailedFile } from "./tailed-file.ts";

export interface AncestorsOptions {
  readonly known: KnownFiles;
  readonly births: BirthTimes;
  readonly excluded: (path: string) => boolean;
  readonly isFollowed: (found: FoundFile) => boolean;
}

/** What was at a path before. */
export interface Ancestry {
  /** Some file was known there: what is there now came after it. */
  readonly hasKnown: boolean;
  /** Those of which something is still to be read, the oldest first. */
  readonly files: readonly Ancestor[];
  /** Those that are known from before the start and are gone: what was not read may have been compressed. */
  readonly gone: readonly KnownFile[];
  /** The known file that is there now: what is younger is of that file. */
  readonly now: KnownFile | undefined;
}

export interface Ancestor extends FoundFile {
  /** `undefined` for one that came and was renamed away unseen. */
  readonly known: KnownFile | undefined;
  /** Where it was made, with links resolved. */
  readonly home: string;
}

/** A file that is known: what came after it was not seen yet. */
interface Relative {
  readonly birthMs: number;
  readonly sinceMs: number;
  /** Where it lies now, if that is known. */
  readonly path: string | undefined;
  readonly seenMs: number;
}

/** What was followed at a path last, and what is there now. */
interface Neighbours {
  readonly before: TailedFile | undefined;
  readonly now: FoundFile | undefined;
  /** What is known of that. */
  readonly known: KnownFile | undefined;
}

/** Paths whose earlier files are looked for before others may have a turn. */
const LOOKS_PER_STEP = 16;

const NONE: Ancestry = { hasKnown: false, files: [], gone: [], now: undefined };

/**
 * Finds the files that were at a path before the one that is there now: those that were renamed while nobody
 * looked, and those that came and were renamed away meanwhile, which are named like it and younger than one that is
 * known. What it sees of folders lasts as long as itself: it is for one scan.
 */
export class Ancestors {
  private readonly options: AncestorsOptions;
  private readonly listings = new Map<string, FolderListing>();

  constructor(options: AncestorsOptions) {
    this.options = options;
  }

  /** `before` was followed at the path last; `now` is what is there, if something is. */
  of(path: string, before: TailedFile | undefined, now: FoundFile | undefined): Ancestry {
    const there = now && this.options.known.match(now.path, now.stat);
    const known = this.options.known.at(path).filter((one) => one !== there);
    if (before === undefined && known.length === 0) return NONE;
    const homes = new Set(known.map(({ position }) => position.file.home));
    if (before !== undefined) homes.add(before.home);
    const gone: KnownFile[] = [];
    const files = [...homes].flatMap((home) => {
      const isHere = ({ position }: KnownFile) => position.file.home === home;
      return this.madeAt(home, known.filter(isHere), {
        before: before?.home === home ? before : undefined,
        now,
        known: there,
      }, gone);
    });
    return {
      hasKnown: before !== undefined || known.some(({ isFromBefore }) => isFromBefore),
      files: oldestFirst(files, this.options.births),
      gone,
      now: there,
    };
  }

  /**
   * The same files, with those at the end that nobody saw before they were renamed: who came in their place adds them
   * in theirs, as what was at its path, even if patterns find them under the names that they got.
   */
  *unseenLast(
    files: readonly FoundFile[],
    followedAt: (path: string) => TailedFile | undefined,
  ): Generator<Step, FoundFile[]> {
    const { known } = this.options;
    let looks = 0;
    const unseen = new Set<string>();
    for (const found of files) {
      const before = followedAt(found.path);
      if (before === undefined && known.at(found.path).length === 0) continue;
      if (known.match(found.path, found.stat) !== undefined) continue;
      for (const ancestor of this.of(found.path, before, found).files) {
        if (ancestor.known === undefined) unseen.add(identityOf(ancestor.stat));
      }
      if (++looks % LOOKS_PER_STEP === 0) yield;
    }
    const isUnseen = ({ stat }: FoundFile) => unseen.has(identityOf(stat));
    return [...files.filter((found) => !isUnseen(found)), ...files.filter(isUnseen)];
  }

  listing(folder: string): FolderListing {
    let listing = this.listings.get(folder);
    if (listing === undefined) {
      listing = new FolderListing(folder);
      this.listings.set(folder, listing);
    }
    return listing;
  }

  private madeAt(
    home: string,
    known: readonly KnownFile[],
    { before, now, known: there }: Neighbours,
    gone: KnownFile[],
  ): Ancestor[] {
    const { births, isFollowed, excluded } = this.options;
    const names = generationsOf(basename(home));
    const named = this.listing(dirname(home)).filesWith(names.stem, names.matches);
    const unknown: FoundFile[] = [];
    const places = new Map<KnownFile | TailedFile, FoundFile>();
    for (const found of named) {
      const one = this.options.known.matchRenamed(found.path, found.stat);
      if (one !== undefined) places.set(one, found);
      else if (before?.isSame(found.stat)) places.set(before, found);
      else if (!isFollowed(found) && !excluded(found.path) && !isSameFile(found, now)) {
        unknown.push(found);
      }
    }
    const relatives: Relative[] = before === undefined
      ? []
      : [relativeOf(before, places.get(before)?.path)];
    const unread: Ancestor[] = [];
    for (const one of known) {
      const found = places.get(one) ?? this.find(one, dirname(home));
      relatives.push(relativeOfKnown(one, found?.path));
      if (found === undefined) gone.push(one);
      else if (!one.position.isDone && !isFollowed(found)) {
        unread.push({ ...found, known: one, home });
      }
    }
    // What is younger than a file that is still where it was made can only be a copy of what it held. Those of a
    // known file are looked for when it turns out that it was truncated.
    const isThere = now !== undefined && isSameFile(now, lookAt(now.path));
    const latestMs = now === undefined || (isThere && !there) ? 0 : births.of(now.stat);
    const isBetween = (found: FoundFile) => {
      const birthMs = births.of(found.stat);
      if (latestMs > 0 && birthMs > latestMs) return false;
      if (birthMs === latestMs && there && isCopyOf(there, found)) return false;
      return relatives.some((relative) => isYounger(found, birthMs, relative));
    };
    return [
      ...unread,
      ...unknown.filter(isBetween).map((found) => ({ ...found, known: undefined, home })),
    ];
  }

  /** Under whatever name it lies in the folder now. Of one that is done it does not matter. */
  private find(one: KnownFile, folder: string): FoundFile | undefined {
    if (one.position.isDone) return undefined;
    return this.listing(folder).filesWithIno(one.position.file.ino)
      .find(({ path, stat }) => this.options.known.isStill(one, path, stat));
  }
}

function isCopyOf({ position: { place } }: KnownFile, { path }: FoundFile): boolean {
  return isTelling(place) && hasPlace(path, place);
}

function isSameFile({ stat }: FoundFile, other: FoundFile | undefined): boolean {
  return other !== undefined && identityOf(stat) === identityOf(other.stat);
}

function lookAt(path: string): FoundFile | undefined {
  const stat = statOf(path);
  return stat && { path, stat };
}

function relativeOf(file: TailedFile, path: string | undefined): Relative {
  const { birthMs, sinceMs = 0 } = file.ledger.file;
  return { birthMs, sinceMs, path, seenMs: file.changedWallMs };
}

function relativeOfKnown({ position }: KnownFile, path: string | undefined): Relative {
  const { birthMs, sinceMs = 0 } = position.file;
  return { birthMs, sinceMs, path, seenMs: position.seenSec * 1000 - FILE_TIME_STEP_MS };
}

/** Where times of birth are not known, names say it; and what was changed since the other was seen is younger. */
function isYounger({ path, stat }: FoundFile, birthMs: number, other: Relative): boolean {
  if ((birthMs || stat.mtimeMs) < other.sinceMs) return false;
  if (birthMs > 0 && other.birthMs > 0) {
    if (other.path === undefined) return birthMs >= other.birthMs;
    return byAge({ path: other.path, birthMs: other.birthMs }, { path, birthMs }) < 0;
  }
  if (other.path === undefined) {
    return birthMs > 0 && other.sinceMs > 0 ? true : stat.mtimeMs >= other.seenMs;
  }
  return byAge({ path: other.path, birthMs: 0 }, { path, birthMs: 0 }) < 0;
}

/** The files in the order in which they were made. */
export function oldestFirst<F extends FoundFile>(files: readonly F[], births: BirthTimes): F[] {
  return files.map((file) => ({ file, path: file.path, birthMs: births.of(file.stat) }))
    .sort(byAge).map(({ file }) => file);
}
