import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { EntryList } from "./entry-list.ts";
import type { EntryPlace } from "./entry-place.ts";
import { FieldReader, type JournalField } from "./field-reader.ts";
import type { FieldTrouble } from "./field-trouble.ts";
import { type FileHeader, readFileHeader } from "./file-header.ts";
import { FileWindow } from "./file-window.ts";
import {
  ENTRY,
  HEADER,
  MAX_TIME_US,
  OBJECT,
  OBJECT_HEADER,
  STATE_ARCHIVED,
  STATE_ONLINE,
} from "./format.ts";
import { isArchiveName } from "./found-files.ts";
import { JournalError } from "./journal-error.ts";

export interface JournalFileOptions {
  /** Values are cut to so many bytes. */
  readonly maxFieldBytes: number;
  /** Further fields of an entry are left out. */
  readonly maxFields: number;
  readonly counts: DamageCounts;
}

/** What could not be read, and what took time, in numbers that only grow. */
export interface DamageCounts {
  entries: number;
  unpackedBytes: number;
  readonly fields: Record<FieldTrouble, number>;
}

export function noDamage(): DamageCounts {
  return { entries: 0, unpackedBytes: 0, fields: { damaged: 0, too_large: 0 } };
}

const NO_BOOT = "0".repeat(32);
/** An entry that cannot be read may still be on its way when it is among the latest, and for so many looks. */
const DOUBTFUL_ENTRIES = 16;
const MAX_LOOKS = 5;
/** After so many entries in a row that cannot be read, others have their turn. */
const MAX_SKIPPED = 16_384;

/**
 * A journal file and a position in it: {@link next} moves to the next entry, whose facts are the file's own
 * properties then. Whatever the bytes are, nothing is read twice and nothing for ever: entries and arrays that do not
 * lie one behind the other are damage.
 */
export class JournalFile implements EntryPlace {
  /** Follows renames, as far as they are noticed. */
  path: string;
  /** `device:inode`, which a file keeps when it is renamed. */
  readonly identity: string;
  readonly fileId: string;
  readonly machineId: string;
  readonly seqnumId: string;
  /** As of the latest {@link refresh}. */
  header: FileHeader;
  /** Its name is gone: nothing is added any more, and what is in it may be taken away at any time. */
  isDeleted = false;
  /** How many entries are behind the position, the current one among them. */
  position = 0;
  /** The count of the last entry that was handed out, or passed over; 0 for none. */
  lastSeqnum = 0;
  seqnum = 0;
  realtimeUs = 0;
  monotonicUs = 0;
  bootId = NO_BOOT;
  xorHigh = 0;
  xorLow = 0;
  private readonly fd: number;
  private readonly window: FileWindow;
  private readonly list: EntryList;
  private readonly fieldReader: FieldReader;
  private readonly options: JournalFileOptions;
  private readonly itemBytes: number;
  /** Where the objects of the current entry's fields are: as many as {@link fieldCount} says. */
  items = new Float64Array(64);
  private itemCount = 0;
  private lastOffset = 0;
  /** The entry that could not be read a moment ago: it may be about to be written. */
  private doubtfulAt = -1;
  private looks = 0;
  private isClosed = false;

  /** Opens a file. Throws {@link JournalError} for what is no journal, and the system's error for what cannot be opened. */
  constructor(path: string, options: JournalFileOptions) {
    this.path = path;
    this.options = options;
    this.fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stat = fstatSync(this.fd);
      if (!stat.isFile()) throw new JournalError("not_a_journal", "it is not a regular file");
      this.identity = `${stat.dev}:${stat.ino}`;
      this.window = new FileWindow(this.fd);
      this.header = this.readHeader();
      // Later than the header: what that counts is in it.
      this.window.size = fstatSync(this.fd).size;
    } catch (error) {
      closeSync(this.fd);
      throw error;
    }
    const { fileId, machineId, seqnumId, isCompact } = this.header;
    this.fileId = fileId;
    this.machineId = machineId;
    this.seqnumId = seqnumId;
    this.itemBytes = isCompact ? 4 : 16;
    this.list = new EntryList(this.window, isCompact);
    this.list.begin(this.header.entryArray);
    this.fieldReader = new FieldReader(this.window, isCompact, {
      maxFieldBytes: options.maxFieldBytes,
      onTrouble: (trouble) => void options.counts.fields[trouble]++,
      onUnpacked: (bytes) => void (options.counts.unpackedBytes += bytes),
    });
  }

  /** Nothing is added to it any more. */
  get isArchived(): boolean {
    return this.isDeleted || this.header.state === STATE_ARCHIVED || isArchiveName(this.path);
  }

  /** There is more to look at, but it takes long. */
  isPaused = false;

  /** The next entry cannot be read yet, and a later look may find it whole. */
  get isInDoubt(): boolean {
    return this.doubtfulAt === this.position && this.hasMore;
  }

  /** There are entries behind the position, as far as is known. */
  get hasMore(): boolean {
    return this.position < Math.min(this.header.entries, this.list.brokenAt);
  }

  /** Looks whether there is more. Returns true when there is. */
  refresh(): boolean {
    if (this.isClosed) return false;
    this.noteDeletion();
    try {
      this.header = this.readHeader();
    } catch (error) {
      if (!(error instanceof JournalError)) throw error;
      // What was deleted is emptied too.
      this.isDeleted = true;
    }
    this.window.size = fstatSync(this.fd).size;
    this.window.forget();
    this.list.forget();
    this.list.begin(this.header.entryArray);
    return this.hasMore;
  }

  /** Moves to the next entry that can be read. False when there is none, for now at least. */
  next(): boolean {
    const { list } = this;
    this.isPaused = false;
    for (let skipped = 0; this.hasMore; skipped++) {
      const offset = list.offsetOf(this.position);
      if (offset > this.lastOffset && this.readEntry(offset)) {
        this.lastOffset = offset;
        this.position++;
        return true;
      }
      // A file that is deleted to make room is emptied too.
      if (offset === 0 || (skipped === 0 && this.noteDeletion()) || this.doubt()) break;
      this.isPaused = skipped === MAX_SKIPPED;
      if (this.isPaused) break;
      this.position++;
      this.options.counts.entries++;
    }
    return false;
  }

  /** Moves in front of the first entry that `isBehind` is true for; it must be so for all that follow that one. */
  seek(isBehind: (place: EntryPlace) => boolean): void {
    let low = this.position;
    let high = this.count;
    while (low < high) {
      const middle = low + Math.floor((high - low) / 2);
      const found = this.readableFrom(middle, high);
      if (found < 0) high = middle;
      else if (isBehind(this)) high = middle;
      else low = found + 1;
    }
    this.skipTo(low);
  }

  /** Moves behind all entries in front for which this is true. */
  skipWhile(isInFront: (place: EntryPlace) => boolean): void {
    while (this.next()) {
      if (!isInFront(this)) return this.back();
      this.lastSeqnum = this.seqnum;
    }
  }

  /** How many entries can be there. */
  get count(): number {
    return Math.min(this.header.entries, this.list.room);
  }

  /** Moves behind so many entries. */
  skipTo(position: number): void {
    this.position = position;
    this.lastOffset = 0;
    this.lastSeqnum = this.seqnumBefore(position);
  }

  /** Moves to the end of what there is now. */
  skipAll(): void {
    this.skipTo(this.count);
  }

  /** Calls back with each field of the current entry, in the file's order, until `visit` returns false. */
  fields(visit: (field: JournalField) => boolean | void): void {
    const { items, itemCount, fieldReader } = this;
    for (let i = 0; i < itemCount; i++) {
      const field = fieldReader.read(items[i]!);
      if (field !== undefined && visit(field) === false) return;
    }
  }

  /** What the reader's user keeps of the file, as long as it does not {@link rest}. */
  note: unknown;

  /** How many fields the current entry has, and the one with a number: for loops that must be fast. */
  get fieldCount(): number {
    return this.itemCount;
  }

  field(i: number): JournalField | undefined {
    return this.fieldReader.read(this.items[i]!);
  }

  /** The current entry is the last one that was passed over or handed out. */
  get isAtLast(): boolean {
    return this.lastSeqnum > 0 && this.seqnum === this.lastSeqnum;
  }

  /** Gives memory back until there is something to read again. */
  rest(): void {
    this.window.forget();
    this.fieldReader.forget();
    this.note = undefined;
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    closeSync(this.fd);
    this.rest();
  }

  /** The current entry is the next one again. */
  private back(): void {
    this.position--;
    this.lastOffset = 0;
  }

  private seqnumBefore(index: number): number {
    for (let i = index - 1; i >= Math.max(0, index - MAX_SKIPPED); i--) {
      if (this.readableFrom(i, i + 1) === i) return this.seqnum;
    }
    return 0;
  }

  private noteDeletion(): boolean {
    return this.isDeleted ||= fstatSync(this.fd).nlink === 0;
  }

  /** A writer counts an entry once it is written, but not every system shows both in this order. */
  private doubt(): boolean {
    const { state, entries } = this.header;
    if (state !== STATE_ONLINE || this.isArchived || entries - this.position > DOUBTFUL_ENTRIES) {
      return false;
    }
    if (this.doubtfulAt !== this.position) this.looks = 0;
    this.doubtfulAt = this.position;
    return ++this.looks < MAX_LOOKS;
  }

  private readHeader(): FileHeader {
    const bytes = Buffer.alloc(HEADER.bytes);
    const length = readSync(this.fd, bytes, 0, bytes.length, 0);
    return readFileHeader(bytes.subarray(0, length));
  }

  /** The number of the first entry that can be read in `from`..`to`, which is the current one then; -1 for none. */
  private readableFrom(from: number, to: number): number {
    const end = Math.min(to, from + MAX_SKIPPED);
    for (let i = from; i < end; i++) {
      const offset = this.list.offsetOf(i);
      if (offset === 0) return -1;
      if (this.readEntry(offset)) return i;
    }
    return -1;
  }

  private readEntry(offset: number): boolean {
    const { window } = this;
    if (offset % 8 !== 0) return false;
    const at = window.locate(offset, ENTRY.items);
    if (at < 0 || window.u8(at) !== OBJECT.entry) return false;
    const size = window.u64(at + OBJECT_HEADER.size);
    const seqnum = window.u64(at + ENTRY.seqnum);
    const realtimeUs = window.u64(at + ENTRY.realtime);
    const monotonicUs = window.u64(at + ENTRY.monotonic);
    if (size <= ENTRY.items || (size - ENTRY.items) % this.itemBytes !== 0) return false;
    if (
      seqnum === 0 || realtimeUs === 0 || realtimeUs >= MAX_TIME_US || monotonicUs >= MAX_TIME_US
    ) {
      return false;
    }
    const bootId = this.bootAt(at + ENTRY.bootId);
    if (bootId === NO_BOOT) return false;
    const xorLow = window.u32(at + ENTRY.xorHash);
    const xorHigh = window.u32(at + ENTRY.xorHash + 4);
    if (!this.readItems(offset, (size - ENTRY.items) / this.itemBytes)) return false;
    this.seqnum = seqnum;
    this.realtimeUs = realtimeUs;
    this.monotonicUs = monotonicUs;
    this.bootId = bootId;
    this.xorHigh = xorHigh;
    this.xorLow = xorLow;
    return true;
  }

  private readItems(offset: number, all: number): boolean {
    const { window, itemBytes } = this;
    const count = Math.min(all, this.options.maxFields);
    const at = window.locate(offset, ENTRY.items + count * itemBytes);
    if (at < 0) return false;
    if (count > this.items.length) this.items = new Float64Array(count * 2);
    const { items } = this;
    const from = at + ENTRY.items;
    if (itemBytes === 4) { for (let i = 0; i < count; i++) items[i] = window.u32(from + i * 4); }
    else for (let i = 0; i < count; i++) items[i] = window.u64(from + i * 16);
    this.itemCount = count;
    return true;
  }

  /** Nearly always it is the same as before. */
  private bootAt(at: number): string {
    const id = this.window.id(at);
    return id === this.bootId ? this.bootId : id;
  }
}
