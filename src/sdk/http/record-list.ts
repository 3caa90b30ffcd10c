import type { Framing } from "../payload.ts";

/** Where each record in the bytes ends, in order, from the first byte of the first one to the end of the last one. */
export type FindEnds = (bytes: Uint8Array, from: number, until: number) => readonly number[];

/** The body of a request, taken apart into its records. */
export class RecordList {
  readonly length: number;
  private readonly bytes: Uint8Array;
  private readonly ends: readonly number[];
  private readonly prefix: Uint8Array;
  private readonly suffix: Uint8Array;
  private readonly separatorBytes: number;

  /** Throws RangeError when the bytes do not hold that many records. */
  constructor(
    bytes: Uint8Array,
    records: number,
    findEnds: FindEnds,
    { prefix = "", separator = "", suffix = "" }: Framing,
  ) {
    this.bytes = bytes;
    this.prefix = Buffer.from(prefix);
    this.suffix = Buffer.from(suffix);
    this.separatorBytes = Buffer.byteLength(separator);
    this.ends = findEnds(bytes, this.prefix.length, bytes.length - this.suffix.length);
    this.length = this.ends.length;
    const end = (this.ends.at(-1) ?? 0) + this.suffix.length;
    if (this.length !== records || end !== bytes.length) {
      throw new RangeError(`expected ${records} records in the body, found ${this.length}`);
    }
  }

  /** Bytes of the records, with what is between them. */
  size(from: number, to: number): number {
    return this.ends[to - 1]! - this.start(from);
  }

  /** A body with these records alone. May share memory with the whole one. */
  body(from: number, to: number): Uint8Array {
    const records = this.bytes.subarray(this.start(from), this.ends[to - 1]!);
    if (this.prefix.length + this.suffix.length === 0) return records;
    return Buffer.concat([this.prefix, records, this.suffix]);
  }

  /** Where to cut, so that both sides have at least one record and as nearly as can be the same number of bytes. */
  middle(from: number, to: number): number {
    const target = (this.start(from) + this.ends[to - 1]!) / 2;
    let low = from + 1;
    let high = to - 1;
    while (low < high) {
      const at = (low + high) >>> 1;
      if (this.ends[at - 1]! < target) low = at + 1;
      else high = at;
    }
    const isBeforeCloser = low > from + 1 &&
      target - this.ends[low - 2]! < this.ends[low - 1]! - target;
    return isBeforeCloser ? low - 1 : low;
  }

  private start(index: number): number {
    return index === 0 ? this.prefix.length : this.ends[index - 1]! + this.separatorBytes;
  }
}
