import { queueFolderName } from "../../buffer/disk/queue-folder.ts";
import type { LoadedConfig } from "../../config/loaded-config.ts";
import { outputStorage, storageFolder } from "../../config/storage.ts";
import { countOf } from "../../lib/count-of.ts";
import type { Logger } from "../../sdk/context.ts";
import type { MetricsRegistry } from "../../telemetry/metrics.ts";
import { QUEUES } from "../storage.ts";
import { type OrphanedQueue, orphanedQueues } from "./orphaned-queues.ts";

/** Says which queues on disk hold records that nobody sends. `outputs` are those of the configuration, at work. */
export function warnOfOrphans(
  config: LoadedConfig,
  outputs: readonly { readonly id: string; readonly format: string }[],
  log: Logger,
  metrics: MetricsRegistry,
): void {
  const orphans = countOrphans(config, queueNames(config, outputs), metrics);
  for (const { folder: path, output, records, bytes } of orphans) {
    const whose = output === undefined ? "" : ` of output "${output}"`;
    log.warn(
      `The queue${whose} in ${path} is not sent: no output of the configuration takes it. Its ${
        countOf(records, "record")
      } are kept; see "logcollector queue inspect"`,
      { records, bytes },
    );
  }
}

/** Finds the queues on disk that hold records, without those of these names, and shows their number. */
export function countOrphans(
  { service }: LoadedConfig,
  currentNames: ReadonlySet<string>,
  metrics: MetricsRegistry,
): readonly OrphanedQueue[] {
  const folder = storageFolder(service);
  if (folder === undefined) return [];
  const orphans = orphanedQueues(`${folder}/${QUEUES}`, currentNames);
  metrics.gauge(
    "storage_orphaned_queues",
    "Queues on disk that hold records and that no output of the configuration takes",
  ).value = orphans.length;
  return orphans;
}

/** The names of the folders in which outputs have their queues. */
export function queueNames(
  config: LoadedConfig,
  outputs: readonly { readonly id: string; readonly format: string }[],
): Set<string> {
  const formats = new Map(outputs.map(({ id, format }) => [id, format]));
  const onDisk = config.outputs.filter((output) =>
    formats.has(output.id) && outputStorage(output, config) === "filesystem"
  );
  return new Set(
    onDisk.map(({ id, definition }) =>
      queueFolderName({ output: id, plugin: definition.name, format: formats.get(id)! })
    ),
  );
}
