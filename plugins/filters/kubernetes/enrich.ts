import type { Batch, Body, LogRecord } from "logcollector/plugin";
import type { StreamWishes, Wishes } from "./annotations.ts";
import type { MergeLog } from "./merge-log.ts";
import type { Metadata } from "./metadata.ts";

/** Adds metadata to all records of a batch, to those that are JSON without making anything else of them. */
export function enrichAll(batch: Batch, metadata: Metadata, merge: MergeLog | undefined): Batch {
  const { json } = batch;
  if (json !== undefined && metadata.wishes === undefined && !merge?.mayChange(json)) {
    if (batch.append(metadata.tail)) return batch;
  }
  keepWhere(batch.records, (record) => enrich(record, metadata, merge));
  return batch;
}

/** Adds metadata to a record. Returns false when the record's pod wants it left out. */
export function enrich(
  record: LogRecord,
  { tail, wishes }: Metadata,
  merge: MergeLog | undefined,
): boolean {
  const wished = wishes && ofStream(wishes, record.body);
  if (wished?.isExcluded) return false;
  merge?.apply(record, wished?.parser);
  tail.addTo(record.body);
  return true;
}

function ofStream(wishes: Wishes, { stream }: Body): StreamWishes {
  return stream === "stdout" || stream === "stderr" ? wishes[stream] : wishes.other;
}

/** Keeps the records for which the call returns true, in place. */
export function keepWhere(records: LogRecord[], call: (record: LogRecord) => boolean): void {
  let kept = 0;
  for (let i = 0; i < records.length; i++) {
    const record = records[i]!;
    if (call(record)) records[kept++] = record;
  }
  records.length = kept;
}
