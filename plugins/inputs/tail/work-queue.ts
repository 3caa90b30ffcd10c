import type { TailedFile } from "./tailed-file.ts";

/** The files to read, in fair turns. */
export class WorkQueue {
  private readonly files: TailedFile[] = [];
  /** Busy or rotated files whose changes nobody may report: they are looked at again and again. */
  readonly hot = new Set<TailedFile>();

  add(file: TailedFile): void {
    if (file.queued) return;
    file.queued = true;
    this.files.push(file);
  }

  addHot(): void {
    for (const file of this.hot) this.add(file);
  }

  /** The file whose turn it is, if one has something to do. */
  next(): TailedFile | undefined {
    const file = this.files.shift();
    if (file !== undefined) file.queued = false;
    return file;
  }
}
