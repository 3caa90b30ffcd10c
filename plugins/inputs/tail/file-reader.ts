import { closeSync, fstatSync, readSync } from "node:fs";
import {
  type Fingerprint,
  fingerprint,
  HEAD_BYTES,
  headOf,
  isPrintOf,
  MARK_BYTES,
  NO_BYTES,
} from "./fingerprint.ts";
import { bytesBefore, type Place } from "./place.ts";
import { detectEncoding, type TextEncoding, utf8 } from "./text-decoder.ts";

const ZEROS = Buffer.alloc(64 * 1024);

/** Memory to read into, shared by all files of one input. */
export class ReadBuffer {
  buffer: Buffer;

  constructor(bytes: number) {
    this.buffer = Buffer.allocUnsafeSlow(bytes + MARK_BYTES);
  }

  /** Room for at least `bytes` besides the mark. */
  reserve(bytes: number): void {
    if (this.buffer.length >= bytes + MARK_BYTES) return;
    this.buffer = Buffer.allocUnsafeSlow(bytes + MARK_BYTES);
  }
}

/** What one read found. */
export type ReadResult =
  /** Whole lines lie in `from`..`to` of the buffer, the first of them at `offset` in the file. */
  | { readonly kind: "lines"; from: number; to: number; offset: number }
  /** A line that is longer than allowed starts here: `from`..`to` is its beginning. */
  | { readonly kind: "long"; from: number; to: number; offset: number }
  /** There was only something to pass over, and there is more behind it. */
  | { readonly kind: "passed" }
  /** Nothing new; `partial` bytes of an unfinished line wait. */
  | { readonly kind: "end"; partial: number }
  /** The content was truncated or replaced; reading starts again at 0. Before, it stood at the place. */
  | { readonly kind: "replaced"; readonly lost: Place };

export interface ReaderLimits {
  /** Bytes of one read. */
  readonly chunkBytes: number;
  /** A line, with its break, that does not fit into this many bytes less one is long. */
  readonly maxLineBytes: number;
}

/**
 * Reads whole lines from one file. Of an unfinished line only its place is kept, not its bytes: it is
 * read again when there is more, so that a file at rest costs next to no memory. The descriptor may come
 * and go between reads; what is known of the content stays.
 */
export class FileReader {
  private fd = -1;
  private readonly limits: ReaderLimits;
  private encoding: TextEncoding;
  private readonly auto: boolean;
  /** What lies in front of the offset, to notice that the content was replaced under it. */
  private mark: Buffer = Buffer.alloc(0);
  private head: Fingerprint = NO_BYTES;
  private skipping = false;
  /** Reading is to go on here, if the content is still the same. */
  private unverified: Place | undefined;
  /** Everything before this is done with. */
  offset = 0;

  constructor(limits: ReaderLimits, encoding: TextEncoding | "auto") {
    this.limits = limits;
    this.auto = encoding === "auto";
    this.encoding = encoding === "auto" ? utf8 : encoding;
  }

  get text(): TextEncoding {
    return this.encoding;
  }

  get isOpen(): boolean {
    return this.fd !== -1;
  }

  /** Takes a descriptor over: reading goes on where it was. */
  attach(fd: number): void {
    this.close();
    this.fd = fd;
  }

  close(): void {
    if (this.fd !== -1) closeSync(this.fd);
    this.fd = -1;
  }

  /** It was deleted and has no other name. False when it cannot be asked. */
  get isDeleted(): boolean {
    try {
      return this.isOpen && fstatSync(this.fd).nlink === 0;
    } catch {
      return false;
    }
  }

  /** Where reading stands. */
  get place(): Place {
    if (this.unverified !== undefined) return this.unverified;
    this.growHead();
    return this.lastPlace;
  }

  /** The place of an earlier byte that comes after these. */
  placeAt(offset: number, mark: Fingerprint): Place {
    this.growHead();
    return { offset, mark, head: this.head, inLongLine: false, packedBytes: undefined };
  }

  /** Goes on at a place that was left before: the next read finds out whether the content is still the same. */
  resume(place: Place): void {
    this.unverified = place;
    this.offset = place.offset;
  }

  /** Goes to a position, and remembers what lies before it. */
  seek(offset: number): void {
    this.detect();
    const aligned = offset - offset % this.encoding.breakBytes;
    const length = Math.min(MARK_BYTES, aligned);
    const mark = Buffer.alloc(length);
    const read = length === 0 ? 0 : readSync(this.fd, mark, 0, length, aligned - length);
    this.mark = mark.subarray(0, read);
    this.offset = aligned - length + read;
    this.skipping = false;
  }

  /** Reads the next whole lines. They stay valid until the next call with the same buffer. */
  read(shared: ReadBuffer): ReadResult {
    if (this.unverified !== undefined && !this.verify(this.unverified)) return this.startAgain();
    let wanted = this.limits.chunkBytes;
    for (;;) {
      shared.reserve(wanted);
      const { buffer } = shared;
      const before = this.mark.length;
      const got = readSync(this.fd, buffer, 0, before + wanted, this.offset - before);
      if (!this.goesOn(buffer, before, got)) return this.startAgain();
      const atEnd = got < before + wanted;
      const from = this.skipNoise(buffer, before, got);
      if (from === got || this.skipping) return this.pass(buffer, from, got, before, atEnd);
      const end = this.encoding.lastLineEnd(buffer, from, got);
      if (end !== -1) {
        const offset = this.offset + from - before;
        this.advance(buffer, end, before);
        return { kind: "lines", from, to: end, offset };
      }
      const length = got - from;
      if (length >= this.limits.maxLineBytes - 1) return this.longLine(buffer, from, before);
      if (atEnd) return { kind: "end", partial: length };
      wanted = Math.max(wanted * 2, this.limits.maxLineBytes);
    }
  }

  /** The unfinished line at the end of the file, for when nothing more can come. */
  readPartial(shared: ReadBuffer): ReadResult {
    shared.reserve(this.limits.maxLineBytes);
    const { buffer } = shared;
    const got = readSync(this.fd, buffer, 0, this.limits.maxLineBytes, this.offset);
    const from = this.skipping ? got : this.skipNoise(buffer, 0, got);
    if (got <= from) return { kind: "end", partial: 0 };
    const result = { kind: "lines" as const, from, to: got, offset: this.offset + from };
    this.advance(buffer, got, 0);
    return result;
  }

  /** Bytes in the file that were not read, or 0 when the file cannot be asked. */
  lag(): number {
    if (this.fd === -1) return 0;
    try {
      return Math.max(0, fstatSync(this.fd).size - this.offset);
    } catch {
      return 0;
    }
  }

  /** Where reading stood when the content was last seen. */
  private get lastPlace(): Place {
    return this.unverified ?? {
      offset: this.offset,
      mark: fingerprint(this.mark),
      head: this.head,
      inLongLine: this.skipping,
      packedBytes: undefined,
    };
  }

  /** Whether what was read begins with what lay there before. */
  private goesOn(buffer: Buffer, before: number, got: number): boolean {
    if (this.offset === 0) {
      return got >= this.head.bytes && isPrintOf(this.head, buffer.subarray(0, this.head.bytes));
    }
    return got >= before && buffer.compare(this.mark, 0, before, 0, before) === 0;
  }

  private startAgain(): ReadResult {
    const lost = this.lastPlace;
    this.unverified = undefined;
    this.offset = 0;
    this.mark = Buffer.alloc(0);
    this.head = NO_BYTES;
    this.skipping = false;
    return { kind: "replaced", lost };
  }

  private verify(place: Place): boolean {
    // Of a file of which nothing was read it cannot be told whether something was in it and taken away since.
    if (place.offset === 0) return false;
    const before = bytesBefore(this.fd, place);
    if (before === undefined) return false;
    this.mark = before;
    this.head = place.head;
    this.skipping = place.inLongLine;
    this.unverified = undefined;
    this.detect();
    return true;
  }

  private detect(): void {
    if (!this.auto) return;
    const start = headOf(this.fd);
    this.encoding = detectEncoding(start, 0, start.length);
  }

  /** A short file's first bytes become more. Not those of another content that took its place meanwhile. */
  private growHead(): void {
    if (this.head.bytes === HEAD_BYTES || !this.isOpen) return;
    const start = headOf(this.fd);
    if (start.length <= this.head.bytes) return;
    if (isPrintOf(this.head, start.subarray(0, this.head.bytes))) this.head = fingerprint(start);
  }

  /** Leaves what is noise, or the rest of a long line, behind. */
  private pass(
    buffer: Buffer,
    from: number,
    got: number,
    before: number,
    atEnd: boolean,
  ): ReadResult {
    const lineEnd = this.skipping ? this.encoding.firstLineEnd(buffer, from, got) : -1;
    if (lineEnd !== -1) {
      this.skipping = false;
      this.advance(buffer, lineEnd, before);
      return { kind: "passed" };
    }
    const to = got - (got - from) % this.encoding.breakBytes;
    if (to > before) this.advance(buffer, to, before);
    return atEnd ? { kind: "end", partial: 0 } : { kind: "passed" };
  }

  /** Passes over a byte order mark at the start, and the zeros that a truncation can leave in a file. */
  private skipNoise(buffer: Buffer, before: number, got: number): number {
    let from = before;
    if (this.offset === 0) {
      if (this.auto) this.encoding = detectEncoding(buffer, from, got);
      from += this.encoding.markLength(buffer, from, got);
    }
    if (this.encoding.breakBytes === 1 && from < got && buffer[from] === 0) {
      return endOfZeros(buffer, from, got);
    }
    return from;
  }

  private longLine(buffer: Buffer, from: number, before: number): ReadResult {
    const room = this.limits.maxLineBytes - 1;
    const to = from + room - room % this.encoding.breakBytes;
    const result = { kind: "long" as const, from, to, offset: this.offset + from - before };
    this.advance(buffer, to, before);
    this.skipping = true;
    return result;
  }

  /** Moves the position to `end` in the buffer, whose first byte lies `before` bytes ahead of the position. */
  private advance(buffer: Buffer, end: number, before: number): void {
    this.offset += end - before;
    const start = Math.max(0, end - MARK_BYTES);
    if (this.mark.length === end - start) buffer.copy(this.mark, 0, start, end);
    else this.mark = Buffer.from(buffer.subarray(start, end));
  }
}

/** A hole in a file may be gigabytes of zeros: they are compared by the block. */
function endOfZeros(buffer: Buffer, from: number, to: number): number {
  let at = from;
  for (let block = ZEROS.length; block >= 64; block /= 4) {
    while (at + block <= to && buffer.compare(ZEROS, 0, block, at, at + block) === 0) at += block;
  }
  while (at < to && buffer[at] === 0) at++;
  return at;
}
