import type { Claim } from "../queued-payload.ts";
import type { CursorState } from "./cursor.ts";
import type { DiskFiles } from "./files.ts";
import type { FolderContent } from "./queue-folder.ts";
import { addClaims, type Segment } from "./segment.ts";
import {
  readSegmentHeader,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
  segmentName,
} from "./segment-header.ts";
import { readIndex } from "./segment-index.ts";
import { SegmentScanner } from "./scan-segment.ts";

/** A part of a segment that holds no intact entry. */
export interface Damage {
  readonly path: string;
  readonly at: number;
  readonly end: number;
  /** Behind it comes nothing more: a write that was cut off. */
  readonly isTail: boolean;
}

/** What is in a queue's segments. */
export interface Survey {
  readonly segments: Segment[];
  readonly damages: readonly Damage[];
  /** How far streams are safe, by {@link claimKey}: only what no damage puts in doubt. */
  readonly claims: Map<string, Claim>;
  /** Paths of files that hold nothing: cut off before their first entry. */
  readonly empty: readonly string[];
  /** Segments that were read because their index was missing or not right. */
  readonly indexesMissing: number;
  /** Entries up to this number were on the disk, are done with or were given up, as far as is known. */
  readonly syncedSeq: number;
  /** Entries behind that are missing in front of others. */
  readonly hasUnsafeGap: boolean;
  /** Records of missing entries that never got there, now or earlier: nobody was told that they are safe. */
  readonly unsafeRecords: number;
}

export interface SurveyOptions {
  readonly files: DiskFiles;
  readonly folder: string;
  readonly salt: number;
  /** How far the queue was emptied, when that is known. */
  readonly cursor: CursorState | undefined;
  /** Verify every payload, whatever is known. */
  readonly verifyAll?: boolean;
}

interface Gathering {
  readonly damages: Damage[];
  /** Claims of entries that may not have been on the disk, with their numbers. */
  readonly young: { readonly seq: number; readonly claims: readonly Claim[] }[];
  /** Runs of numbers without an intact entry, and the records that are missing with them. */
  readonly gaps: { readonly from: number; readonly to: number; readonly records: number }[];
  readonly claims: Map<string, Claim>;
  readonly voidSeq: number;
  /** Records up to this one are done with: nobody misses them. */
  readonly doneRecords: number;
  nextSeq: number;
  /** `undefined` when nobody knows what the first entry should begin with. */
  nextRecord: number | undefined;
  syncedSeq: number;
}

/**
 * Goes through a queue's segments, in memory of a fixed size. What was on the disk before is taken from the
 * segments' indexes where they are; the rest is read and verified.
 */
export function survey(content: FolderContent, options: SurveyOptions): Survey {
  const { files, folder, cursor } = options;
  // What is done with, or was given up, may be missing; what was on the disk needs no second look before it is sent.
  const safeSeq = cursor === undefined
    ? -1
    : Math.max(cursor.syncedSeq, cursor.doneSeq, cursor.droppedSeq);
  const gathering: Gathering = {
    damages: [],
    young: [],
    gaps: [],
    claims: new Map(),
    voidSeq: cursor?.voidSeq ?? 0,
    doneRecords: cursor?.doneRecords ?? 0,
    // Without a cursor nobody knows which entries may be missing at the beginning.
    nextSeq: (cursor?.doneSeq ?? 0) + 1,
    nextRecord: cursor?.doneRecords,
    syncedSeq: safeSeq,
  };
  const segments: Segment[] = [];
  const empty: string[] = [];
  let indexesMissing = 0;
  content.segments.forEach(({ seq, facts }, i) => {
    const path = `${folder}/${segmentName(seq)}`;
    const following = content.segments[i + 1]?.seq;
    const isSynced = following !== undefined && following - 1 <= safeSeq;
    const header = headerOf(files, path);
    const first = { firstSeq: seq, firstRecord: header?.firstRecord ?? gathering.nextRecord ?? 0 };
    if (facts.size <= SEGMENT_HEADER_BYTES && following === undefined) {
      empty.push(path);
      return;
    }
    const mayUseIndex = isSynced && !options.verifyAll && seq > gathering.voidSeq;
    const indexed = mayUseIndex ? readIndex(files, path, facts.size, first) : undefined;
    if (mayUseIndex && indexed === undefined) indexesMissing++;
    const found = indexed ?? scan(path, facts.size, first, isSynced, gathering, options);
    if (indexed !== undefined) {
      note(gathering, seq, first.firstRecord);
      addClaims(gathering.claims, indexed.claims.values());
      gathering.nextSeq = indexed.lastSeq + 1;
      gathering.nextRecord = indexed.endRecord;
    }
    segments.push(found);
  });
  addClaims(gathering.claims, trusted(gathering));
  const { damages, claims, syncedSeq, gaps } = gathering;
  const unsafe = gaps.filter(({ to }) => to > syncedSeq);
  const known = gaps.filter(({ to }) => to > (cursor?.doneSeq ?? 0) && to <= gathering.voidSeq);
  return {
    segments,
    damages,
    claims,
    empty,
    indexesMissing,
    syncedSeq,
    hasUnsafeGap: unsafe.length > 0,
    unsafeRecords: [...unsafe, ...known].reduce((sum, { records }) => sum + records, 0),
  };
}

/** The header of a segment, `undefined` when it is damaged. */
export function headerOf(files: DiskFiles, path: string): SegmentHeader | undefined {
  const fd = files.open(path, "read");
  try {
    const bytes = Buffer.alloc(SEGMENT_HEADER_BYTES);
    return readSegmentHeader(bytes.subarray(0, files.read(fd, bytes, 0)));
  } finally {
    files.close(fd);
  }
}

function scan(
  path: string,
  size: number,
  first: Pick<Segment, "firstSeq" | "firstRecord">,
  isSynced: boolean,
  gathering: Gathering,
  options: SurveyOptions,
): Segment {
  const fd = options.files.open(path, "read");
  const segment: Segment = {
    path,
    ...first,
    lastSeq: first.firstSeq - 1,
    endRecord: first.firstRecord,
    end: Math.min(size, SEGMENT_HEADER_BYTES),
    claims: new Map(),
  };
  gathering.nextRecord ??= first.firstRecord;
  // Where entries are known to be missing, what is left of others is looked at closely.
  const verify = !isSynced || options.verifyAll === true || first.firstSeq <= gathering.voidSeq;
  let pending: Damage[] = [];
  try {
    const scanner = new SegmentScanner(options.files, fd, size, options.salt);
    for (let at = segment.end;;) {
      const item = scanner.next(at, segment.lastSeq, verify);
      if (item.kind === "end") {
        if (segment.end < size) {
          // Nothing intact follows: a write that was cut off, and what the disk has made of it.
          gathering.damages.push({ path, at: segment.end, end: size, isTail: true });
        }
        break;
      }
      at = item.end;
      if (item.kind === "damaged") {
        pending.push({ path, at: item.at, end: item.end, isTail: false });
        // It was on the disk, and is damaged since: a loss, which is counted where the entry would be sent.
        if (item.header === undefined || isUnsafe(item.header.seq, gathering)) continue;
        segment.lastSeq = item.header.seq;
        segment.endRecord = item.header.firstRecord + item.header.records;
        gathering.nextSeq = item.header.seq + 1;
      }
      segment.end = at;
      gathering.damages.push(...pending);
      pending = [];
      if (item.kind === "damaged") continue;
      const { header, description } = item;
      note(gathering, header.seq, header.firstRecord);
      gathering.nextSeq = header.seq + 1;
      gathering.nextRecord = header.firstRecord + header.records;
      gathering.syncedSeq = Math.max(gathering.syncedSeq, description.syncedSeq);
      segment.lastSeq = header.seq;
      segment.endRecord = gathering.nextRecord;
      if (description.claims.length === 0 || header.seq <= gathering.voidSeq) continue;
      addClaims(segment.claims, description.claims);
      if (isSynced) addClaims(gathering.claims, description.claims);
      else gathering.young.push({ seq: header.seq, claims: description.claims });
    }
  } finally {
    options.files.close(fd);
  }
  return segment;
}

/** The entry may never have been on the disk. */
function isUnsafe(seq: number, { syncedSeq, voidSeq }: Gathering): boolean {
  return seq > syncedSeq || seq <= voidSeq;
}

/** An entry with this number comes: what is missing in front of it is a gap. */
function note(gathering: Gathering, seq: number, firstRecord: number): void {
  const { nextSeq, nextRecord, doneRecords, gaps } = gathering;
  if (seq > nextSeq) {
    const expected = Math.max(nextRecord ?? firstRecord, doneRecords);
    gaps.push({ from: nextSeq, to: seq - 1, records: Math.max(0, firstRecord - expected) });
  }
  gathering.nextSeq = Math.max(nextSeq, seq);
  gathering.nextRecord = Math.max(nextRecord ?? 0, firstRecord);
}

/**
 * A claim is true once everything before it is in the queue too. Where an entry is missing that may never have been
 * on the disk, its records were not acked; what was claimed behind it would lose them.
 */
function trusted({ young, gaps, syncedSeq }: Gathering): Claim[] {
  const doubtful = gaps.find(({ to }) => to > syncedSeq);
  const limit = doubtful === undefined ? Infinity : Math.max(doubtful.from, syncedSeq + 1);
  return young.filter(({ seq }) => seq < limit).flatMap(({ claims }) => [...claims]);
}
