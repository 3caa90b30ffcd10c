import { type FSWatcher, statSync, watch } from "node:fs";
import type { Clock, Logger } from "logcollector/plugin";
import { statOf } from "./folder-listing.ts";

export interface FolderWatchOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Something happened to this name in this folder; the name is unknown when the system did not say. */
  readonly onChange: (folder: string, name: string | null, renamed: boolean) => void;
  /** Changes in this folder are not reported for a while: what happened last may have gone unseen. */
  readonly onRest: (folder: string) => void;
}

/** More folders than this are polled: watches are a limited resource of the whole machine. */
const MAX_WATCHES = 4096;
/** Above this many events within a second polling is cheaper than watching. */
const BUSY_EVENTS = 200;
const WINDOW_MS = 1000;
/** How long a busy folder is polled instead of watched. */
const REST_MS = 3000;
/** How often it is looked at meanwhile, in milliseconds. */
const LOOK_MS = 15;

interface Watched {
  watcher: FSWatcher | undefined;
  /** Which folder it is that is watched: another one may take its place. */
  identity: string;
  events: number;
  windowStartMs: number;
  restUntilMs: number;
}

/**
 * Watches folders rather than files: one watch sees every file in it, also those to come. A folder in
 * which much is written is polled for a while instead, because a thousand events a second cost more than
 * looking a hundred times.
 */
export class FolderWatch {
  private readonly options: FolderWatchOptions;
  private readonly folders = new Map<string, Watched>();
  /** Busy folders that are not watched for a while, with their times of change. */
  private readonly resting = new Map<string, number | undefined>();
  private lookedMs = 0;
  private warned = false;

  constructor(options: FolderWatchOptions) {
    this.options = options;
  }

  /** Watches these folders besides those watched already; those not named any more are given up. */
  watchOnly(folders: ReadonlySet<string>): void {
    for (const [folder, watched] of this.folders) {
      if (folders.has(folder)) continue;
      watched.watcher?.close();
      this.folders.delete(folder);
      this.resting.delete(folder);
    }
    for (const folder of folders) this.add(folder);
  }

  /** True while changes in this folder are reported. */
  isWatching(folder: string): boolean {
    return this.folders.get(folder)?.watcher !== undefined;
  }

  /** Some folder is too busy to be watched: it is to be looked at. */
  get isResting(): boolean {
    return this.resting.size > 0;
  }

  /**
   * Looks at the busy folders, if it is time to. Names that come and go in one of them change its time, as long as
   * it rests: files may live for less than that.
   */
  look(): void {
    if (this.resting.size === 0) return;
    const nowMs = this.options.clock.nowMs();
    if (nowMs - this.lookedMs < LOOK_MS) return;
    this.lookedMs = nowMs;
    for (const [folder, changedMs] of this.resting) {
      const now = statOf(folder)?.mtimeMs;
      if (now === changedMs) continue;
      this.resting.set(folder, now);
      this.options.onChange(folder, null, true);
    }
  }

  /** Watches again what has rested, what had failed, and folders that were made anew. */
  renew(): void {
    const nowMs = this.options.clock.nowMs();
    for (const [folder, watched] of this.folders) {
      if (watched.watcher !== undefined && folderIdentity(folder) !== watched.identity) {
        watched.watcher.close();
        watched.watcher = undefined;
        watched.restUntilMs = 0;
      }
      if (watched.watcher === undefined && nowMs >= watched.restUntilMs) {
        this.start(folder, watched);
      }
    }
  }

  close(): void {
    for (const { watcher } of this.folders.values()) watcher?.close();
    this.folders.clear();
    this.resting.clear();
  }

  private add(folder: string): void {
    if (this.folders.has(folder) || this.folders.size >= MAX_WATCHES) return;
    const watched = {
      watcher: undefined,
      identity: "",
      events: 0,
      windowStartMs: 0,
      restUntilMs: 0,
    };
    this.folders.set(folder, watched);
    this.start(folder, watched);
  }

  private start(folder: string, watched: Watched): void {
    this.resting.delete(folder);
    try {
      watched.identity = folderIdentity(folder);
      const watcher = watch(folder, { persistent: false }, (event, name) => {
        this.count(folder, watched);
        this.options.onChange(folder, name, event === "rename");
      });
      watcher.on("error", () => this.rest(folder, watched));
      watched.watcher = watcher;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // A folder that is not there yet costs nothing to try again.
      if (code === "ENOENT" || code === "ENOTDIR") return;
      watched.restUntilMs = this.options.clock.nowMs() + REST_MS;
      if (this.warned) return;
      this.warned = true;
      this.options.log.warn(`Cannot watch folder ${folder}: ${code}; polling instead`);
    }
  }

  private count(folder: string, watched: Watched): void {
    const nowMs = this.options.clock.nowMs();
    if (nowMs - watched.windowStartMs > WINDOW_MS) {
      watched.windowStartMs = nowMs;
      watched.events = 0;
    }
    if (++watched.events > BUSY_EVENTS) this.rest(folder, watched);
  }

  private rest(folder: string, watched: Watched): void {
    watched.watcher?.close();
    watched.watcher = undefined;
    watched.events = 0;
    watched.restUntilMs = this.options.clock.nowMs() + REST_MS;
    // The time that it has now is another by the first look.
    this.resting.set(folder, undefined);
    this.options.onRest(folder);
  }
}

function folderIdentity(folder: string): string {
  try {
    const { dev, ino } = statSync(folder);
    return `${dev}:${ino}`;
  } catch {
    return "";
  }
}
