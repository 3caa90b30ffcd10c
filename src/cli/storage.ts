import { randomBytes } from "node:crypto";
import { systemDiskFiles } from "../buffer/disk/files.ts";
import type { LoadedConfig } from "../config/loaded-config.ts";
import { outputStorage, storageFolder } from "../config/storage.ts";
import type { DiskSettings } from "../engine/spec.ts";

/** The folder of queues in the storage folder. */
export const QUEUES = "queues";
/** Payloads of 256 KiB: what is sent soon need not be read again, and memory stays small. */
const MAX_IN_MEMORY = 8;

/** How disk queues are kept; `undefined` when no output has one. Nothing is opened or made yet. */
export function diskSettings(config: LoadedConfig): DiskSettings | undefined {
  const { service } = config;
  const folder = storageFolder(service);
  const wanted = config.outputs.some((output) => outputStorage(output, config) === "filesystem");
  if (folder === undefined || !wanted) return undefined;
  return {
    files: systemDiskFiles,
    folder: `${folder}/${QUEUES}`,
    syncMs: service["storage.sync"] === "full" ? 0 : service.flush,
    maxInMemory: Math.min(MAX_IN_MEMORY, service["storage.max_chunks_up"]),
    uid: process.geteuid?.() ?? 0,
    newId: () => randomBytes(16).toString("hex"),
  };
}
