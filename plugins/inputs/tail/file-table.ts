import { dirname } from "node:path";
import type { Stats } from "node:fs";
import type { Clock, Logger } from "logcollector/plugin";
import { type Ancestor, Ancestors, type Ancestry, oldestFirst } from "./ancestors.ts";
import type { BirthTimes } from "./birth-times.ts";
import { identityOf } from "./file-identity.ts";
import { Complaints } from "./complaints.ts";
import { findMoved } from "./find-moved.ts";
import { FolderListing, statOf } from "./folder-listing.ts";
import type { KnownFiles } from "./known-files.ts";
import type { NewFile } from "./new-file.ts";
import type { PathPattern } from "./path-pattern.ts";
import { type FoundFile, scanPatterns } from "./scan.ts";
import { ScanLimits } from "./scan-limits.ts";
import type { Share } from "./share.ts";
import type { Step } from "./step-work.ts";
import type { TailedFile } from "./tailed-file.ts";

export interface FileTableOptions {
  readonly patterns: readonly PathPattern[];
  readonly excluded: (path: string) => boolean;
  /** A file that lies there is one that the configuration names. */
  readonly isWanted: (path: string) => boolean;
  readonly clock: Clock;
  readonly log: Logger;
  readonly births: BirthTimes;
  readonly known: KnownFiles;
  readonly share: Share;
  /** Files last changed longer ago than this are left out, in milliseconds; 0 for none. */
  readonly ignoreOlderMs: number;
  /** Names looked at for one pattern in a scan, at most. */
  readonly maxNames: number;
  /** Files followed at once, at most. */
  readonly maxFiles: number;
  readonly wallMs: () => number;
  /** Makes a file that was found, or returns `undefined` to leave it out. May throw. */
  readonly open: (found: NewFile) => TailedFile | undefined;
  /** Opens compressed files in which the rest of files may be that are gone, or what came after them. */
  readonly openPacked: (path: string, ancestry: Ancestry) => readonly TailedFile[];
  /** A file without a descriptor is gone: another has its inode. */
  readonly onGone: (file: TailedFile) => void;
  /** A file that was found was gone before it could be opened. */
  readonly onMissed: () => void;
}

/** Paths without a file that are looked into in one scan, for files that came and went. */
const MAX_LOOKS = 64;

/** Files that are begun to be followed, or looked at, before others may have a turn: with fewer, a scan is one moment. */
const FILES_PER_STEP = 16;
const LOOKS_PER_STEP = 64;

/** Times of change are only as fine as the file system's clock, which may be seconds. */
const FOLDER_SETTLES_MS = 3000;

/** Which files are followed, by identity; notices new ones, renames and deletions. */
export class FileTable {
  /** All that are read, by device and inode. */
  readonly files = new Map<string, TailedFile>();
  /** Folders to watch: those looked into, and those that links lead to. */
  folders: ReadonlySet<string> = new Set();
  private readonly options: FileTableOptions;
  private readonly byPath = new Map<string, TailedFile>();
  private readonly byRealPath = new Map<string, TailedFile>();
  private readonly complaints: Complaints;
  private isFirstScan = true;
  /** When the first scan began, which may take its time, in milliseconds since 1970. */
  private startedMs = 0;
  /** Files were left alone, as many as may be are followed. */
  private isFull = false;
  private readonly limits: ScanLimits;
  /** What it cost to begin to follow new files, all in all. */
  addingMs = 0;
  /** The identities that the last scan found. */
  private present: ReadonlySet<string> = new Set();
  /** When each folder had changed at the last scan; `undefined` when that does not say enough. */
  private foldersAtScan: ReadonlyMap<string, number | undefined> | undefined;

  constructor(options: FileTableOptions) {
    this.options = options;
    this.complaints = new Complaints(options);
    this.limits = new ScanLimits(options.log, options.maxFiles);
  }

  /** The file that a change under this path concerns. */
  at(path: string): TailedFile | undefined {
    return this.byRealPath.get(path) ?? this.byPath.get(path);
  }

  /**
   * True when a scan may find something else than the last one did. A name that comes, goes or changes
   * shows in its folder's time of change; a permission or an age does not.
   */
  *mayHaveChanged(): Generator<Step, boolean> {
    if (this.foldersAtScan === undefined || this.options.ignoreOlderMs > 0) return true;
    // Those that were left alone have room now.
    if (this.isFull && this.room > 0) return true;
    let looks = 0;
    for (const [folder, changedMs] of this.foldersAtScan) {
      if (statOf(folder)?.mtimeMs !== changedMs) return true;
      if (++looks % LOOKS_PER_STEP === 0) yield;
    }
    return false;
  }

  private get room(): number {
    return Math.max(0, this.options.maxFiles - this.files.size);
  }

  /** True when the last file that was found at this one's path is not there any more. */
  hasLost(file: TailedFile): boolean {
    if (this.byPath.get(file.path) !== file) return false;
    const stat = statOf(file.path);
    return stat === undefined || identityOf(stat) !== file.identity;
  }

  /** It has not been given up. */
  isServed(file: TailedFile): boolean {
    return this.files.get(file.identity) === file;
  }

  isFollowed({ stat }: FoundFile): boolean {
    const file = this.files.get(identityOf(stat));
    return file !== undefined && file.isSame(stat);
  }

  /** It is followed, or will be as soon as it is found. */
  isTaken(found: FoundFile): boolean {
    return this.isFollowed(found) || this.options.isWanted(found.path);
  }

  /** Looks the patterns up again. Returns the files to read that were not followed before. */
  *scan(): Generator<Step, TailedFile[]> {
    const { patterns, excluded, births, maxNames, wallMs, share } = this.options;
    if (this.isFirstScan) this.startedMs = wallMs();
    const result = yield* scanPatterns(patterns, {
      excluded,
      maxNames,
      maxNew: this.room,
      isFollowed: (path) => this.at(path) !== undefined || share.isElsewhere(path),
    });
    this.foldersAtScan = undefined;
    for (const [path, why] of result.denied) {
      this.complaints.say(path, `Cannot read ${path}: ${why}`);
    }
    this.limits.report(result);
    this.isFull = result.leftAlone.size > 0;
    const present = new Set<string>();
    const fresh: FoundFile[] = [];
    for (const found of yield* share.ofFound(result.files)) {
      const identity = identityOf(found.stat);
      if (present.has(identity)) continue;
      present.add(identity);
      const file = this.files.get(identity);
      if (file === undefined) fresh.push(found);
      else if (this.isStillThere(file, found.stat)) this.seeAgain(file, found);
      else {
        this.options.onGone(file);
        fresh.push(found);
      }
    }
    if (result.files.length > LOOKS_PER_STEP) yield;
    this.present = present;
    yield* this.markRotated(result.cut.size > 0 || this.isFull);
    const inOrder = yield* this.newAncestors()
      .unseenLast(oldestFirst(fresh, births), (path) => this.byPath.get(path));
    const added = yield* this.addAll(inOrder);
    added.push(...this.addUnseen(result.files, this.newAncestors()));
    this.folders = this.foldersToWatch(result.folders);
    this.isFirstScan = false;
    if (result.denied.size === 0 && result.dangling === 0) yield* this.rememberFolders();
    return added;
  }

  /** Adds copies of what a file held before, which are read before it, in their order. */
  addCopies(file: TailedFile, copies: readonly TailedFile[]): void {
    for (const copy of copies) {
      copy.rotatedMs = this.options.clock.nowMs();
      copy.predecessor = file.predecessor;
      file.predecessor = copy;
      this.files.set(copy.identity, copy);
    }
  }

  /** Ends following a file. */
  remove(file: TailedFile): void {
    file.rest();
    if (this.files.get(file.identity) === file) this.files.delete(file.identity);
    if (this.byPath.get(file.path) === file) this.byPath.delete(file.path);
    if (this.byRealPath.get(file.realPath) === file) this.byRealPath.delete(file.realPath);
  }

  /** It is where it was found last. */
  isAtOpenPath(file: TailedFile): boolean {
    const stat = statOf(file.openPath);
    return stat !== undefined && file.isSame(stat);
  }

  /**
   * Looks for a file that was renamed while it had no descriptor. Returns false when it is nowhere in its
   * folder.
   */
  findRenamed(
    file: TailedFile,
    listing: FolderListing = new FolderListing(dirname(file.realPath)),
  ): boolean {
    const found = listing.filesWithIno(file.ino).find(({ stat }) => file.isSame(stat));
    if (found !== undefined) file.moveTo(found.path);
    return found !== undefined;
  }

  /**
   * A file that has no descriptor may have lost its inode to another. While it has one, another time of birth says
   * something about the file system.
   */
  private isStillThere(file: TailedFile, stat: Stats): boolean {
    const { births } = this.options;
    if (file.isSame(stat)) return true;
    if (file.isOpen) births.distrust(stat.dev);
    return file.isOpen;
  }

  private seeAgain(file: TailedFile, { path, stat }: FoundFile): void {
    file.rotatedMs = -1;
    file.size = stat.size;
    file.changedWallMs = stat.mtimeMs;
    if (file.openPath === path || this.isAtOpenPath(file)) return;
    // It is still found, under another name: that is where it is opened, and where changes are reported.
    if (this.byRealPath.get(file.realPath) === file) this.byRealPath.delete(file.realPath);
    file.moveTo(path);
    this.byRealPath.set(file.realPath, file);
  }

  /** What is followed goes on being followed where it lies, although the scan did not come that far. */
  private *markRotated(isPartial: boolean): Generator<Step, void> {
    const nowMs = this.options.clock.nowMs();
    let looks = 0;
    // One list for all of a folder, which may be thousands: each looked for by itself would take forever.
    const listings = this.newAncestors();
    const find = (file: TailedFile) =>
      this.findRenamed(file, listings.listing(dirname(file.realPath)));
    for (const [identity, file] of this.files) {
      if (file.whereabouts === "sought") file.whereabouts = find(file) ? "found" : "nowhere";
      if (this.present.has(identity) || file.rotatedMs >= 0) continue;
      if (isPartial) {
        if (++looks % LOOKS_PER_STEP === 0) yield;
        if (this.isAtOpenPath(file)) continue;
      }
      file.rotatedMs = nowMs;
      file.drained = false;
      if (!file.isOpen) find(file);
    }
  }

  private *addAll(fresh: readonly FoundFile[]): Generator<Step, TailedFile[]> {
    const added: TailedFile[] = [];
    let ancestors = this.newAncestors();
    for (const [i, found] of fresh.entries()) {
      this.addingMs -= this.options.clock.nowMs();
      added.push(...this.addFound(found, ancestors));
      this.addingMs += this.options.clock.nowMs();
      if (i % FILES_PER_STEP !== FILES_PER_STEP - 1) continue;
      yield;
      // What it saw of folders may be another thing by now.
      ancestors = this.newAncestors();
    }
    return added;
  }

  private newAncestors(): Ancestors {
    const { known, births, excluded, share } = this.options;
    return new Ancestors({
      known,
      births,
      excluded,
      isFollowed: (found) => this.isFollowed(found) || share.isOthers(found.stat),
    });
  }

  private addFound(found: FoundFile, ancestors: Ancestors): TailedFile[] {
    // It may have been added as an earlier generation of another.
    if (this.isFollowed(found)) return [];
    const known = this.options.known.match(found.path, found.stat);
    // It goes on under the path that it was known by, as it would have without a restart.
    const path = known !== undefined && this.options.isWanted(known.position.file.path)
      ? known.position.file.path
      : found.path;
    const ancestry = ancestors.of(path, this.byPath.get(path), found);
    const { hasKnown, files } = ancestry;
    const added = this.addPacked(path, ancestry);
    // Where it was renamed itself, others came to its path after it: those have their own turns.
    const isBefore = (other: FoundFile) =>
      path === found.path || oldestFirst([found, other], this.options.births)[0] === other;
    added.push(...files.filter(isBefore).flatMap((each) => this.addAncestor(path, each)));
    const isSuccessor = hasKnown || files.length > 0;
    const { path: openPath, stat } = found;
    const home = known !== undefined && path !== found.path ? known.position.file.home : undefined;
    const isInitial = this.isFirstScan && this.options.births.of(stat) <= this.startedMs;
    added.push(...this.add({ path, openPath, home, stat, known, isSuccessor, isInitial }));
    return added;
  }

  /** Where nothing is at a path any more, a file may have come and been renamed away meanwhile. */
  private addUnseen(found: readonly FoundFile[], ancestors: Ancestors): TailedFile[] {
    const there = new Set(found.map(({ path }) => path));
    const isMissing = (path: string) => !there.has(path) && this.options.isWanted(path);
    const rotated = [...this.byPath.values()].filter(({ rotatedMs }) => rotatedMs >= 0)
      .map(({ path }) => path).filter(isMissing).slice(-MAX_LOOKS);
    const known = [...this.options.known.paths()].filter(isMissing)
      .slice(this.isFirstScan ? 0 : -MAX_LOOKS);
    return [...new Set([...rotated, ...known])].flatMap((path) => {
      const ancestry = ancestors.of(path, this.byPath.get(path), undefined);
      const packed = this.addPacked(path, ancestry);
      return [...packed, ...ancestry.files.flatMap((ancestor) => this.addAncestor(path, ancestor))];
    });
  }

  /** The rest of files that are gone comes before everything else at their path. */
  private addPacked(path: string, ancestry: Ancestry): TailedFile[] {
    if (ancestry.gone.length === 0 || !this.isFirstScan) return [];
    const packed = this.options.openPacked(path, ancestry);
    for (const file of packed) {
      file.predecessor = this.byPath.get(path);
      file.rotatedMs = this.options.clock.nowMs();
      this.files.set(file.identity, file);
      this.byPath.set(path, file);
    }
    return [...packed];
  }

  private addAncestor(path: string, ancestor: Ancestor): TailedFile[] {
    const { path: openPath, ...found } = ancestor;
    return this.add({ ...found, path, openPath, isSuccessor: true, isInitial: this.isFirstScan });
  }

  private add(found: NewFile): TailedFile[] {
    if ((found.isInitial || !found.isSuccessor) && this.isTooOld(found.stat)) return [];
    let file: TailedFile | undefined;
    try {
      file = this.open(found);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") this.options.onMissed();
      this.complaints.say(found.path, `Cannot follow ${found.path}: ${(error as Error).message}`);
      return [];
    }
    if (file === undefined) return [];
    const predecessor = this.byPath.get(found.path);
    if (predecessor !== undefined && (!predecessor.compressed || predecessor.own !== undefined)) {
      // Whatever its writer put there before the rotation is still to come.
      predecessor.drained = false;
      file.predecessor = predecessor;
    }
    if (!this.present.has(file.identity)) file.rotatedMs = this.options.clock.nowMs();
    this.files.set(file.identity, file);
    this.byPath.set(file.path, file);
    this.byRealPath.set(file.realPath, file);
    return [file];
  }

  /** Opens what was found, under another name if it was renamed since. */
  private open(found: NewFile): TailedFile | undefined {
    try {
      return this.options.open(found);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const mayHaveMoved = code === undefined || code === "ENOENT";
      const moved = mayHaveMoved ? findMoved(found, this.options.births) : undefined;
      if (moved === undefined) throw error;
      return this.options.open({ ...found, ...moved });
    }
  }

  private isTooOld(stat: Stats): boolean {
    const { ignoreOlderMs, wallMs } = this.options;
    return ignoreOlderMs > 0 && wallMs() - stat.mtimeMs > ignoreOlderMs;
  }

  /** A folder that changed within the last seconds may change again without another time: it is not remembered. */
  private *rememberFolders(): Generator<Step, void> {
    const settledMs = this.options.wallMs() - FOLDER_SETTLES_MS;
    const remembered = new Map<string, number | undefined>();
    for (const folder of this.folders) {
      const changedMs = statOf(folder)?.mtimeMs;
      if (changedMs !== undefined && changedMs > settledMs) return;
      remembered.set(folder, changedMs);
      if (remembered.size % LOOKS_PER_STEP === 0) yield;
    }
    this.foldersAtScan = remembered;
  }

  private foldersToWatch(folders: Set<string>): Set<string> {
    for (const file of this.files.values()) {
      if (file.realPath !== file.path) folders.add(dirname(file.realPath));
    }
    return folders;
  }
}
