import { closeSync, fstatSync, type Stats } from "node:fs";
import type { Batch } from "logcollector/plugin";
import type { BatchMaker } from "./batch-maker.ts";
import { type BirthTimes, isSameBirth } from "./birth-times.ts";
import type { OwnStream, StreamLedger } from "./file-checkpoint.ts";
import { identityOf } from "./file-identity.ts";
import { FileReader, type ReadBuffer, type ReaderLimits } from "./file-reader.ts";
import { fingerprint, MARK_BYTES, NO_BYTES } from "./fingerprint.ts";
import { statOf } from "./folder-listing.ts";
import { openForTail } from "./open-for-tail.ts";
import type { LineStream, PackedSearch } from "./packed-search.ts";
import { type Place, START } from "./place.ts";
import { realPathOf } from "./real-path.ts";
import type { TextEncoding } from "./text-decoder.ts";

export interface TailedFileOptions {
  /** Where the file lies now, when it was renamed before it was first seen. */
  readonly openPath: string;
  readonly stat: Stats;
  readonly births: BirthTimes;
  /** What its positions are kept under. */
  readonly ledger: StreamLedger;
  readonly own?: OwnStream | undefined;
  readonly compressed: boolean;
  /** Of a compressed file: contents that are looked for in it. */
  readonly search?: PackedSearch | undefined;
  /** Makes what makes batches of its lines, for each content that it has. */
  readonly newMaker: () => BatchMaker;
  readonly limits: ReaderLimits;
  readonly encoding: TextEncoding | "auto";
  readonly start: "head" | "end" | Place;
}

/** What one turn at a file gave. */
export type Turn =
  | { readonly kind: "batch"; readonly batch: Batch | undefined }
  | { readonly kind: "end" }
  /** It has another content, and starts again. Of the one before, what lies behind the place was not read. */
  | { readonly kind: "replaced"; readonly lost: Place };

/** One file that is followed, under the path it was found at. */
export class TailedFile {
  readonly path: string;
  readonly identity: string;
  readonly ino: number;
  ledger: StreamLedger;
  readonly compressed: boolean;
  maker: BatchMaker;
  /** The path with links resolved: the one that changes are reported for. */
  realPath: string;
  /** The resolved path that it was made at: where its successors appear. */
  readonly home: string;
  /** An older file at the same path that must be read to its end before this one. */
  predecessor: TailedFile | undefined;
  /**
   * Set for a copy of what another file held before it was truncated, which is read for that one's stream and left
   * as soon as that is done: its own stream.
   */
  readonly own: OwnStream | undefined;
  /** Of a compressed file: contents that are looked for in it, before anything is read. */
  search: PackedSearch | undefined;
  /** Several such files are read one after the other, to find contents in them. */
  readonly packed: PackedSearch | undefined;
  /** It holds what that one held, and counts as read only once that one was read and is safe. */
  plain: TailedFile | undefined;
  /** It turned out not to hold what it was opened for. */
  isForeign = false;
  /** It was truncated, and stood there in what it held before, until it is sure that the rest of that was read. */
  lost: Place | undefined;
  /** What was at its path before and waits with a line, whose rest this one may begin with. */
  waiting: TailedFile | undefined;
  /** The file that the line at this one's end goes on in: it is done with when that is safe. */
  goesOnIn: TailedFile | undefined;
  /** The other way round. */
  private beganIn: TailedFile | undefined;
  /** When the file was found to be no longer at its path, on the clock's scale; -1 while it is there. */
  rotatedMs = -1;
  /** It cannot be opened where it was: the next scan looks for it, and may find it nowhere. */
  whereabouts: "found" | "sought" | "nowhere" = "found";
  /** When something was last read, on the clock's scale. */
  grewMs = -Infinity;
  /** When a change was last reported. */
  changedMs = -Infinity;
  /** When it is looked at again without being told, on the clock's scale. */
  pollMs = 0;
  /** When it was last asked whether it is still at its path. */
  checkedMs = 0;
  /** It is in the queue of files to read. */
  queued = false;
  /** It was read to its end at least once since it was found or rotated. */
  drained = false;
  /** Where the file lies: other than `path` once it was renamed. */
  openPath: string;
  /** Where reading stands in what is in it, of a compressed file. */
  unpacked: Place = { ...START, packedBytes: 0 };
  /** Size and time of the last change as the last scan saw them, in bytes and in milliseconds since 1970. */
  size: number;
  changedWallMs: number;
  private readonly births: BirthTimes;
  /** When it was made, in milliseconds since 1970; 0 when that is not known. */
  private readonly birthMs: number;
  private readonly reader: FileReader;
  newMaker: () => BatchMaker;
  /** Where the line lies that the joiner waits with. */
  private pending: Place | undefined;

  constructor(options: TailedFileOptions) {
    const { openPath, stat, ledger, newMaker, start } = options;
    this.path = ledger.file.path;
    this.identity = identityOf(stat);
    this.ino = stat.ino;
    this.births = options.births;
    this.birthMs = options.births.of(stat);
    this.ledger = ledger;
    this.own = options.own;
    this.search = options.search;
    this.packed = options.search;
    this.newMaker = newMaker;
    this.maker = newMaker();
    this.compressed = options.compressed;
    this.realPath = realPathOf(openPath);
    this.home = ledger.file.home;
    this.openPath = openPath;
    this.size = stat.size;
    this.changedWallMs = stat.mtimeMs;
    this.reader = new FileReader(options.limits, options.encoding);
    if (!this.compressed) this.open();
    if (start === "end") this.reader.seek(stat.size);
    else if (start !== "head") this.resume(start);
  }

  get isOpen(): boolean {
    return this.reader.isOpen;
  }

  /** It was deleted and has no other name. False when that cannot be told. */
  get isDeleted(): boolean {
    return this.reader.isDeleted;
  }

  /**
   * When what is in a copy was last seen where it was copied from, in seconds since 1970: copies of what was there
   * later are younger.
   */
  get seenSec(): number | undefined {
    if (this.own === undefined) return undefined;
    return Math.floor((this.birthMs || this.changedWallMs) / 1000);
  }

  /** It lies where it was made. */
  get isAtHome(): boolean {
    const stat = statOf(this.home);
    return stat !== undefined && this.isSame(stat);
  }

  /** Bytes that were not read. */
  get lag(): number {
    return this.reader.lag();
  }

  get offset(): number {
    return this.reader.offset;
  }

  /** The place of the first byte that was not emitted: what a joiner waits with lies behind it. */
  get place(): Place {
    const waiting = this.maker.joiner?.pendingPosition ?? -1;
    if (this.compressed) {
      if (waiting < 0) return this.unpacked;
      const packedBytes = this.own === undefined ? 0 : undefined;
      return { ...this.unpacked, offset: waiting, mark: NO_BYTES, inLongLine: false, packedBytes };
    }
    if (waiting < 0) return this.reader.place;
    if (waiting === this.pending?.offset) return this.pending;
    return this.reader.placeAt(waiting, NO_BYTES);
  }

  /** Whether it is this file that lies somewhere. */
  isSame(stat: Stats): boolean {
    if (identityOf(stat) !== this.identity) return false;
    const birthMs = this.births.of(stat);
    return birthMs === 0 || this.birthMs === 0 || isSameBirth(birthMs, this.birthMs);
  }

  /** Reads once. Throws when the file cannot be opened or read. */
  turn(shared: ReadBuffer): Turn {
    const { reader } = this;
    if (!reader.isOpen) this.open();
    const isAtStart = reader.offset === 0;
    const result = reader.read(shared);
    if (result.kind === "end") return { kind: "end" };
    if (result.kind === "replaced") {
      this.pending = undefined;
      return result;
    }
    // Not before something is there: until then the writer may go on in the file before.
    if (isAtStart && this.waiting !== undefined) this.goOnFrom(this.waiting);
    if (result.kind === "passed") return { kind: "batch", batch: undefined };
    const { from, to, offset } = result;
    const batch = result.kind === "lines"
      ? this.maker.fromLines(shared.buffer, from, to, offset, reader.text)
      : this.maker.fromLongLine(shared.buffer, from, to, offset, reader.text);
    if (this.maker.joiner !== undefined) this.rememberPending(shared.buffer, from, offset);
    return { kind: "batch", batch };
  }

  /** The unfinished last line, when no more can come. Throws like {@link turn}. */
  lastLine(shared: ReadBuffer): Batch | undefined {
    if (!this.reader.isOpen) this.open();
    const result = this.reader.readPartial(shared);
    if (result.kind !== "lines") return undefined;
    const { from, to, offset } = result;
    return this.maker.fromLines(shared.buffer, from, to, offset, this.reader.text);
  }

  /** That line was emitted. Calls back once it is safe. */
  lineWentOn(whenSafe: () => void): void {
    if (this.beganIn === undefined) return;
    this.beganIn = undefined;
    this.ledger.whenSafe(whenSafe);
  }

  /** Goes back to what was emitted last: something that was read since could not be emitted. */
  rewind(place: Place): void {
    const { beganIn } = this;
    if (beganIn !== undefined) {
      this.beganIn = beganIn.goesOnIn = undefined;
      beganIn.rewind(beganIn.ledger.place);
      this.predecessor = beganIn;
    }
    this.maker = this.newMaker();
    this.pending = undefined;
    this.resume(place);
    this.drained = false;
  }

  /** Goes on with what waits in the other's joiner, which starts anew. */
  takeOverJoiner(other: TailedFile): void {
    this.maker = other.maker;
    this.pending = other.pending;
    other.maker = other.newMaker();
    other.pending = undefined;
  }

  /** What comes from now on is of another stream. */
  readFor(stream: LineStream | undefined): void {
    if (stream === undefined || stream.ledger === this.ledger) return;
    this.ledger = stream.ledger;
    this.newMaker = stream.newMaker;
    this.maker = stream.newMaker();
  }

  /** It was renamed. */
  moveTo(path: string): void {
    this.openPath = path;
    this.realPath = realPathOf(path);
  }

  /** Gives the descriptor back; the next turn opens the file again, and goes on where it was. */
  rest(): void {
    this.reader.close();
  }

  /** The line that another file ends with goes on in this one. */
  private goOnFrom(before: TailedFile): void {
    if (!this.maker.goOnFrom(before.maker)) return;
    before.pending = undefined;
    before.goesOnIn = this;
    this.beganIn = before;
    this.waiting = undefined;
  }

  private resume(place: Place): void {
    if (this.compressed) this.unpacked = place;
    else this.reader.resume(place);
  }

  /** Of a line that began in what was just read. `from` in the buffer lies at `offset` in the file. */
  private rememberPending(buffer: Buffer, from: number, offset: number): void {
    const waiting = this.maker.joiner!.pendingPosition;
    if (waiting < offset || waiting === this.pending?.offset) return;
    const at = from + waiting - offset;
    const mark = fingerprint(buffer.subarray(Math.max(0, at - MARK_BYTES), at));
    this.pending = this.reader.placeAt(waiting, mark);
  }

  private open(): void {
    const fd = openForTail(this.openPath);
    if (!this.isSame(fstatSync(fd))) {
      closeSync(fd);
      throw new Error(`Cannot open ${this.openPath}: another file is there now`);
    }
    this.reader.attach(fd);
  }
}
