import type { TailedFile } from "./tailed-file.ts";

/** So many that had their turn are kept in the list. */
const MAX_PASSED = 4096;

/** The files to read, in fair turns. */
export class WorkQueue {
  private files: TailedFile[] = [];
  /** Where in the list it is whose turn it is. */
  private at = 0;
  /** Busy or rotated files whose changes nobody may report: they are looked at again and again. */
  readonly hot = new Set<TailedFile>();

  add(file: TailedFile): void {
    if (file.queued) return;
    file.queued = true;
    this.files.push(file);
  }

  addHot(): void {
    for (const file of this.hot) {
      // To open each rotated one again and again would cost more than waiting for the next scan.
      if (file.isOpen || file.rotatedMs < 0) this.add(file);
    }
  }

  /** The file whose turn it is, if one has something to do. */
  next(): TailedFile | undefined {
    const file = this.files[this.at];
    if (file === undefined) return undefined;
    file.queued = false;
    // Taking each off the front would move all others, of which there may be a hundred thousand.
    if (++this.at === this.files.length || this.at === MAX_PASSED) {
      this.files = this.files.slice(this.at);
      this.at = 0;
    }
    return file;
  }
}
