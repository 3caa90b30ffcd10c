import type { DoneTracker } from "./done-tracker.ts";
import type { DiskFiles } from "./files.ts";
import type { LogReader } from "./log-reader.ts";
import { SegmentScanner } from "./scan-segment.ts";
import type { Segment } from "./segment.ts";
import { SEGMENT_HEADER_BYTES } from "./segment-header.ts";
import type { SegmentLog } from "./segment-log.ts";

export interface DroppedSegment {
  readonly segment: Segment;
  readonly records: number;
  readonly sources: ReadonlyMap<string, number>;
}

/**
 * Gives up what was not taken yet of the oldest segment from which nothing is on its way: only whole segments make
 * room. Returns `undefined` when there is none.
 */
export function dropOldestSegment(
  files: DiskFiles,
  log: SegmentLog,
  reader: LogReader,
  tracker: DoneTracker,
): DroppedSegment | undefined {
  const { firstOnItsWay } = tracker;
  const fits = ({ firstSeq, lastSeq }: Segment) =>
    lastSeq > reader.seq && (firstOnItsWay < firstSeq || firstOnItsWay > lastSeq);
  const segment = log.segments.find(fits);
  if (segment === undefined) return undefined;
  if (log.isActive(segment)) log.roll();
  // What is left of the segment before, when something from there is on its way, goes first.
  const records = segment.endRecord - reader.record;
  const { seq } = reader;
  const left = log.segments.filter(({ lastSeq }) => lastSeq > seq && lastSeq <= segment.lastSeq);
  const sources = sourcesOf(files, log, left, seq);
  reader.passOver(segment.lastSeq, segment.endRecord);
  reader.forgetPlaces();
  tracker.pass(segment.lastSeq, segment.endRecord);
  return { segment, records, sources };
}

/** Where the records behind an entry come from. What cannot be read is missing in it. */
function sourcesOf(
  files: DiskFiles,
  { salt }: SegmentLog,
  segments: readonly Segment[],
  afterSeq: number,
): Map<string, number> {
  const sources = new Map<string, number>();
  for (const segment of segments) addSources(files, salt, segment, afterSeq, sources);
  return sources;
}

function addSources(
  files: DiskFiles,
  salt: number,
  segment: Segment,
  afterSeq: number,
  sources: Map<string, number>,
): void {
  let fd: number | undefined;
  try {
    fd = files.open(segment.path, "read");
    const scanner = new SegmentScanner(files, fd, segment.end, salt);
    for (let at = SEGMENT_HEADER_BYTES;;) {
      const item = scanner.next(at, 0, false);
      if (item.kind === "end") break;
      at = item.end;
      if (item.kind === "damaged" || item.header.seq <= afterSeq) continue;
      for (const [source, records] of item.description.sources) {
        sources.set(source, (sources.get(source) ?? 0) + records);
      }
    }
  } catch {
    // It is given up anyway.
  } finally {
    if (fd !== undefined) files.close(fd);
  }
}
