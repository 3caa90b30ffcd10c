import type { Stats } from "node:fs";
import { dirname } from "node:path";
import type { Logger } from "logcollector/plugin";
import type { BirthTimes } from "./birth-times.ts";
import { likeness } from "./file-identity.ts";
import { hasPlace, isTelling } from "./place.ts";
import { type Position, readPosition } from "./position.ts";

/** A file that is known and not followed: from before the start, or given up since. */
export interface KnownFile {
  readonly stream: string;
  readonly position: Position;
  readonly isFromBefore: boolean;
}

export interface KnownFilesOptions {
  readonly births: BirthTimes;
  readonly log: Logger;
  /** A file that is found under another path than it was saved with is another one. */
  readonly comparePaths: boolean;
}

/** Files that are known and not followed, by inode and by path. */
export class KnownFiles {
  private readonly options: KnownFilesOptions;
  private readonly byIno = new Map<number, KnownFile[]>();
  private readonly byPath = new Map<string, KnownFile[]>();
  private readonly byFolder = new Map<string, Set<KnownFile>>();
  /** Streams whose position could not be read. */
  private readonly damaged = new Set<string>();
  /** When a file was last seen before the start, in seconds since 1970; 0 when nothing is known from before. */
  lastSeenSec = 0;

  constructor(options: KnownFilesOptions) {
    this.options = options;
  }

  /** Takes up what was saved before the start. */
  load(saved: ReadonlyMap<string, string>): void {
    for (const [stream, text] of saved) {
      try {
        const position = readPosition(text);
        this.lastSeenSec = Math.max(this.lastSeenSec, lastSeenSecOf(position));
        this.add({ stream, position, isFromBefore: true });
      } catch (error) {
        this.damaged.add(stream);
        this.options.log.warn(
          `Cannot read the saved position of ${stream}: ${
            (error as Error).message
          }; reading its file from the start`,
        );
      }
    }
  }

  add(known: KnownFile): void {
    const { ino, path, home } = known.position.file;
    insert(this.byIno, ino, known);
    insert(this.byPath, path, known);
    const folder = dirname(home);
    const others = this.byFolder.get(folder);
    if (others === undefined) this.byFolder.set(folder, new Set([known]));
    else others.add(known);
  }

  /** It is followed from now on, or nothing needs to be known of it any more. */
  take(known: KnownFile): void {
    const { ino, path, home } = known.position.file;
    remove(this.byIno, ino, known);
    remove(this.byPath, path, known);
    const folder = dirname(home);
    const others = this.byFolder.get(folder);
    if (others?.delete(known) && others.size === 0) this.byFolder.delete(folder);
  }

  /** All that are known. */
  *all(): Generator<KnownFile> {
    for (const files of this.byPath.values()) yield* files;
  }

  /** Those that records say are at this path. */
  at(path: string): readonly KnownFile[] {
    return this.byPath.get(path) ?? [];
  }

  /** Those that were made in a folder. */
  madeIn(folder: string): Iterable<KnownFile> {
    return this.byFolder.get(folder) ?? [];
  }

  paths(): Iterable<string> {
    return this.byPath.keys();
  }

  /** What was saved of the stream could not be read. */
  isDamaged(stream: string): boolean {
    return this.damaged.has(stream);
  }

  /** The file with the inode was another one. */
  hasOther(stat: Stats): boolean {
    return this.withIno(stat).some(({ position: { file } }) =>
      file.dev === stat.dev && likeness(file, stat, this.options.births) === "other"
    );
  }

  /** What is known of a file that was found at a path, if it is known. */
  match(path: string, stat: Stats): KnownFile | undefined {
    const candidates = this.withIno(stat);
    return candidates.find((known) => this.isSure(known, path, stat)) ??
      candidates.find((known) => this.isLikely(known, path, stat));
  }

  /** What is known of a file that lies somewhere in the folder where it was made. */
  matchRenamed(path: string, stat: Stats): KnownFile | undefined {
    return this.withIno(stat).find((known) => this.isStill(known, path, stat));
  }

  /** Whether it is this file that lies at a path now, in the folder where it was made. */
  isStill({ position: { file, place } }: KnownFile, path: string, stat: Stats): boolean {
    const like = likeness(file, stat, this.options.births);
    if (like === "perhaps") {
      return (isTelling(place) || file.dev === undefined) && hasPlace(path, place);
    }
    return like === "same";
  }

  private withIno(stat: Stats): readonly KnownFile[] {
    return this.byIno.get(stat.ino) ?? [];
  }

  private isSure({ position: { file } }: KnownFile, path: string, stat: Stats): boolean {
    if (this.options.comparePaths && path !== file.path) return false;
    return likeness(file, stat, this.options.births) === "same";
  }

  /**
   * A path says enough, as long as the birth does not say otherwise: if the content is another, the file was
   * truncated. Under another path its content must be known.
   */
  private isLikely({ position, isFromBefore }: KnownFile, path: string, stat: Stats): boolean {
    const { file, place } = position;
    if (!isFromBefore || likeness(file, stat, this.options.births) !== "perhaps") return false;
    if (path === file.path) return true;
    if (this.options.comparePaths) return false;
    if (file.dev === undefined) return hasPlace(path, place);
    return file.dev === stat.dev && isTelling(place) && hasPlace(path, place);
  }
}

/** Of another program's position only that is known when it found the file. */
function lastSeenSecOf({ file, seenSec }: Position): number {
  return file.dev === undefined && file.sinceMs !== undefined ? file.sinceMs / 1000 : seenSec;
}

function insert<K>(map: Map<K, KnownFile[]>, key: K, known: KnownFile): void {
  const files = map.get(key);
  if (files === undefined) map.set(key, [known]);
  else files.push(known);
}

function remove<K>(map: Map<K, KnownFile[]>, key: K, known: KnownFile): void {
  const left = map.get(key)?.filter((other) => other !== known) ?? [];
  if (left.length > 0) map.set(key, left);
  else map.delete(key);
}
