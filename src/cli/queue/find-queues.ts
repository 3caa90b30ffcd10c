import type { DiskFiles } from "../../buffer/disk/files.ts";
import { CURSOR_FILE, IDENTITY_FILE } from "../../buffer/disk/queue-folder.ts";
import { seqOfName } from "../../buffer/disk/segment-header.ts";
import { QUEUES } from "../storage.ts";

/**
 * The folders of the queues at a path, which may be a storage folder, the folder of its queues, or one queue. Throws
 * what the system says.
 */
export function findQueues(files: DiskFiles, path: string): string[] {
  const inside = files.list(path);
  const holdsQueues = inside.some(({ name, kind }) => name === QUEUES && kind === "folder");
  if (holdsQueues) return findQueues(files, `${path}/${QUEUES}`);
  const isQueue = inside.some(({ name, kind }) =>
    kind === "file" &&
    (name === IDENTITY_FILE || name === CURSOR_FILE || seqOfName(name) !== undefined)
  );
  return isQueue ? [path] : inside.map(({ name }) => `${path}/${name}`).sort();
}
