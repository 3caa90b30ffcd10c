import {
  DeadLetterStore,
  type RemovalReason,
} from "../../buffer/dead-letters/dead-letter-store.ts";
import { systemDiskFiles } from "../../buffer/disk/files.ts";
import type { ServiceOptions } from "../../config/service-options.ts";
import { deadLetterFolder, keepsDeadLetters } from "../../config/storage.ts";
import type { PipelineServices } from "../../engine/spec.ts";
import { systemClock } from "../../lib/clock.ts";
import type { LogSink } from "../../telemetry/logger.ts";
import type { MetricsRegistry } from "../../telemetry/metrics.ts";

/** What a run does with what its outputs give up. */
export interface DeadLetterKeeping {
  /** There when the configuration keeps dead letters. Not to be called before {@link open} has resolved. */
  readonly keep: PipelineServices["keep"];
  /** Makes the folder, and what else is not for a dry run. Rejects with a message for the user. */
  open(): Promise<void>;
  close(): void;
}

/** Keeps dead letters as the configuration says. */
export function keepDeadLetters(
  service: ServiceOptions,
  log: LogSink,
  metrics: MetricsRegistry,
): DeadLetterKeeping {
  if (!keepsDeadLetters(service)) {
    return { keep: undefined, open: async () => {}, close() {} };
  }
  let store: DeadLetterStore | undefined;
  return {
    keep: (letter) => store!.keep(letter),
    async open() {
      store = await openStore(service, log, metrics);
      showHeld(store, metrics);
    },
    close: () => store?.close(),
  };
}

async function openStore(
  service: ServiceOptions,
  log: LogSink,
  metrics: MetricsRegistry,
): Promise<DeadLetterStore> {
  const folder = deadLetterFolder(service);
  if (folder === undefined) {
    throw new Error(
      "Cannot keep dead letters: storage.keep.rejected needs a folder; add storage.path to service, or an absolute storage.rejected.path",
    );
  }
  const removed = (reason: RemovalReason) =>
    metrics.counter(
      "dead_letters_removed_records_total",
      "Records of dead letters that were removed because of their limits",
      { reason },
    );
  const counters = {
    dead_letter_limit: removed("dead_letter_limit"),
    dead_letter_age: removed("dead_letter_age"),
  };
  return await DeadLetterStore.open({
    files: systemDiskFiles,
    folder,
    clock: systemClock,
    log: log.logger("dead letters"),
    limitBytes: service["storage.rejected.limit"] || Infinity,
    maxAgeMs: service["storage.rejected.max_age"] || Infinity,
    onRemoved: (records, reason) => void (counters[reason].value += records),
  });
}

function showHeld(store: DeadLetterStore, metrics: MetricsRegistry): void {
  const letters = metrics.gauge("dead_letters_held", "Dead letters in their folder");
  const records = metrics.gauge("dead_letters_held_records", "Records in dead letters");
  const bytes = metrics.gauge("dead_letters_held_bytes", "Bytes of dead letters on the disk");
  metrics.onCollect(() => {
    store.refresh();
    letters.value = store.held.size;
    records.value = store.held.records;
    bytes.value = store.held.bytes;
  });
}
