import { type Body, cloneValue, type LogRecord, setField } from "logcollector/plugin";
import type { StreamWishes, Wishes } from "./annotations.ts";
import type { MergeLog } from "./merge-log.ts";
import type { Metadata } from "./metadata.ts";

/** Adds metadata to a record. Returns false when the record's pod wants it left out. */
export function enrich(
  record: LogRecord,
  { fields, wishes }: Metadata,
  merge: MergeLog | undefined,
): boolean {
  const wished = wishes && ofStream(wishes, record.body);
  if (wished?.isExcluded) return false;
  merge?.(record, wished?.parser);
  // A copy: the next filter may change the fields of this record alone.
  for (const name in fields) setField(record.body, name, cloneValue(fields[name]!));
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
