import type { EntryHeader } from "../../buffer/disk/entry.ts";
import type { DiskFiles, FileFacts } from "../../buffer/disk/files.ts";
import { type SegmentItem, SegmentScanner } from "../../buffer/disk/scan-segment.ts";
import { SEGMENT_HEADER_BYTES } from "../../buffer/disk/segment-header.ts";
import { headerOf } from "../../buffer/disk/survey.ts";
import type { QueueOnDisk } from "./look-at-queue.ts";

/** A place in a queue where something is not as it was written. */
export interface DamagedPlace {
  /** The segment's name. */
  readonly file: string;
  readonly from: number;
  readonly to: number;
  /** Records that wait and are missing because of it. */
  readonly records: number;
  /** `missing`: what is there is sound, but entries in front of it are not there. */
  readonly what: "header" | "entries" | "missing";
}

/** What verifying a queue has found. */
export interface Verification {
  /** What is sound, also of that which is done with. */
  readonly payloads: number;
  readonly records: number;
  readonly bytes: number;
  readonly damaged: readonly DamagedPlace[];
  /** Bytes at the very end that are no whole entry: a write that was cut off, or that is under way. */
  readonly cutOff: Place | undefined;
}

type Place = Pick<DamagedPlace, "file" | "from" | "to">;

/** Reads everything in a queue and verifies it, in memory of a fixed size. Throws what the system says. */
export function verifySegments(files: DiskFiles, queue: QueueOnDisk): Verification {
  const verifier = new Verifier(files, queue);
  for (const { seq, facts } of queue.content.segments) verifier.segment(seq, facts);
  return verifier.finish();
}

class Verifier {
  private readonly files: DiskFiles;
  private readonly queue: QueueOnDisk;
  private readonly damaged: DamagedPlace[] = [];
  private payloads = 0;
  private records = 0;
  private bytes = 0;
  private lastSeq = 0;
  /** Records in all entries so far; `undefined` when the next entry may begin with any. */
  private nextRecord: number | undefined;
  /** Entries up to this number were on the disk, as far as is known. */
  private syncedSeq: number;
  /** Damage of which the next entry tells what is missing. */
  private pending: Place[] = [];

  constructor(files: DiskFiles, queue: QueueOnDisk) {
    this.files = files;
    this.queue = queue;
    // What is done with may be gone, and what is not must be there.
    this.nextRecord = queue.cursor?.doneRecords;
    this.syncedSeq = queue.cursor?.syncedSeq ?? 0;
  }

  segment(firstSeq: number, { name, size }: FileFacts): void {
    const { files, queue: { folder, salt } } = this;
    let fd: number;
    try {
      fd = files.open(`${folder}/${name}`, "read");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      // Everything in it was delivered meanwhile, and what is in those before it.
      this.nextRecord = undefined;
      return;
    }
    try {
      this.bytes += size;
      this.checkHeader(name, size);
      const scanner = new SegmentScanner(files, fd, size, salt);
      // A segment that was written again may begin with entries of the one before.
      for (let at = SEGMENT_HEADER_BYTES, seq = firstSeq - 1;;) {
        const item = scanner.next(at, seq, true);
        if (item.kind === "end") {
          if (at < size) this.pending.push({ file: name, from: at, to: size });
          return;
        }
        seq = item.header?.seq ?? seq;
        this.item(name, item);
        at = item.end;
      }
    } finally {
      files.close(fd);
    }
  }

  finish(): Verification {
    const { payloads, records, bytes, damaged, pending, queue: { cursor, content } } = this;
    const last = content.segments.at(-1)?.facts;
    const result = { payloads, records, bytes, damaged };
    const [first] = pending;
    // The cursor says what had been on the disk: that cannot be a write that was cut off.
    const missing = cursor === undefined || this.nextRecord === undefined
      ? 0
      : this.waiting(this.nextRecord, cursor.syncedRecords);
    if (missing === 0 && first !== undefined && first.file === last?.name) {
      return { ...result, cutOff: { ...first, to: last.size } };
    }
    if (first !== undefined) this.damage(missing);
    else if (missing > 0) {
      const { name: file = "", size: from = 0 } = last ?? {};
      damaged.push({ file, from, to: from, records: missing, what: "missing" });
    }
    return { ...result, cutOff: undefined };
  }

  private checkHeader(file: string, size: number): void {
    // A file is made first and filled then.
    if (size < SEGMENT_HEADER_BYTES) return;
    if (headerOf(this.files, `${this.queue.folder}/${file}`) !== undefined) return;
    this.damaged.push({ file, from: 0, to: SEGMENT_HEADER_BYTES, records: 0, what: "header" });
  }

  private item(file: string, item: Exclude<SegmentItem, { kind: "end" }>): void {
    const { header, at, end } = item;
    const isYoung = header !== undefined && header.seq > this.syncedSeq;
    if (header === undefined || item.kind === "damaged" && isYoung) {
      this.pending.push({ file, from: at, to: end });
      return;
    }
    if (item.kind === "entry") {
      this.syncedSeq = Math.max(this.syncedSeq, item.description.syncedSeq);
    }
    if (header.seq <= this.lastSeq) return;
    this.goesOn(file, at, header);
    this.lastSeq = header.seq;
    this.nextRecord = header.firstRecord + header.records;
    if (item.kind === "damaged") {
      this.pending.push({ file, from: at, to: end });
      this.damage(this.waiting(header.firstRecord, this.nextRecord));
      return;
    }
    this.payloads++;
    this.records += header.records;
  }

  /** An entry comes: what lies between it and the one before is missing. */
  private goesOn(file: string, at: number, { seq, firstRecord }: EntryHeader): void {
    const { droppedSeq = 0, voidSeq = 0 } = this.queue.cursor ?? {};
    // What was given up at the limit was counted then; of what was never on the disk nobody was told that it is safe.
    const isLoss = seq - 1 > Math.max(droppedSeq, voidSeq) && seq - 1 <= this.syncedSeq;
    const records = isLoss ? this.waiting(this.nextRecord ?? firstRecord, firstRecord) : 0;
    if (this.pending.length > 0) this.damage(records);
    else if (records > 0) this.damaged.push({ file, from: at, to: at, records, what: "missing" });
  }

  /** So many records are missing in what is damaged. */
  private damage(records: number): void {
    this.pending.forEach((place, i) =>
      this.damaged.push({ ...place, records: i === 0 ? records : 0, what: "entries" })
    );
    this.pending = [];
  }

  /** How many of these records are not done with. */
  private waiting(from: number, to: number): number {
    return Math.max(0, to - Math.max(from, this.queue.cursor?.doneRecords ?? 0));
  }
}
