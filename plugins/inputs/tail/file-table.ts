import { readdirSync, type Stats, statSync } from "node:fs";
import { basename, dirname } from "node:path";
import type { Clock, Logger } from "logcollector/plugin";
import { byAge, generationsOf } from "./generations.ts";
import { type PathPattern } from "./path-pattern.ts";
import { type FoundFile, scanPatterns } from "./scan.ts";
import { identityOf, TailedFile } from "./tailed-file.ts";

export interface FileTableOptions {
  readonly patterns: readonly PathPattern[];
  readonly excluded: (path: string) => boolean;
  readonly clock: Clock;
  readonly log: Logger;
  /** Files last changed longer ago than this are left out, in milliseconds; 0 for none. */
  readonly ignoreOlderMs: number;
  readonly wallMs: () => number;
  /** Makes a file that was found, or returns `undefined` to leave it out. May throw. */
  readonly make: (found: NewFile) => TailedFile | undefined;
}

export interface NewFile {
  /** The path that records speak of. */
  readonly path: string;
  readonly openPath: string;
  /** Where it was made, with links resolved, when it was renamed before it was first seen. */
  readonly home: string | undefined;
  readonly stat: Stats;
  /** It took the place of a file that was followed. */
  readonly isSuccessor: boolean;
  /** It was there at the first scan. */
  readonly isInitial: boolean;
}

/** Files given up that are remembered. */
const MAX_GONE = 10_000;

/** Paths without a file that are looked into in one scan, for files that came and went. */
const MAX_LOOKS = 64;

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
  private readonly complained = new Map<string, number>();
  /** Those that were read to their end and given up, should they still lie about under another name. */
  private readonly gone = new Set<string>();
  private isFirstScan = true;
  /** When each folder had changed at the last scan; `undefined` when that does not say enough. */
  private foldersAtScan: ReadonlyMap<string, number | undefined> | undefined;

  constructor(options: FileTableOptions) {
    this.options = options;
  }

  /** The file that a change under this path concerns. */
  at(path: string): TailedFile | undefined {
    return this.byRealPath.get(path) ?? this.byPath.get(path);
  }

  /**
   * True when a scan may find something else than the last one did. A name that comes, goes or changes
   * shows in its folder's time of change; a permission or an age does not.
   */
  get mayHaveChanged(): boolean {
    if (this.foldersAtScan === undefined || this.options.ignoreOlderMs > 0) return true;
    for (const [folder, changedMs] of this.foldersAtScan) {
      if (statOf(folder)?.mtimeMs !== changedMs) return true;
    }
    return false;
  }

  /** True when the last file that was found at this one's path is not there any more. */
  hasLost(file: TailedFile): boolean {
    return this.byPath.get(file.path) === file && statIdentity(file.path) !== file.identity;
  }

  /** Looks the patterns up again. Returns the files to read that were not followed before. */
  scan(): TailedFile[] {
    const { patterns, excluded } = this.options;
    const result = scanPatterns(patterns, excluded);
    this.foldersAtScan = undefined;
    for (const [path, code] of result.denied) this.complain(path, `Cannot read ${path}: ${code}`);
    if (result.cut) this.complain("", "Stopped looking for files: the path matches too many names");
    const present = new Set<string>();
    const fresh: FoundFile[] = [];
    for (const found of result.files) {
      const identity = identityOf(found.stat);
      if (present.has(identity)) continue;
      present.add(identity);
      const known = this.files.get(identity);
      if (known === undefined) fresh.push(found);
      else this.seeAgain(known, found);
    }
    this.markRotated(present);
    const added = oldestFirst(fresh).flatMap((found) => this.addFound(found));
    added.push(...this.addUnseen(result.files));
    this.folders = this.foldersToWatch(result.folders);
    this.isFirstScan = false;
    if (result.denied.size === 0) this.rememberFolders();
    return added;
  }

  /** Ends following a file. */
  remove(file: TailedFile): void {
    file.rest();
    if (this.gone.size >= MAX_GONE) this.gone.clear();
    this.gone.add(`${file.identity}:${file.birthMs}`);
    if (this.files.get(file.identity) === file) this.files.delete(file.identity);
    if (this.byPath.get(file.path) === file) this.byPath.delete(file.path);
    if (this.byRealPath.get(file.realPath) === file) this.byRealPath.delete(file.realPath);
  }

  /**
   * Looks for a file that was renamed while it had no descriptor. Returns false when it is nowhere in its
   * folder.
   */
  findRenamed(file: TailedFile): boolean {
    const folder = dirname(file.realPath);
    for (const name of namesIn(folder)) {
      const path = `${folder}/${name}`;
      const stat = statOf(path);
      if (stat === undefined || identityOf(stat) !== file.identity) continue;
      file.moveTo(path);
      return true;
    }
    return false;
  }

  private seeAgain(file: TailedFile, { path, stat }: FoundFile): void {
    file.rotatedMs = -1;
    file.size = stat.size;
    file.changedWallMs = stat.mtimeMs;
    if (file.openPath === path || statIdentity(file.openPath) === file.identity) return;
    // It is still found, under another name: that is where it is opened, and where changes are reported.
    if (this.byRealPath.get(file.realPath) === file) this.byRealPath.delete(file.realPath);
    file.moveTo(path);
    this.byRealPath.set(file.realPath, file);
  }

  private markRotated(present: ReadonlySet<string>): void {
    const nowMs = this.options.clock.nowMs();
    for (const [identity, file] of this.files) {
      if (present.has(identity) || file.rotatedMs >= 0) continue;
      file.rotatedMs = nowMs;
      file.drained = false;
      if (!file.isOpen) this.findRenamed(file);
    }
  }

  private addFound(found: FoundFile): TailedFile[] {
    // It may have been added as an earlier generation of another.
    if (this.files.has(identityOf(found.stat))) return [];
    const before = this.byPath.get(found.path);
    const missed = before === undefined ? [] : this.missedBetween(before, found);
    const generations = [...missed, found];
    return generations.flatMap(({ path: openPath, stat }, i) =>
      this.add({
        path: found.path,
        openPath,
        home: openPath === found.path ? undefined : before!.home,
        stat,
        isSuccessor: before !== undefined || i > 0,
        isInitial: this.isFirstScan,
      })
    );
  }

  /** Where nothing is at a path any more, a file may have come and been renamed away meanwhile. */
  private addUnseen(found: readonly FoundFile[]): TailedFile[] {
    const rotated = [...this.byPath.values()].filter((file) => file.rotatedMs >= 0);
    if (rotated.length === 0) return [];
    const there = new Set(found.map(({ path }) => path));
    return rotated.filter((file) => !there.has(file.path)).slice(-MAX_LOOKS).flatMap((file) =>
      this.missedBetween(file, undefined).flatMap(({ path: openPath, stat }) =>
        this.add({
          path: file.path,
          openPath,
          home: file.home,
          stat,
          isSuccessor: true,
          isInitial: false,
        })
      )
    );
  }

  private add(found: NewFile): TailedFile[] {
    if (!found.isSuccessor && this.isTooOld(found.stat)) return [];
    let file: TailedFile | undefined;
    try {
      file = this.options.make(found);
    } catch (error) {
      this.complain(found.path, `Cannot follow ${found.path}: ${(error as Error).message}`);
      return [];
    }
    if (file === undefined) return [];
    const predecessor = this.byPath.get(found.path);
    if (predecessor !== undefined && !predecessor.compressed) {
      // Whatever its writer put there before the rotation is still to come.
      predecessor.drained = false;
      file.predecessor = predecessor;
    }
    this.files.set(file.identity, file);
    this.byPath.set(file.path, file);
    this.byRealPath.set(file.realPath, file);
    return [file];
  }

  private isTooOld(stat: Stats): boolean {
    const { ignoreOlderMs, wallMs } = this.options;
    return ignoreOlderMs > 0 && wallMs() - stat.mtimeMs > ignoreOlderMs;
  }

  /**
   * Files that came and were renamed away at this path between two scans: named like it, made after the
   * one that was followed and before the one that is there now, if one is, oldest first.
   */
  private missedBetween(before: TailedFile, now: FoundFile | undefined): FoundFile[] {
    // Behind a link the files are rotated where it leads to.
    const folder = dirname(before.home);
    const isGeneration = generationsOf(basename(before.home));
    const latest = now?.stat.birthtimeMs ?? Infinity;
    const there = now && identityOf(now.stat);
    const generations: FoundFile[] = [];
    for (const name of namesIn(folder)) {
      if (!isGeneration(name)) continue;
      const path = `${folder}/${name}`;
      const stat = statOf(path);
      if (stat?.isFile() && stat.birthtimeMs <= latest) generations.push({ path, stat });
    }
    const ordered = oldestFirst(generations);
    const at = ordered.findIndex(({ stat }) => identityOf(stat) === before.identity);
    const younger = at !== -1
      ? ordered.slice(at + 1)
      : ordered.filter(({ stat }) => stat.birthtimeMs >= before.birthMs);
    return younger.filter(({ path, stat }) => {
      const identity = identityOf(stat);
      return identity !== there && !this.files.has(identity) &&
        !this.gone.has(`${identity}:${stat.birthtimeMs}`) && !this.options.excluded(path);
    });
  }

  /** A folder that changed within the last seconds may change again without another time: it is not remembered. */
  private rememberFolders(): void {
    const settledMs = this.options.wallMs() - FOLDER_SETTLES_MS;
    const remembered = new Map<string, number | undefined>();
    for (const folder of this.folders) {
      const changedMs = statOf(folder)?.mtimeMs;
      if (changedMs !== undefined && changedMs > settledMs) return;
      remembered.set(folder, changedMs);
    }
    this.foldersAtScan = remembered;
  }

  private foldersToWatch(scanned: ReadonlySet<string>): Set<string> {
    const folders = new Set(scanned);
    for (const file of this.files.values()) {
      if (file.realPath !== file.path) folders.add(dirname(file.realPath));
    }
    return folders;
  }

  /** Says what is wrong with a path, at most once a minute. */
  private complain(path: string, message: string): void {
    const nowMs = this.options.clock.nowMs();
    const until = this.complained.get(path);
    if (until !== undefined && nowMs < until) return;
    if (this.complained.size > 1000) this.complained.clear();
    this.complained.set(path, nowMs + 60_000);
    this.options.log.warn(message);
  }
}

function oldestFirst(files: readonly FoundFile[]): FoundFile[] {
  return files.map((file) => ({ file, path: file.path, birthMs: file.stat.birthtimeMs }))
    .sort(byAge).map(({ file }) => file);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

function statIdentity(path: string): string | undefined {
  const stat = statOf(path);
  return stat && identityOf(stat);
}
