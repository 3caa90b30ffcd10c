import { DiskQueue } from "../buffer/disk/disk-queue.ts";
import { openQueue } from "../buffer/disk/open-queue.ts";
import { queueFolderName, shardFolderName } from "../buffer/disk/queue-folder.ts";
import type { QueueEvents, QueueLimits } from "../buffer/payload-queue.ts";
import type { Clock, Logger } from "../sdk/context.ts";
import { ConfigError } from "../sdk/errors.ts";
import type { CheckpointKeeper } from "./checkpoint-keeper.ts";
import type { OutputMetrics } from "./metrics.ts";
import type { DiskSettings, OutputSpec } from "./spec.ts";

const KiB = 1024;
const MAX_SEGMENT_BYTES = 16 * 1024 * KiB;
const MIN_SEGMENT_BYTES = 64 * KiB;
/** A queue gives up its space by the segment: a small one needs small segments. */
const SEGMENTS_PER_LIMIT = 16;

export interface DiskQueueParts {
  readonly disk: DiskSettings;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: OutputMetrics;
  readonly keeper: CheckpointKeeper;
  readonly owner: QueueEvents & QueueLimits;
}

/** Opens an output's queue on disk, and says what was found. Rejects with a message for the user. */
export async function openDiskQueue(
  { id, plugin, limitBytes }: OutputSpec,
  format: string,
  { disk, clock, log, metrics, keeper, owner }: DiskQueueParts,
): Promise<DiskQueue> {
  const identity = { output: id, plugin, format };
  const opened = await openQueue({
    files: disk.files,
    folder: `${disk.folder}/${shardFolderName(queueFolderName(identity), disk.shard)}`,
    identity,
    newId: disk.newId,
    uid: disk.uid,
  }).catch((error) => {
    // Something for whoever runs this to put right, and no failure of the plugin's.
    throw new ConfigError((error as Error).message, "storage.type", { cause: error });
  });
  for (const note of opened.notes) log.warn(`${note}: queue in ${opened.folder}`);
  const queue = new DiskQueue({
    onReady: owner.onReady,
    onSpace: owner.onSpace,
    onDrop: owner.onDrop,
    get limitBytes() {
      return owner.limitBytes;
    },
    get policy() {
      return owner.policy;
    },
    files: disk.files,
    opened,
    clock,
    log,
    segmentBytes: Math.min(
      MAX_SEGMENT_BYTES,
      Math.max(MIN_SEGMENT_BYTES, Math.floor(limitBytes / SEGMENTS_PER_LIMIT)),
    ),
    syncMs: disk.syncMs,
    maxInMemory: disk.maxInMemory,
    defer: (call) => void setImmediate(call),
    onDiskError: () => void metrics.diskErrors.value++,
    onDone: () => keeper.touch(),
  });
  keeper.addQueue(queue);
  if (queue.records > 0) {
    log.info(`Found what an earlier run left in ${opened.folder}`, {
      records: queue.records,
      bytes: queue.diskBytes,
    });
  }
  return queue;
}
