import { encodeEntryHead, type EntryDescription, HEADER_BYTES } from "./entry.ts";
import type { DiskFiles } from "./files.ts";
import type { OpenedQueue } from "./open-queue.ts";
import { addClaims, type Segment } from "./segment.ts";
import { encodeSegmentHeader, SEGMENT_HEADER_BYTES, segmentName } from "./segment-header.ts";
import { indexPath, writeIndex } from "./segment-index.ts";
import { SegmentScanner } from "./scan-segment.ts";

interface Active {
  readonly segment: Segment;
  readonly fd: number;
}

/** The writing end of a queue: entries are appended to segments, which are closed when they are large enough. */
export class SegmentLog {
  /** The oldest first; the last may be the one that is written to. */
  readonly segments: Segment[];
  readonly salt: number;
  readonly folder: string;
  private readonly files: DiskFiles;
  private readonly id: string;
  private readonly segmentBytes: number;
  private active: Active | undefined;
  /** Descriptors of closed segments that are not on the disk yet. */
  private readonly unsynced = new Map<Segment, number>();
  private activeIsUnsynced = false;
  private folderIsUnsynced = false;
  /** A sync is under way; descriptors given up meanwhile are closed when it is over. */
  private syncing = false;
  private closeLater: number[] = [];
  private nextSeq: number;
  private nextRecord: number;
  /** Entries up to this number are on the disk, and this is how many records there are in all of them. */
  syncedSeq: number;
  syncedRecords: number;

  constructor(files: DiskFiles, opened: OpenedQueue, segmentBytes: number) {
    this.files = files;
    this.segmentBytes = segmentBytes;
    this.segments = opened.segments;
    this.salt = opened.salt;
    this.folder = opened.folder;
    this.id = opened.id;
    this.nextSeq = opened.nextSeq;
    this.nextRecord = opened.nextRecord;
    this.syncedSeq = opened.cursor.syncedSeq;
    this.syncedRecords = opened.cursor.syncedRecords;
  }

  get lastSeq(): number {
    return this.nextSeq - 1;
  }

  /** Records in all entries so far, since the queue was made. */
  get endRecord(): number {
    return this.nextRecord;
  }

  /** Bytes of all segments on the disk. */
  get diskBytes(): number {
    return this.segments.reduce((sum, { end }) => sum + end, 0);
  }

  isActive(segment: Segment): boolean {
    return segment === this.active?.segment;
  }

  /** Appends one entry and returns its number. Throws what the system says; then nothing of it counts. */
  append(
    payload: Uint8Array,
    records: number,
    description: Omit<EntryDescription, "syncedSeq">,
  ): number {
    const { segment, fd } = this.roomFor(payload.length);
    const { files, nextSeq, nextRecord, salt, syncedSeq } = this;
    const whole = { ...description, syncedSeq };
    const head = encodeEntryHead(nextSeq, nextRecord, records, whole, payload, salt);
    try {
      files.write(fd, [head, payload], segment.end);
    } catch (error) {
      // What did get there lies behind the end; the next entry takes its place.
      this.quietly(() => files.truncate(fd, segment.end));
      throw error;
    }
    segment.end += head.length + payload.length;
    segment.lastSeq = nextSeq;
    segment.endRecord = nextRecord + records;
    addClaims(segment.claims, description.claims);
    this.activeIsUnsynced = true;
    this.nextRecord += records;
    return this.nextSeq++;
  }

  /** Resolves when everything up to the returned number is on the disk. Rejects when it may not be. */
  async sync(): Promise<number> {
    const upTo = this.lastSeq;
    const records = this.endRecord;
    const closed = [...this.unsynced];
    const active = this.activeIsUnsynced ? this.active : undefined;
    const folder = this.folderIsUnsynced;
    this.activeIsUnsynced = false;
    this.folderIsUnsynced = false;
    this.syncing = true;
    try {
      for (const [, fd] of closed) await this.files.sync(fd);
      if (active !== undefined) await this.files.sync(active.fd);
      if (folder) await this.files.syncFolder(this.folder);
    } catch (error) {
      this.activeIsUnsynced = true;
      this.folderIsUnsynced ||= folder;
      throw error;
    } finally {
      this.syncing = false;
      for (const fd of this.closeLater.splice(0)) this.closeFile(fd);
    }
    for (const [segment, fd] of closed) {
      if (this.unsynced.delete(segment)) this.closeFile(fd);
    }
    if (upTo > this.syncedSeq) {
      this.syncedSeq = upTo;
      this.syncedRecords = records;
    }
    return upTo;
  }

  /**
   * After a failed {@link sync}: once the system has said that it lost something, asking again proves nothing. What
   * is not known to be on the disk is read back, verified, and written to a new segment, which takes the place of
   * the old. Rejects when that fails too; then everything is as before.
   */
  async rewrite(): Promise<void> {
    const { files, syncedSeq } = this;
    const young = this.segments.filter(({ lastSeq }) => lastSeq > syncedSeq);
    const first = Math.max(syncedSeq + 1, young[0]?.firstSeq ?? 0);
    if (young.length > 0) {
      const temporary = `${this.folder}/${String(first).padStart(16, "0")}.tmp`;
      if (files.facts(temporary) !== undefined) files.remove(temporary);
      const fd = files.create(temporary);
      try {
        const copy = this.copyYoung(young, first, temporary, fd);
        await files.sync(fd);
        this.replace(young, copy, temporary);
        await files.syncFolder(this.folder);
      } finally {
        files.close(fd);
      }
    }
    this.activeIsUnsynced = false;
    this.folderIsUnsynced = false;
    this.syncedSeq = this.lastSeq;
    this.syncedRecords = this.endRecord;
  }

  /** Closes the segment that is written to, if there is one: the next entry begins another. */
  roll(): void {
    if (this.active === undefined) return;
    const { segment, fd } = this.active;
    this.active = undefined;
    if (this.activeIsUnsynced) this.unsynced.set(segment, fd);
    else this.closeFile(fd);
    this.activeIsUnsynced = false;
    writeIndex(this.files, segment);
  }

  /** Takes a segment away that nobody needs any more. */
  remove(segment: Segment): void {
    const at = this.segments.indexOf(segment);
    if (at === -1 || this.isActive(segment)) return;
    this.files.remove(segment.path);
    this.segments.splice(at, 1);
    const fd = this.unsynced.get(segment);
    if (fd !== undefined) this.closeFile(fd);
    this.unsynced.delete(segment);
    this.quietly(() => {
      const index = indexPath(segment.path);
      if (this.files.facts(index) !== undefined) this.files.remove(index);
    });
  }

  close(): void {
    this.roll();
    for (const fd of this.unsynced.values()) this.closeFile(fd);
    this.unsynced.clear();
  }

  private roomFor(bytes: number): Active {
    const { active } = this;
    const isFull = active !== undefined && active.segment.end > SEGMENT_HEADER_BYTES &&
      active.segment.end + HEADER_BYTES + bytes > this.segmentBytes;
    if (active !== undefined && !isFull) return active;
    const next = this.begin();
    this.roll();
    this.active = next;
    this.segments.push(next.segment);
    return next;
  }

  private begin(): Active {
    const { files, nextSeq, nextRecord } = this;
    const path = `${this.folder}/${segmentName(nextSeq)}`;
    const fd = files.create(path);
    try {
      files.write(fd, [this.header(nextSeq, nextRecord)], 0);
    } catch (error) {
      this.quietly(() => files.close(fd));
      this.quietly(() => files.remove(path));
      throw error;
    }
    this.folderIsUnsynced = true;
    return { segment: newSegment(path, nextSeq, nextRecord), fd };
  }

  private header(firstSeq: number, firstRecord: number): Buffer {
    return encodeSegmentHeader({ queue: this.id, firstSeq, firstRecord });
  }

  private copyYoung(
    young: readonly Segment[],
    first: number,
    path: string,
    fd: number,
  ): Segment {
    let copy: Segment | undefined;
    for (const old of young) {
      const from = this.files.open(old.path, "read");
      try {
        const scanner = new SegmentScanner(this.files, from, old.end, this.salt);
        for (let at = SEGMENT_HEADER_BYTES, seq = 0;;) {
          const item = scanner.next(at, seq, true);
          if (item.kind === "end") break;
          if (item.kind === "damaged") {
            throw new Error(
              `what was written to ${old.path} reads back damaged at byte ${item.at}`,
            );
          }
          at = item.end;
          seq = item.header.seq;
          if (seq < first) continue;
          if (copy === undefined) {
            copy = newSegment(path, seq, item.header.firstRecord);
            this.files.write(fd, [this.header(seq, item.header.firstRecord)], 0);
          }
          const bytes = Buffer.allocUnsafe(item.end - item.at);
          this.files.read(from, bytes, item.at);
          this.files.write(fd, [bytes], copy.end);
          copy.end += bytes.length;
          copy.lastSeq = seq;
          copy.endRecord = item.header.firstRecord + item.header.records;
          addClaims(copy.claims, item.description.claims);
        }
      } finally {
        this.files.close(from);
      }
    }
    if (copy === undefined || copy.lastSeq < this.lastSeq) {
      throw new Error("what was written last cannot be read back");
    }
    return copy;
  }

  /** Puts the copy in the place of the entries that it holds. */
  private replace(young: readonly Segment[], copy: Segment, temporary: string): void {
    const { files } = this;
    const path = `${this.folder}/${segmentName(copy.firstSeq)}`;
    // First the copy, which is on the disk: whatever happens from here on, entries are there twice at most, and the
    // second one is passed over by its number.
    files.rename(temporary, path);
    for (const old of young) {
      this.quietly(() => files.remove(indexPath(old.path)));
      if (old.path === path) continue;
      if (old.firstSeq < copy.firstSeq) this.shorten(old, copy.firstSeq);
      else files.remove(old.path);
    }
    const kept = this.segments.filter((each) => each.firstSeq < copy.firstSeq);
    this.segments.splice(0, this.segments.length, ...kept, { ...copy, path });
    if (this.active !== undefined) this.closeFile(this.active.fd);
    this.active = undefined;
    for (const fd of this.unsynced.values()) this.closeFile(fd);
    this.unsynced.clear();
  }

  /** Ends a segment in front of an entry. */
  private shorten(segment: Segment, beforeSeq: number): void {
    const fd = this.files.open(segment.path, "write");
    try {
      const scanner = new SegmentScanner(this.files, fd, segment.end, this.salt);
      let at = SEGMENT_HEADER_BYTES;
      let record = segment.firstRecord;
      for (let seq = 0;;) {
        const item = scanner.next(at, seq, false);
        if (item.kind === "end") break;
        if (item.kind === "entry") {
          if (item.header.seq >= beforeSeq) break;
          seq = item.header.seq;
          record = item.header.firstRecord + item.header.records;
        }
        at = item.end;
      }
      this.files.truncate(fd, at);
      segment.end = at;
      segment.lastSeq = beforeSeq - 1;
      segment.endRecord = record;
    } finally {
      this.files.close(fd);
    }
  }

  private closeFile(fd: number): void {
    if (this.syncing) this.closeLater.push(fd);
    else this.quietly(() => this.files.close(fd));
  }

  /** For what is nice to have: the descriptor or file of something that is given up. */
  private quietly(attempt: () => void): void {
    try {
      attempt();
    } catch {
      // The next start tidies up.
    }
  }
}

function newSegment(path: string, firstSeq: number, firstRecord: number): Segment {
  return {
    path,
    firstSeq,
    firstRecord,
    lastSeq: firstSeq - 1,
    endRecord: firstRecord,
    end: SEGMENT_HEADER_BYTES,
    claims: new Map(),
  };
}
