import { crc32c } from "../../lib/crc32c.ts";
import type { EntryDescription } from "./entry.ts";
import type { DiskFiles } from "./files.ts";
import { Quarantine } from "./quarantine.ts";
import { SegmentScanner } from "./scan-segment.ts";
import type { Segment } from "./segment.ts";
import { SEGMENT_HEADER_BYTES } from "./segment-header.ts";
import type { SegmentLog } from "./segment-log.ts";

/** An entry read for delivery. */
export interface ReadEntry {
  readonly seq: number;
  readonly records: number;
  readonly description: EntryDescription;
  readonly payload: Buffer;
}

export interface LogReaderOptions {
  readonly files: DiskFiles;
  readonly log: SegmentLog;
  /** Reading goes on behind this entry. */
  readonly afterSeq: number;
  /** Records in all entries up to that one. */
  readonly afterRecord: number;
  /** Entries up to this number may be missing: they were dropped and counted. */
  readonly droppedSeq: () => number;
  /** Memory for a payload of so many bytes. */
  readonly memory: (bytes: number) => Buffer;
  /** Records that the segments should hold and do not. `where` says what is damaged, for people. */
  readonly onLost: (records: number, lastSeq: number, endRecord: number, where: string) => void;
}

/** The reading end of a queue: entry by entry, from segment to segment. */
export class LogReader {
  private readonly options: LogReaderOptions;
  private readonly quarantine: Quarantine;
  private current: { segment: Segment; fd: number; scanner: SegmentScanner } | undefined;
  private at = 0;
  private where = "";
  /** The last entry that was read or passed over. */
  seq: number;
  /** Records in all entries up to that one. */
  record: number;

  constructor(options: LogReaderOptions) {
    this.options = options;
    this.quarantine = new Quarantine(options.files, options.log.folder);
    this.seq = options.afterSeq;
    this.record = options.afterRecord;
  }

  /** Everything that was appended has been read. */
  get isAtEnd(): boolean {
    return this.seq >= this.options.log.lastSeq;
  }

  /** The next entry; `undefined` at the end. Throws what the system says; then the place stays the same. */
  read(): ReadEntry | undefined {
    while (!this.isAtEnd) {
      const entry = this.step();
      if (entry !== undefined) return entry;
    }
    return undefined;
  }

  /** An entry that the caller has in memory counts as read. */
  passOver(seq: number, endRecord: number): void {
    this.seq = seq;
    this.record = endRecord;
    // Where it stands in its segment is found when that is read again.
    const { current } = this;
    if (current !== undefined && seq > current.segment.lastSeq) this.leave();
  }

  /** The segments were changed: places in them are not known any more. */
  forgetPlaces(): void {
    this.leave();
  }

  close(): void {
    this.leave();
  }

  private step(): ReadEntry | undefined {
    const current = this.current ?? this.enter();
    if (current === undefined) return this.endOfLog();
    const { segment, fd, scanner } = current;
    scanner.size = segment.end;
    const item = scanner.next(this.at, 0, false);
    if (item.kind === "end") {
      this.endOf(segment, item.at, fd);
      return undefined;
    }
    if (item.kind === "damaged") {
      this.damaged(segment, fd, item.at, item.end);
      this.at = item.end;
      return undefined;
    }
    const { header, description, payloadAt, end } = item;
    if (header.seq <= this.seq) {
      this.at = end;
      return undefined;
    }
    const payload = this.options.memory(header.payloadBytes);
    const read = this.options.files.read(fd, payload, payloadAt);
    if (read < payload.length || crc32c(payload) !== header.payloadCrc) {
      this.damaged(segment, fd, item.at, end);
      this.at = end;
      return undefined;
    }
    this.checkGap(header.firstRecord, header.seq - 1);
    this.at = end;
    this.seq = header.seq;
    this.record = header.firstRecord + header.records;
    return { seq: header.seq, records: header.records, description, payload };
  }

  /** Goes to the segment that holds the next entry, or is the first behind it, if there is one. */
  private enter(): LogReader["current"] {
    const { files, log } = this.options;
    const segment = log.segments.find(({ lastSeq }) => lastSeq > this.seq);
    if (segment === undefined) return undefined;
    const fd = files.open(segment.path, "read");
    const scanner = new SegmentScanner(files, fd, segment.end, log.salt);
    this.current = { segment, fd, scanner };
    this.at = SEGMENT_HEADER_BYTES;
    return this.current;
  }

  private leave(): void {
    if (this.current !== undefined) this.options.files.close(this.current.fd);
    this.current = undefined;
  }

  /** There are no more segments, and there should be some. */
  private endOfLog(): undefined {
    const { log } = this.options;
    this.where ||= "the last entries are not there any more";
    this.checkGap(log.endRecord, log.lastSeq);
    this.seq = log.lastSeq;
  }

  private endOf(segment: Segment, at: number, fd: number): void {
    if (at < segment.end) this.damaged(segment, fd, at, segment.end);
    this.leave();
    // What the segment should still hold is lost; the log says where the next one goes on.
    this.checkGap(segment.endRecord, segment.lastSeq);
    this.seq = Math.max(this.seq, segment.lastSeq);
  }

  private damaged(segment: Segment, fd: number, at: number, end: number): void {
    const kept = this.quarantine.keep(segment.path, fd, at, end);
    this.where = `${segment.path} is damaged at bytes ${at} to ${end}` +
      (kept === undefined ? "" : `; they are kept as ${kept}`);
  }

  /** Records are numbered through: what lies between the last entry and this one is lost, to the record. */
  private checkGap(nextRecord: number, lastSeq: number): void {
    const missing = nextRecord - this.record;
    if (missing > 0 && lastSeq > this.options.droppedSeq()) {
      const where = this.where || `segments are missing in front of entry ${lastSeq + 1}`;
      this.options.onLost(missing, lastSeq, nextRecord, where);
    }
    this.where = "";
    this.record = Math.max(this.record, nextRecord);
  }
}
