import { basename } from "node:path";
import { shardOfFolder } from "../../buffer/disk/queue-folder.ts";
import type { LoadedConfig } from "../../config/loaded-config.ts";
import { orphanedQueues } from "../queue/orphaned-queues.ts";
import { diskSettings } from "../storage.ts";

/**
 * The number of threads that a configuration takes: as many as it says, and more where an earlier run with more of them
 * left something in their queues.
 */
export function threadsWanted(config: LoadedConfig): number {
  const { workers } = config.service;
  const folder = diskSettings(config)?.folder;
  if (folder === undefined) return workers;
  return Math.max(workers, ...shardsWithQueues(folder).map((shard) => shard + 1));
}

function shardsWithQueues(folder: string): number[] {
  try {
    return orphanedQueues(folder, new Set())
      .map(({ folder }) => shardOfFolder(basename(folder)).shard);
  } catch {
    // Who is to work with it says what is wrong with it.
    return [];
  }
}
