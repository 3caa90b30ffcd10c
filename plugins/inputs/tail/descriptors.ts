import { readFileSync } from "node:fs";
import { statOf } from "./folder-listing.ts";
import type { TailedFile } from "./tailed-file.ts";

/** Keeps the number of open files under what the system allows: those quiet for longest give theirs back. */
export class Descriptors {
  private readonly limit: number;
  // In the order of last use: a Map keeps insertion order, and a use inserts again.
  private readonly open = new Set<TailedFile>();

  /** `sharers` divide what the process may have open. */
  constructor(limit: number = limitOfProcess(), sharers = 1) {
    this.limit = Math.ceil(limit / sharers);
  }

  used(file: TailedFile): void {
    if (!file.isOpen) return;
    this.open.delete(file);
    this.open.add(file);
    if (this.open.size > this.limit) this.restOldest();
  }

  drop(file: TailedFile): void {
    this.open.delete(file);
  }

  private restOldest(): void {
    for (const file of this.open) {
      // A renamed or deleted file may be nowhere to open again, and one with unread lines will be read soon.
      if (file.rotatedMs >= 0) continue;
      file.rest();
      this.open.delete(file);
      return;
    }
    // Still, one that was read to its end and can be found costs less than a file that cannot be opened at all.
    for (const file of this.open) {
      const stat = file.drained ? statOf(file.openPath) : undefined;
      if (stat === undefined || !file.isSame(stat)) continue;
      file.rest();
      this.open.delete(file);
      return;
    }
  }
}

/** Half of the process's limit: sockets, queues and plugins need some too. */
function limitOfProcess(): number {
  try {
    const match = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"));
    return Math.min(8192, Math.max(64, Math.floor(Number(match?.[1] ?? 1024) / 2)));
  } catch {
    return 512;
  }
}
