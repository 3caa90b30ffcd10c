import { closeSync, openSync, writeSync } from "node:fs";

/** Writes to the file until the disk takes no more. */
export function fillDisk(path: string): void {
  const fd = openSync(path, "w");
  try {
    for (const block = Buffer.alloc(4096);;) writeSync(fd, block);
  } catch {
    // It is full now.
  } finally {
    closeSync(fd);
  }
}
