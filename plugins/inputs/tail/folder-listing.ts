import { readdirSync, type Stats, statSync } from "node:fs";
import type { FoundFile } from "./scan.ts";

/** What lies in one folder, looked at once and file by file as it is asked for. */
export class FolderListing {
  readonly folder: string;
  /** Sorted, so that those that begin alike lie together. */
  private readonly names: readonly string[];
  private readonly stats = new Map<string, Stats | undefined>();
  private inodes: Map<number, FoundFile[]> | undefined;

  constructor(folder: string) {
    this.folder = folder;
    this.names = namesIn(folder).sort();
  }

  /** The regular files with names that begin so and that are wanted. */
  filesWith(beginning: string, isWanted: (name: string) => boolean): FoundFile[] {
    const files: FoundFile[] = [];
    for (let at = this.firstFrom(beginning); at < this.names.length; at++) {
      const name = this.names[at]!;
      if (!name.startsWith(beginning)) break;
      const found = isWanted(name) ? this.file(name) : undefined;
      if (found !== undefined) files.push(found);
    }
    return files;
  }

  /** The regular files that have this inode. */
  filesWithIno(ino: number): readonly FoundFile[] {
    if (this.inodes === undefined) {
      this.inodes = new Map();
      for (const name of this.names) {
        const found = this.file(name);
        if (found === undefined) continue;
        const others = this.inodes.get(found.stat.ino);
        if (others === undefined) this.inodes.set(found.stat.ino, [found]);
        else others.push(found);
      }
    }
    return this.inodes.get(ino) ?? [];
  }

  private file(name: string): FoundFile | undefined {
    const path = `${this.folder}/${name}`;
    let stat = this.stats.get(name);
    if (stat === undefined && !this.stats.has(name)) {
      stat = statOf(path);
      this.stats.set(name, stat);
    }
    return stat?.isFile() ? { path, stat } : undefined;
  }

  private firstFrom(beginning: string): number {
    let [low, high] = [0, this.names.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.names[middle]! < beginning) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** What the system says of a path; `undefined` when it says nothing. */
export function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
