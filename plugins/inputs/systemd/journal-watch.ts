import { type FSWatcher, watch } from "node:fs";

/** Journald shows what it wrote by an event; a file system in a network shows none. */
const POLL_MS = 2000;

/** Wakes whoever waits for something to happen in folders of journal files. */
export class JournalWatch {
  private readonly watchers = new Map<string, FSWatcher | undefined>();
  private resolve: (() => void) | undefined;
  private hasNews = false;
  private hasRenames = false;

  /** Watches these folders, and no others. */
  follow(folders: readonly string[]): void {
    for (const [folder, watcher] of this.watchers) {
      if (folders.includes(folder)) continue;
      watcher?.close();
      this.watchers.delete(folder);
    }
    for (const folder of folders) {
      if (this.watchers.get(folder) === undefined) this.watchers.set(folder, this.start(folder));
    }
  }

  /** Whether files may have come, gone or been renamed since the last time that this was asked. */
  takeRenames(): boolean {
    const { hasRenames } = this;
    this.hasRenames = false;
    return hasRenames || this.isBlind;
  }

  /** Some folder is only looked at from time to time. */
  private get isBlind(): boolean {
    for (const watcher of this.watchers.values()) if (watcher === undefined) return true;
    return this.watchers.size === 0;
  }

  /** Resolves when something has happened, after a while, or when the signal aborts. */
  async wait(signal: AbortSignal): Promise<void> {
    if (!this.hasNews && !signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.resolve = resolve;
      const timer = setTimeout(resolve, POLL_MS);
      signal.addEventListener("abort", () => resolve(), { once: true });
      await promise;
      clearTimeout(timer);
    }
    this.hasNews = false;
  }

  close(): void {
    for (const watcher of this.watchers.values()) watcher?.close();
    this.watchers.clear();
  }

  private start(folder: string): FSWatcher | undefined {
    try {
      const watcher = watch(folder, { persistent: false }, (event) => {
        if (event === "rename") this.hasRenames = true;
        this.wake();
      });
      watcher.on("error", () => this.lost(folder, watcher));
      return watcher;
    } catch {
      // It is looked at every two seconds all the same.
      return undefined;
    }
  }

  private lost(folder: string, watcher: FSWatcher): void {
    watcher.close();
    this.watchers.set(folder, undefined);
    this.hasRenames = true;
    this.wake();
  }

  private wake(): void {
    this.hasNews = true;
    this.resolve?.();
  }
}
