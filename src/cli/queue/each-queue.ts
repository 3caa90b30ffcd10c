import { resolve } from "node:path";
import { type DiskFiles, systemDiskFiles } from "../../buffer/disk/files.ts";
import { QueueRefused } from "../../buffer/disk/queue-folder.ts";
import { storageFolder } from "../../config/storage.ts";
import { printableJson } from "../../telemetry/printable.ts";
import { type CommandIo, EXIT } from "../command-io.ts";
import { loadConfiguration } from "../dlq/load-configuration.ts";
import type { LoadedRun } from "../load-run.ts";
import { QUEUES } from "../storage.ts";
import type { QueuePlace } from "./arguments.ts";
import { findQueues } from "./find-queues.ts";
import { lookAtQueue, type QueueOnDisk } from "./look-at-queue.ts";

/** The queues that the user means. */
export interface QueuesAt {
  readonly path: string;
  /** Their folders. */
  readonly folders: readonly string[];
  /** The configuration that names them, if one does. */
  readonly loaded: LoadedRun | undefined;
}

/** The queues at a place. `undefined` when there can be none, which was said then. */
export async function queuesAt(
  { configPath, path }: QueuePlace,
  io: CommandIo,
): Promise<QueuesAt | undefined> {
  const loaded = configPath === undefined ? undefined : await loadConfiguration(configPath, io);
  if (configPath !== undefined && loaded === undefined) {
    io.stderr("The folder of the queues can also be given with --path, in place of -c\n");
    return undefined;
  }
  const storage = loaded && storageFolder(loaded.config.service);
  if (loaded !== undefined && storage === undefined) {
    io.stderr(
      `logcollector: ${configPath} keeps nothing on disk: its service has no storage.path\n`,
    );
    return undefined;
  }
  const at = storage === undefined ? resolve(path!) : `${storage}/${QUEUES}`;
  const facts = systemDiskFiles.facts(at);
  if (loaded !== undefined && facts === undefined) return { path: at, folders: [], loaded };
  try {
    return { path: at, folders: findQueues(systemDiskFiles, at), loaded };
  } catch (error) {
    const reason = facts === undefined ? "it does not exist" : (error as Error).message;
    io.stderr(`logcollector: cannot look for queues in ${at}: ${reason}\n`);
    return undefined;
  }
}

/** A collector that is at work takes segments away while they are read: then one looks again. */
const MAX_LOOKS = 5;

/**
 * Looks at each queue and shows it. Returns the largest status that `show` gave, and 2 when a queue was refused, which
 * is shown here.
 */
export function eachQueue(
  { path, folders }: QueuesAt,
  json: boolean,
  io: CommandIo,
  show: (queue: QueueOnDisk, files: DiskFiles) => number,
): number {
  if (folders.length === 0 && !json) io.stdout(`There are no queues in ${path}\n`);
  let status: number = EXIT.ok;
  for (const folder of folders) {
    try {
      status = Math.max(status, lookAndShow(folder, show));
    } catch (error) {
      const { message } = error as Error;
      const reason = error instanceof QueueRefused ? message : `Cannot read ${folder}: ${message}`;
      if (json) showJson({ folder, refused: reason }, io);
      io.stderr(`${reason}\n`);
      status = EXIT.usage;
    }
  }
  return status;
}

function lookAndShow(
  folder: string,
  show: (queue: QueueOnDisk, files: DiskFiles) => number,
): number {
  for (let look = 1;; look++) {
    try {
      return show(lookAtQueue(systemDiskFiles, folder), systemDiskFiles);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT" || look === MAX_LOOKS) throw error;
    }
  }
}

/** Shows an object as one line. */
export function showJson(value: object, io: CommandIo): void {
  io.stdout(`${printableJson(JSON.stringify(value))}\n`);
}
