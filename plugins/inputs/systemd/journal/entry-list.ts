import type { FileWindow } from "./file-window.ts";
import { ENTRY_ARRAY, OBJECT, OBJECT_HEADER } from "./format.ts";

/** One of the arrays that hold the offsets of a file's entries. Each but the last names the next. */
interface EntryArray {
  readonly offset: number;
  /** The number of its first entry in the file. */
  readonly first: number;
  readonly capacity: number;
}

/** Arrays double in size, so a file has a few dozen. More mean that what is read is none. */
const MAX_ARRAYS = 65_536;
/** So many offsets are read at once. */
const AHEAD = 128;

/** The offsets of a file's entries, by number. */
export class EntryList {
  private readonly window: FileWindow;
  private readonly itemBytes: number;
  private readonly arrays: EntryArray[] = [];
  private current = 0;
  /** Offsets that were read ahead. */
  private readonly ahead = new Float64Array(AHEAD);
  private aheadFrom = 0;
  private aheadCount = 0;
  /** The chain of arrays leads nowhere: there are no entries beyond this number. */
  brokenAt = Infinity;

  constructor(window: FileWindow, isCompact: boolean) {
    this.window = window;
    this.itemBytes = isCompact ? 4 : 8;
  }

  /** Says where the first array is, once the file has one. */
  begin(offset: number): void {
    if (this.arrays.length === 0) this.add(offset, 0);
  }

  /** The offset of an entry, which may be wrong; 0 when the list ends in front of it, for now at least. */
  offsetOf(index: number): number {
    const at = index - this.aheadFrom;
    if (at >= 0 && at < this.aheadCount) return this.ahead[at]!;
    let array = this.arrays[this.current];
    if (array === undefined || index < array.first || index >= array.first + array.capacity) {
      array = this.find(index);
      if (array === undefined) return 0;
    }
    return this.readAhead(array, index);
  }

  /** How many entries the list has room for. */
  get room(): number {
    this.find(Infinity);
    const last = this.arrays.at(-1);
    return last === undefined ? 0 : last.first + last.capacity;
  }

  /** What was read may have changed since, and what was broken may be whole now. */
  forget(): void {
    this.aheadCount = 0;
    this.brokenAt = Infinity;
  }

  private readAhead(array: EntryArray, index: number): number {
    const { itemBytes, window, ahead } = this;
    const at = index - array.first;
    const offset = array.offset + ENTRY_ARRAY.items + at * itemBytes;
    // Items of 4 bytes may begin between two multiples of 8.
    const shift = offset & 7;
    let count = Math.min(AHEAD, array.capacity - at);
    let from = window.locate(offset - shift, shift + count * itemBytes);
    if (from < 0) {
      count = 1;
      from = window.locate(offset - shift, 8);
      if (from < 0) return 0;
    }
    from += shift;
    if (itemBytes === 4) { for (let i = 0; i < count; i++) ahead[i] = window.u32(from + i * 4); }
    else for (let i = 0; i < count; i++) ahead[i] = window.u64(from + i * 8);
    this.aheadFrom = index;
    this.aheadCount = count;
    return ahead[0]!;
  }

  private find(index: number): EntryArray | undefined {
    for (let i = this.current; i >= 0; i--) {
      const array = this.arrays[i];
      if (array === undefined || array.first > index) continue;
      this.current = i;
      break;
    }
    if (this.arrays[this.current] === undefined) return undefined;
    while (index >= this.arrays[this.current]!.first + this.arrays[this.current]!.capacity) {
      if (this.current + 1 === this.arrays.length && !this.addNext()) return undefined;
      this.current++;
    }
    return this.arrays[this.current];
  }

  private addNext(): boolean {
    const { offset, first, capacity } = this.arrays.at(-1)!;
    const at = this.window.locate(offset + ENTRY_ARRAY.next, 8);
    const next = at < 0 ? 0 : this.window.u64(at);
    if (next === 0) return false;
    // Arrays are made one after the other: what leads back would never end.
    if (next <= offset || this.arrays.length >= MAX_ARRAYS) return this.isBroken(first + capacity);
    return this.add(next, first + capacity);
  }

  private add(offset: number, first: number): boolean {
    const { window, itemBytes } = this;
    if (offset === 0 || offset % 8 !== 0) return this.isBroken(first);
    const at = window.locate(offset, ENTRY_ARRAY.items);
    if (at < 0 || window.u8(at) !== OBJECT.entryArray) return this.isBroken(first);
    const capacity = Math.floor(
      (window.u64(at + OBJECT_HEADER.size) - ENTRY_ARRAY.items) / itemBytes,
    );
    if (capacity < 1) return this.isBroken(first);
    this.arrays.push({ offset, first, capacity });
    return true;
  }

  private isBroken(at: number): false {
    this.brokenAt = at;
    return false;
  }
}
