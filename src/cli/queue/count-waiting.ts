import type { DiskFiles } from "../../buffer/disk/files.ts";
import { SegmentScanner } from "../../buffer/disk/scan-segment.ts";
import { SEGMENT_HEADER_BYTES } from "../../buffer/disk/segment-header.ts";
import { readIndex } from "../../buffer/disk/segment-index.ts";
import { headerOf } from "../../buffer/disk/survey.ts";
import type { QueueOnDisk } from "./look-at-queue.ts";

/**
 * Records that wait in a queue, without reading a payload: those of its entries that are not done with, as if nothing
 * were damaged. Throws what the system says.
 */
export function countWaiting(files: DiskFiles, queue: QueueOnDisk): number {
  const { content: { segments }, folder, cursor } = queue;
  const last = segments.at(-1);
  if (last === undefined) return 0;
  const recordsBefore = ({ facts }: typeof last) =>
    headerOf(files, `${folder}/${facts.name}`)?.firstRecord ?? 0;
  const first = { firstSeq: last.seq, firstRecord: recordsBefore(last) };
  const path = `${folder}/${last.facts.name}`;
  const end = readIndex(files, path, last.facts.size, first)?.endRecord ??
    endRecordOf(files, path, last.facts.size, first.firstRecord, queue.salt);
  // What was dropped at the limit does not wait, even if it was not delivered.
  const done = Math.max(cursor?.doneRecords ?? 0, recordsBefore(segments[0]!));
  return Math.max(0, end - done);
}

function endRecordOf(
  files: DiskFiles,
  path: string,
  size: number,
  firstRecord: number,
  salt: number,
): number {
  const fd = files.open(path, "read");
  try {
    const scanner = new SegmentScanner(files, fd, size, salt);
    let endRecord = firstRecord;
    for (let at = SEGMENT_HEADER_BYTES, seq = 0;;) {
      const item = scanner.next(at, seq, false);
      if (item.kind === "end") return endRecord;
      at = item.end;
      if (item.kind === "damaged") continue;
      seq = item.header.seq;
      endRecord = item.header.firstRecord + item.header.records;
    }
  } finally {
    files.close(fd);
  }
}
