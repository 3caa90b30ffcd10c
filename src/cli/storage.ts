import { mkdirSync } from "node:fs";
import { systemDiskFiles } from "../buffer/disk/files.ts";
import { safeName } from "../buffer/disk/queue-folder.ts";
import type { LoadedConfig } from "../config/loaded-config.ts";
import { inputStorage, outputStorage, storageFolder } from "../config/storage.ts";
import type { DiskSettings, PipelineServices } from "../engine/spec.ts";
import type { Logger } from "../sdk/context.ts";
import { ConfigError } from "../sdk/errors.ts";
import { CheckpointFile } from "../state/checkpoint-file.ts";
import { type FileLock, lockFile } from "../state/file-lock.ts";

/** The folder of queues in the storage folder, and that of positions whose input names no file. */
export const QUEUES = "queues";
const POSITIONS = "positions";
/** Payloads of 256 KiB: what is sent soon need not be read again, and memory stays small. */
const MAX_IN_MEMORY = 8;
/** How often the disk is asked for its word when records are not gathered for any time, in milliseconds. */
const SYNC_MS = 1000;

/** How disk queues are kept; `undefined` when no output has one. Nothing is opened or made yet. */
export function diskSettings(config: LoadedConfig, shard = 0): DiskSettings | undefined {
  const { service } = config;
  const folder = storageFolder(service);
  const wanted = config.outputs.some((output) => outputStorage(output, config) === "filesystem");
  if (folder === undefined || !wanted) return undefined;
  return {
    files: systemDiskFiles,
    folder: `${folder}/${QUEUES}`,
    shard,
    syncMs: service["storage.sync"] === "full" ? 0 : service.flush || SYNC_MS,
    maxInMemory: Math.min(MAX_IN_MEMORY, service["storage.max_chunks_up"]),
    uid: process.geteuid?.() ?? 0,
    newId: () => Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString("hex"),
  };
}

/** The storage folder, which this process has for itself as long as it keeps anything in it. */
export class StorageLock {
  private held: FileLock | undefined;

  get isHeld(): boolean {
    return this.held !== undefined;
  }

  /**
   * Takes the folder if the configuration keeps anything in it and it is not taken yet. Throws an Error for the user
   * when another process has it, or when it cannot be made.
   */
  take(config: LoadedConfig): void {
    const folder = storageFolder(config.service);
    const isUsed = diskSettings(config) !== undefined ||
      config.inputs.some((input) => inputStorage(input, config.service) === "filesystem");
    if (folder === undefined || !isUsed || this.isHeld) return;
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      this.held = lockFile(`${folder}/lock`);
    } catch (error) {
      throw new Error(`Cannot use storage.path ${folder}: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }

  release(): void {
    this.held?.release();
    this.held = undefined;
  }
}

/** Opens the files of inputs' positions: where an input says, or in the storage folder for those that keep records there. */
export function checkpointOpener(
  config: LoadedConfig,
  log: Logger,
): PipelineServices["openCheckpoints"] {
  const folder = storageFolder(config.service);
  return (input, options) => {
    const inFolder = folder !== undefined && input.storage === "filesystem"
      ? `${folder}/${POSITIONS}/${safeName(input.id)}.db`
      : undefined;
    const path = options.path ?? inFolder;
    if (path === undefined) return undefined;
    const { alias: owner = "", plugin } = input;
    try {
      return CheckpointFile.open({ ...options, path, owner, plugin, log, nowMs: () => Date.now() });
    } catch (error) {
      throw new ConfigError((error as Error).message, "db", { cause: error });
    }
  };
}
