import type { Batch, Logger } from "logcollector/plugin";
import { type Fingerprint, fingerprint, headOf, MARK_BYTES, NO_BYTES } from "./fingerprint.ts";
import { gunzipChunks, type GzipEnd } from "./gzip.ts";
import { openForTail } from "./open-for-tail.ts";
import { OtherContentError, Passage } from "./passage.ts";
import { hasPlace, type Place, START } from "./place.ts";
import type { TailedFile } from "./tailed-file.ts";
import type { TextEncoding } from "./text-decoder.ts";

export interface UnpackerOptions {
  readonly log: Logger;
  readonly encoding: TextEncoding;
  readonly maxLineBytes: number;
  /** Sees to it that the file is where it is opened, should it have been renamed; false when it is gone. */
  readonly locate: (file: TailedFile) => boolean;
  /** Hands on what was read up to the file's `unpacked`. */
  readonly emit: (file: TailedFile, batch: Batch | undefined) => Promise<void> | undefined;
  /** Everything that is in the file so far was emitted; nothing more comes when that is all of it. */
  readonly onEnd: (file: TailedFile, isAll: boolean) => void;
}

/** What is known of a compressed file that was looked into. */
interface Progress extends GzipEnd {
  /** Everything before this, in the text, was emitted. */
  offset: number;
  /** The rest of a long line comes next. */
  skipping: boolean;
  /** Size at the scan before, in bytes. */
  lastSize: number;
  waiting: boolean;
}

/**
 * Reads compressed files, one after the other, beside the plain ones. One that is still being written is
 * unpacked again when it has stopped growing or has doubled, and what was emitted is passed over: no
 * state is kept for it meanwhile, and the work stays in proportion to its size.
 */
export class Unpacker {
  private readonly options: UnpackerOptions;
  private readonly known = new Map<TailedFile, Progress>();
  private work: Promise<void> = Promise.resolve();

  constructor(options: UnpackerOptions) {
    this.options = options;
  }

  /** Reads the file if there is something new in it. Called for each compressed file at each scan. */
  look(file: TailedFile, signal: AbortSignal): void {
    let progress = this.known.get(file);
    if (progress === undefined) {
      progress = this.startOf(file);
      this.known.set(file, progress);
    }
    const settled = file.size === progress.lastSize || file.size >= progress.read * 2;
    progress.lastSize = file.size;
    if (progress.waiting) return;
    file.drained ||= file.size <= progress.read;
    if (file.size <= progress.read || !settled) return;
    progress.waiting = true;
    const found = progress;
    this.work = this.work.then(() => this.attempt(file, found, signal));
  }

  forget(file: TailedFile): void {
    this.known.delete(file);
  }

  /** Resolves when all that was there to be read has been read. */
  idle(): Promise<void> {
    return this.work;
  }

  /** Where reading goes on: where it was left, if the file is still the same. */
  private startOf(file: TailedFile): Progress {
    const { offset, inLongLine, packedBytes = 0 } = file.unpacked;
    const isSame = (offset === 0 && packedBytes === 0) || hasPlace(file.openPath, file.unpacked);
    if (!isSame) {
      this.options.log.info(`File ${file.path} was replaced: reading it from its start`);
      file.unpacked = { ...START, packedBytes: 0 };
    }
    return {
      offset: isSame ? offset : 0,
      skipping: isSame && inLongLine,
      read: isSame ? packedBytes : 0,
      complete: false,
      lastSize: file.size,
      waiting: false,
    };
  }

  private async attempt(file: TailedFile, progress: Progress, signal: AbortSignal): Promise<void> {
    try {
      if (!signal.aborted) await this.unpackFound(file, progress, signal);
    } catch (error) {
      this.options.log.error(`Cannot unpack ${file.openPath}: ${(error as Error).message}`);
    }
    progress.waiting = false;
    if (signal.aborted) return;
    file.drained = this.known.has(file);
    if (file.drained) this.options.onEnd(file, progress.complete);
  }

  private async unpackFound(
    file: TailedFile,
    progress: Progress,
    signal: AbortSignal,
  ): Promise<void> {
    if (!this.options.locate(file)) {
      if (file.own !== undefined) this.pass(file, progress);
      return;
    }
    // Opened at once: it may be renamed again.
    const fd = openForTail(file.openPath);
    if (file.own === undefined) file.unpacked = { ...file.unpacked, head: fingerprint(headOf(fd)) };
    const isOther = await this.unpack(file, progress, fd, signal);
    if (isOther) await this.unpackFound(file, progress, signal);
  }

  /** Returns true when it is to be read again from its start: it does not hold what it seemed to. */
  private async unpack(
    file: TailedFile,
    progress: Progress,
    fd: number,
    signal: AbortSignal,
  ): Promise<boolean> {
    const passage = new Passage(file, progress.offset);
    try {
      const rest = await this.pieces(file, progress, passage, fd, signal);
      if (signal.aborted) return false;
      if (progress.complete) await this.end(file, progress, passage, rest);
    } catch (error) {
      if (!(error instanceof OtherContentError)) throw error;
      const readsIt = file.search!.readsOthers;
      file.search = undefined;
      if (readsIt) return true;
      this.pass(file, progress);
    }
    // Of a file that is still being written it may not be known yet what it holds.
    if (progress.complete || progress.offset > 0) file.search = undefined;
    if (file.own === undefined) {
      file.unpacked = { ...this.placeOf(file, progress), packedBytes: progress.read };
    }
    return false;
  }

  /** Nothing in it is to be read, or can be. */
  private pass(file: TailedFile, progress: Progress): void {
    file.isForeign = file.own !== undefined;
    progress.complete = true;
    progress.read = file.size;
  }

  /** Emits the whole lines of all that is there; returns the unfinished one behind them. */
  private async pieces(
    file: TailedFile,
    progress: Progress,
    passage: Passage,
    fd: number,
    signal: AbortSignal,
  ): Promise<Buffer> {
    let rest: Buffer = Buffer.alloc(0);
    for await (const piece of gunzipChunks(fd, progress, signal)) {
      rest = await this.more(file, progress, passage, rest, passage.take(piece));
    }
    return rest;
  }

  /** The content is complete: its last line need not have an end. */
  private async end(
    file: TailedFile,
    progress: Progress,
    passage: Passage,
    before: Buffer,
  ): Promise<void> {
    const rest = await this.more(file, progress, passage, before, passage.end());
    file.isForeign = file.own !== undefined && passage.ignoresAll;
    if (passage.ignoresAll) progress.offset = passage.length;
    if (rest.length === 0) return;
    const { offset } = progress;
    progress.offset += rest.length;
    const { encoding } = this.options;
    const batch = file.maker.fromLines(rest, 0, rest.length, offset, encoding);
    await this.emit(file, progress, batch, fingerprint(rest.subarray(-MARK_BYTES)));
  }

  private async more(
    file: TailedFile,
    progress: Progress,
    passage: Passage,
    rest: Buffer,
    piece: Buffer,
  ): Promise<Buffer> {
    if (piece.length === 0) return rest;
    if (passage.start > progress.offset) {
      progress.offset = passage.start;
      progress.skipping = passage.inLongLine;
    }
    if (file.own !== undefined) {
      file.unpacked = { ...file.unpacked, head: passage.head };
      file.readFor(file.search?.stream);
    }
    const fresh = this.afterLongLine(piece, progress);
    return await this.lines(
      file,
      rest.length === 0 ? fresh : Buffer.concat([rest, fresh]),
      progress,
    );
  }

  /** What is left of the bytes behind the rest of a line that was too long. */
  private afterLongLine(data: Buffer, progress: Progress): Buffer {
    if (!progress.skipping) return data;
    const end = this.options.encoding.firstLineEnd(data, 0, data.length);
    progress.skipping = end === -1;
    const skipped = end === -1 ? data.length : end;
    progress.offset += skipped;
    return data.subarray(skipped);
  }

  /** Emits the whole lines; returns the unfinished one behind them. */
  private async lines(file: TailedFile, data: Buffer, progress: Progress): Promise<Buffer> {
    const { encoding, maxLineBytes } = this.options;
    const { offset } = progress;
    const end = Math.max(0, encoding.lastLineEnd(data, 0, data.length));
    if (end > 0) {
      progress.offset += end;
      const mark = fingerprint(data.subarray(Math.max(0, end - MARK_BYTES), end));
      await this.emit(file, progress, file.maker.fromLines(data, 0, end, offset, encoding), mark);
    }
    const room = maxLineBytes - 1;
    const rest = data.subarray(end);
    if (rest.length < room) return Buffer.from(rest);
    const start = progress.offset;
    progress.offset += rest.length;
    progress.skipping = true;
    const batch = file.maker.fromLongLine(rest, 0, room, start, encoding);
    await this.emit(file, progress, batch, fingerprint(rest.subarray(-MARK_BYTES)));
    return Buffer.alloc(0);
  }

  private async emit(
    file: TailedFile,
    progress: Progress,
    batch: Batch | undefined,
    mark: Fingerprint,
  ): Promise<void> {
    file.unpacked = this.placeOf(file, progress, mark);
    try {
      await this.options.emit(file, batch);
    } catch (error) {
      // It is read again from where it was emitted last.
      this.known.delete(file);
      throw error;
    }
  }

  /** What is read for another file is known by what is in it, other files by their own first bytes. */
  private placeOf(
    file: TailedFile,
    { offset, skipping }: Progress,
    mark: Fingerprint = NO_BYTES,
  ): Place {
    const { head } = file.unpacked;
    const isOwn = file.own === undefined;
    return {
      offset,
      mark: isOwn ? NO_BYTES : mark,
      head,
      inLongLine: skipping,
      packedBytes: isOwn ? 0 : undefined,
    };
  }
}
