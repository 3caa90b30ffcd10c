import { type DiskFiles, systemDiskFiles } from "../../buffer/disk/files.ts";
import { shardOfFolder } from "../../buffer/disk/queue-folder.ts";
import { countWaiting } from "./count-waiting.ts";
import { lookAtQueue } from "./look-at-queue.ts";

/** A queue that no output of the configuration empties. */
export interface OrphanedQueue {
  readonly folder: string;
  /** The output that it was for; `undefined` when nobody knows any more. */
  readonly output: string | undefined;
  readonly plugin: string | undefined;
  readonly records: number;
  readonly bytes: number;
}

/**
 * Queues in a folder whose names are none of `currentNames`, in whichever thread, and that hold records. Reads no payloads. A folder that is
 * no queue, or that cannot be read, is passed over: it is no matter of a start.
 */
export function orphanedQueues(
  folder: string,
  currentNames: ReadonlySet<string>,
  files: DiskFiles = systemDiskFiles,
): OrphanedQueue[] {
  if (files.facts(folder)?.kind !== "folder") return [];
  return files.list(folder).flatMap(({ name, kind }) => {
    if (kind !== "folder" || currentNames.has(shardOfFolder(name).name)) return [];
    try {
      const queue = lookAtQueue(files, `${folder}/${name}`);
      const records = countWaiting(files, queue);
      const { output, plugin } = queue.identity ?? {};
      return records === 0
        ? []
        : [{ folder: queue.folder, output, plugin, records, bytes: queue.bytes }];
    } catch {
      return [];
    }
  });
}
