import { crc32c } from "../../lib/crc32c.ts";
import {
  entryBytes,
  type EntryDescription,
  type EntryHeader,
  HEADER_BYTES,
  isIntact,
  MARKER,
  readDescription,
  readEntryHeader,
} from "./entry.ts";
import type { DiskFiles } from "./files.ts";

/** What stands at a place in a segment. */
export type SegmentItem =
  /** An entry; its payload is in `payloadAt`..`end`. */
  | {
    readonly kind: "entry";
    readonly header: EntryHeader;
    readonly description: EntryDescription;
    readonly at: number;
    readonly payloadAt: number;
    readonly end: number;
  }
  /** No entry, and an intact one or the end of the file behind it. `header` is there when only the payload is damaged. */
  | {
    readonly kind: "damaged";
    readonly at: number;
    readonly end: number;
    readonly header: EntryHeader | undefined;
  }
  /** Nothing intact from here to the end of the file: nothing at all, or a write that was cut off. */
  | { readonly kind: "end"; readonly at: number };

const WINDOW_BYTES = 64 * 1024;
/** Most descriptions are shorter, so that one read gets header and description. */
const USUAL_HEAD_BYTES = 4096;

/** Reads a segment from entry to entry, in memory of a fixed size. */
export class SegmentScanner {
  private readonly files: DiskFiles;
  private readonly fd: number;
  private readonly salt: number;
  /** Bytes of the file that count. May grow while the file does. */
  size: number;
  private window: Buffer = Buffer.allocUnsafe(WINDOW_BYTES);
  private windowAt = 0;
  private windowBytes = 0;

  constructor(files: DiskFiles, fd: number, size: number, salt: number) {
    this.files = files;
    this.fd = fd;
    this.size = size;
    this.salt = salt;
  }

  /** What stands at `at`. The sequence number behind damage must be above `afterSeq`. */
  next(at: number, afterSeq: number, verifyPayload: boolean): SegmentItem {
    if (at >= this.size) return { kind: "end", at };
    const item = this.entryAt(at, afterSeq);
    if (item === undefined) return this.behindDamage(at, afterSeq);
    if (item.end > this.size) return { kind: "end", at };
    if (verifyPayload && !this.isPayloadIntact(item)) {
      return { kind: "damaged", at, end: item.end, header: item.header };
    }
    return item;
  }

  private entryAt(
    at: number,
    afterSeq: number,
  ): Extract<SegmentItem, { kind: "entry" }> | undefined {
    let head = this.load(at, USUAL_HEAD_BYTES);
    const header = readEntryHeader(head, 0);
    if (header === undefined || header.seq <= afterSeq) return undefined;
    const payloadAt = at + HEADER_BYTES + header.descriptionBytes;
    if (payloadAt > this.size) return undefined;
    if (payloadAt - at > head.length) head = this.load(at, payloadAt - at);
    if (!isIntact(head, 0, header, this.salt)) return undefined;
    try {
      const description = readDescription(head.toString("utf8", HEADER_BYTES, payloadAt - at));
      return { kind: "entry", header, description, at, payloadAt, end: at + entryBytes(header) };
    } catch {
      return undefined;
    }
  }

  /** Looks for the next intact entry behind something that is none. */
  private behindDamage(at: number, afterSeq: number): SegmentItem {
    for (let from = at + 1; from < this.size;) {
      const bytes = this.load(from, WINDOW_BYTES);
      const found = bytes.indexOf(MARKER);
      if (found === -1) {
        // The marker may begin in the last bytes.
        if (bytes.length <= MARKER.length) break;
        from += bytes.length - MARKER.length + 1;
        continue;
      }
      const start = from + found;
      const entry = this.entryAt(start, afterSeq);
      if (entry !== undefined && entry.end <= this.size) {
        return { kind: "damaged", at, end: start, header: undefined };
      }
      from = start + 1;
    }
    return { kind: "end", at };
  }

  private isPayloadIntact(
    { header, payloadAt, end }: Extract<SegmentItem, { kind: "entry" }>,
  ): boolean {
    let crc = 0;
    for (let at = payloadAt; at < end;) {
      const bytes = this.load(at, Math.min(WINDOW_BYTES, end - at));
      if (bytes.length === 0) return false;
      crc = crc32c(bytes, crc);
      at += bytes.length;
    }
    return crc === header.payloadCrc;
  }

  /** Bytes from `at`, `length` of them unless the file ends before. Valid until the next call. */
  private load(at: number, length: number): Buffer {
    const wanted = Math.min(length, this.size - at);
    const end = this.windowAt + this.windowBytes;
    if (at >= this.windowAt && at + wanted <= end) {
      return this.window.subarray(at - this.windowAt, at - this.windowAt + wanted);
    }
    if (wanted > this.window.length) this.window = Buffer.allocUnsafe(wanted);
    const room = Math.min(this.window.length, this.size - at);
    const into = room === this.window.length ? this.window : this.window.subarray(0, room);
    this.windowAt = at;
    this.windowBytes = this.files.read(this.fd, into, at);
    return this.window.subarray(0, Math.min(wanted, this.windowBytes));
  }
}
