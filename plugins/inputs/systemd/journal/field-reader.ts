import { unpack } from "./decompress.ts";
import { type FieldName, FieldNames } from "./field-names.ts";
import type { FieldTrouble } from "./field-trouble.ts";
import type { FileWindow } from "./file-window.ts";
import { COMPRESSION, DATA, OBJECT, OBJECT_HEADER } from "./format.ts";

/** A field of an entry. */
export interface JournalField {
  readonly name: FieldName;
  /** The value is in it from `from` to `to`. Valid until the next field is read, unless the field {@link isKept}. */
  readonly source: Buffer;
  readonly from: number;
  readonly to: number;
  /** It was longer, and is cut. */
  readonly isCut: boolean;
  /** The field is remembered, and so may be what was made of it. */
  readonly isKept: boolean;
  /** What the reader's user made of the field. */
  note: unknown;
}

export interface FieldReaderOptions {
  /** Values are cut to so many bytes. */
  readonly maxFieldBytes: number;
  readonly onTrouble: (trouble: FieldTrouble) => void;
  /** So many bytes were unpacked, which takes its time. */
  readonly onUnpacked: (bytes: number) => void;
}

/** Of these there are two generations. */
const MAX_KEPT = 8192;
const MAX_KEPT_BYTES = 1024 * 1024;
/** What every kept field takes besides its value, which is there three times with what is made of it. */
const KEPT_OVERHEAD = 256;
const KEPT_TIMES = 3;
const MAX_NAMES = 8192;
/** Names are 64 bytes at most where a journal is written; others may be more generous. */
const MAX_NAME_BYTES = 1024;
const EQUALS = 0x3d;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * The fields of one file. Its writer stores each value once, however many entries have it, so values that occur
 * again are remembered by where they are.
 */
export class FieldReader {
  private readonly window: FileWindow;
  private readonly payload: number;
  private readonly options: FieldReaderOptions;
  private names = new FieldNames();
  private young = new Map<number, JournalField>();
  private old = new Map<number, JournalField>();
  private youngBytes = 0;
  /** Used again for every field that is not kept. */
  private readonly passing: Mutable<JournalField>;

  constructor(window: FileWindow, isCompact: boolean, options: FieldReaderOptions) {
    this.window = window;
    this.payload = isCompact ? DATA.compactPayload : DATA.payload;
    this.options = options;
    const name = this.names.find(Buffer.from("-"), 0, 1);
    const source = Buffer.alloc(0);
    this.passing = { name, source, from: 0, to: 0, isCut: false, isKept: false, note: undefined };
  }

  /** The field whose object is at this offset; `undefined` when it cannot be read. */
  read(offset: number): JournalField | undefined {
    const found = this.young.get(offset);
    if (found !== undefined) return found;
    const older = this.old.get(offset);
    if (older !== undefined) {
      this.old.delete(offset);
      this.keep(offset, older);
      return older;
    }
    return this.load(offset);
  }

  /** Gives memory back while nothing is read. */
  forget(): void {
    this.young.clear();
    this.old.clear();
    this.youngBytes = 0;
  }

  private load(offset: number): JournalField | undefined {
    const { window, payload } = this;
    if (offset % 8 !== 0) return this.failed("damaged");
    let at = window.locate(offset, payload);
    if (at < 0 || window.u8(at) !== OBJECT.data) return this.failed("damaged");
    const size = window.u64(at + OBJECT_HEADER.size);
    const packed = window.u8(at + OBJECT_HEADER.flags) & COMPRESSION.mask;
    const isShared = window.u64(at + DATA.entries) > 1;
    const length = size - payload;
    if (length < 2) return this.failed("damaged");
    if (packed !== 0) return this.loadPacked(offset, length, packed, isShared);
    // A value that is longer than wanted need not be read to its end.
    const wanted = Math.min(length, this.options.maxFieldBytes + MAX_NAME_BYTES);
    at = window.locate(offset, payload + wanted);
    if (at < 0) return this.failed("damaged");
    const from = at + payload;
    return this.field(offset, window.bytes, from, from + wanted, wanted < length, isShared);
  }

  private loadPacked(
    offset: number,
    length: number,
    packed: number,
    isShared: boolean,
  ): JournalField | undefined {
    if (length > MAX_PACKED_BYTES) return this.failed("too_large");
    const at = this.window.locate(offset, this.payload + length);
    if (at < 0) return this.failed("damaged");
    const from = at + this.payload;
    const result = unpack(packed, this.window.bytes.subarray(from, from + length));
    if (typeof result === "string") return this.failed(result);
    this.options.onUnpacked(result.length);
    return this.field(offset, result, 0, result.length, false, isShared);
  }

  private field(
    offset: number,
    source: Buffer,
    start: number,
    end: number,
    wasCut: boolean,
    isShared: boolean,
  ): JournalField | undefined {
    let from = start;
    const limit = Math.min(end, start + MAX_NAME_BYTES);
    while (from < limit && source[from] !== EQUALS) from++;
    if (from === start || from === limit) return this.failed("damaged");
    const name = this.nameOf(source, start, from);
    from++;
    const to = Math.min(end, from + this.options.maxFieldBytes);
    const isCut = wasCut || to < end;
    if (isShared) {
      const own = Buffer.from(source.subarray(from, to));
      const field = {
        name,
        source: own,
        from: 0,
        to: own.length,
        isCut,
        isKept: true,
        note: undefined,
      };
      this.keep(offset, field);
      return field;
    }
    const { passing } = this;
    passing.name = name;
    passing.source = source;
    passing.from = from;
    passing.to = to;
    passing.isCut = isCut;
    passing.note = undefined;
    return passing;
  }

  private keep(offset: number, field: JournalField): void {
    this.young.set(offset, field);
    this.youngBytes += (field.to - field.from) * KEPT_TIMES + KEPT_OVERHEAD;
    if (this.young.size < MAX_KEPT && this.youngBytes < MAX_KEPT_BYTES) return;
    this.old = this.young;
    this.young = new Map();
    this.youngBytes = 0;
  }

  private nameOf(source: Buffer, from: number, to: number): FieldName {
    const name = this.names.find(source, from, to);
    if (this.names.count <= MAX_NAMES) return name;
    // Only a damaged file has so many. What was made of the old ones goes with them.
    this.names = new FieldNames();
    this.forget();
    return this.names.find(source, from, to);
  }

  private failed(trouble: FieldTrouble): undefined {
    this.options.onTrouble(trouble);
    return undefined;
  }
}

/** What is packed is unpacked whole, so there is a limit to it. */
const MAX_PACKED_BYTES = 64 * 1024 * 1024;
