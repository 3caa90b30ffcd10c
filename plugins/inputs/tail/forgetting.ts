import { dirname } from "node:path";
import type { CheckpointStore, Clock } from "logcollector/plugin";
import { FolderListing, statOf } from "./folder-listing.ts";
import type { KnownFile, KnownFiles } from "./known-files.ts";
import type { Share } from "./share.ts";

export interface ForgettingOptions {
  readonly store: CheckpointStore;
  readonly known: KnownFiles;
  readonly share: Share;
  readonly clock: Clock;
  /** The stream is one of a file that is followed, again or still. */
  readonly isFollowed: (file: KnownFile) => boolean;
}

/** How long the position of a file that was given up is kept once the file is gone. */
const KEEP_MS = 3_600_000;
/** And that of one that was deleted, so that it cannot turn up again: containers make thousands of these in an hour. */
const KEEP_DELETED_MS = 60_000;
/** How long a position is kept whose file is nowhere, when it cannot be told whether it is gone. */
const KEEP_UNSEEN_SEC = 7 * 24 * 3600;
/** How often it is looked whether some position is due. */
const SWEEP_MS = 60_000;

interface Entry {
  readonly file: KnownFile;
  /** Everything that was read of it is safe. */
  readonly isSafe: () => boolean;
  dueMs: number;
}

/**
 * Removes the positions of files that are gone, after a while. One that still lies about keeps its position, so
 * that it is not read again.
 */
export class Forgetting {
  private readonly options: ForgettingOptions;
  private entries: Entry[] = [];
  private sweptMs = -Infinity;

  constructor(options: ForgettingOptions) {
    this.options = options;
  }

  /** Looks after all that was known at the start and was not found. */
  start(): void {
    const nowMs = this.options.clock.nowMs();
    const nowSec = this.options.clock.wall().sec;
    for (const file of this.options.known.all()) {
      const { isDeleted, seenSec } = file.position;
      const unseenSec = Math.max(0, nowSec - seenSec);
      const waitMs = unseenSec >= KEEP_UNSEEN_SEC
        ? 0
        : KEEP_MS - (isDeleted ? Math.min(KEEP_MS, unseenSec * 1000) : 0);
      this.entries.push({ file, isSafe: () => true, dueMs: nowMs + waitMs });
    }
  }

  /** Looks after a file that was given up. */
  add(file: KnownFile, isSafe: () => boolean): void {
    const keepMs = file.position.isDeleted ? KEEP_DELETED_MS : KEEP_MS;
    this.entries.push({ file, isSafe, dueMs: this.options.clock.nowMs() + keepMs });
  }

  /** Removes what is due. Returns false when it was not time to look yet. */
  sweep(): boolean {
    const nowMs = this.options.clock.nowMs();
    if (nowMs - this.sweptMs < SWEEP_MS) return false;
    this.sweptMs = nowMs;
    const due = this.entries.filter(({ dueMs }) => dueMs <= nowMs);
    if (due.length > 0) this.entries = this.entries.filter(({ dueMs }) => dueMs > nowMs);
    const folders = new Map<string, FolderListing>();
    for (const entry of due) {
      if (this.options.isFollowed(entry.file)) continue;
      if (this.isNeeded(entry, folders)) this.entries.push({ ...entry, dueMs: nowMs + KEEP_MS });
      else this.forget(entry.file);
    }
    return true;
  }

  private forget(file: KnownFile): void {
    this.options.known.take(file);
    this.options.store.remove(file.stream);
    this.options.share.forget(file);
  }

  private isNeeded({ file, isSafe }: Entry, folders: Map<string, FolderListing>): boolean {
    if (!isSafe()) return true;
    if (file.position.isDeleted) return false;
    if (this.liesAbout(file, folders)) return true;
    const { dev, home } = file.position.file;
    // Where the folder is on another device, what it is on may only be mounted later.
    if (statOf(dirname(home))?.dev === dev) return false;
    return this.options.clock.wall().sec - file.position.seenSec < KEEP_UNSEEN_SEC;
  }

  private liesAbout(file: KnownFile, folders: Map<string, FolderListing>): boolean {
    const folder = dirname(file.position.file.home);
    let listing = folders.get(folder);
    if (listing === undefined) {
      listing = new FolderListing(folder);
      folders.set(folder, listing);
    }
    return listing.filesWithIno(file.position.file.ino)
      .some(({ path, stat }) => this.options.known.isStill(file, path, stat));
  }
}
