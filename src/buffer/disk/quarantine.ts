import type { DiskFiles } from "./files.ts";
import { QUARANTINE_FOLDER } from "./queue-folder.ts";

const COPY_BYTES = 64 * 1024;
/** Damaged parts are kept for whoever wants to look into them, up to so many bytes and files. */
const MAX_BYTES = 64 * 1024 * 1024;
const MAX_FILES = 1000;

/** Keeps copies of the damaged parts of segments beside the queue. */
export class Quarantine {
  private readonly files: DiskFiles;
  private readonly folder: string;

  constructor(files: DiskFiles, queueFolder: string) {
    this.files = files;
    this.folder = `${queueFolder}/${QUARANTINE_FOLDER}`;
  }

  /** Copies a part of a segment. Returns where it is now; `undefined` when there is no room, or it cannot be. */
  keep(segmentPath: string, fd: number, at: number, end: number): string | undefined {
    const { files, folder } = this;
    const name = segmentPath.slice(segmentPath.lastIndexOf("/") + 1).replace(/\.seg$/, "");
    const path = `${folder}/${name}-${at}.bad`;
    try {
      files.makeFolder(folder);
      if (files.facts(path) !== undefined) return path;
      const kept = files.list(folder);
      const bytes = kept.reduce((sum, { size }) => sum + size, 0);
      if (kept.length >= MAX_FILES || bytes + end - at > MAX_BYTES) return undefined;
      this.copy(fd, at, end, path);
      return path;
    } catch {
      return undefined;
    }
  }

  private copy(fd: number, at: number, end: number, path: string): void {
    const { files } = this;
    const to = files.create(path);
    try {
      const buffer = Buffer.allocUnsafe(Math.min(COPY_BYTES, end - at));
      for (let from = at; from < end;) {
        const part = buffer.subarray(0, Math.min(buffer.length, end - from));
        const read = files.read(fd, part, from);
        if (read === 0) break;
        files.write(to, [part.subarray(0, read)], from - at);
        from += read;
      }
    } finally {
      files.close(to);
    }
  }
}
