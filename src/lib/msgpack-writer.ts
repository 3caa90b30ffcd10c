import type { Fields, Value } from "./record-accessor.ts";

const FIRST_BYTES = 64 * 1024;
/** Memory that is kept between uses. */
const KEEP_BYTES = 1024 * 1024;
/** Text up to this length is looked at character by character: nearly all of it is plain. */
const SHORT_TEXT = 48;
const TWO_TO_32 = 2 ** 32;
const MAX_UNSIGNED = 2n ** 64n - 1n;
const MIN_SIGNED = -(2n ** 63n);

/** A double to be taken apart: calls of the runtime cost more. */
const DOUBLE = new Float64Array([1]);
const DOUBLE_BYTES = new Uint8Array(DOUBLE.buffer);
/** Where its bytes are, the most significant first. That of 1 is 0x3f. */
const DOUBLE_ORDER = DOUBLE_BYTES[0] === 0x3f ? [0, 1, 2, 3, 4, 5, 6, 7] : [7, 6, 5, 4, 3, 2, 1, 0];

/** Writes msgpack values one behind the other, whole numbers as integers, each in its shortest form. */
export class MsgpackWriter {
  /** What was written is here, up to {@link length}; a longer write moves it elsewhere. */
  memory: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  length = 0;

  /** Starts again from the beginning. What was written before must have been copied. */
  clear(): void {
    this.length = 0;
    if (this.memory.length > KEEP_BYTES) this.memory = Buffer.allocUnsafeSlow(FIRST_BYTES);
  }

  /** What was written. Valid until the next write. */
  get written(): Buffer {
    return this.memory.subarray(0, this.length);
  }

  /** Makes room for so many more bytes. */
  reserve(bytes: number): void {
    const needed = this.length + bytes;
    if (needed <= this.memory.length) return;
    const next = Buffer.allocUnsafeSlow(Math.max(needed, this.memory.length * 2));
    this.memory.copy(next, 0, 0, this.length);
    this.memory = next;
  }

  value(value: Value | undefined): void {
    switch (typeof value) {
      case "string":
        return this.text(value);
      case "number":
        return this.number(value);
      case "boolean":
        return this.byte(value ? 0xc3 : 0xc2);
      case "bigint":
        return this.bigint(value);
      case "object":
        if (value === null) return this.byte(0xc0);
        if (Array.isArray(value)) return this.array(value);
        return value instanceof Uint8Array ? this.binary(value) : this.map(value);
      default:
        return this.byte(0xc0);
    }
  }

  map(fields: Fields): void {
    this.reserve(1);
    const head = this.length++;
    let count = 0;
    for (const key in fields) {
      this.text(key);
      this.value(fields[key]);
      count++;
    }
    this.closeMap(head, count);
  }

  /** Puts the number of members into a map whose head is one byte at `head`. */
  closeMap(head: number, count: number): void {
    this.closeList(head, count, 0x80, 0xde);
  }

  /** The same for an array. */
  closeArray(head: number, count: number): void {
    this.closeList(head, count, 0x90, 0xdc);
  }

  text(text: string): void {
    const { length } = text;
    // UTF-8 takes at most three bytes per UTF-16 unit.
    this.reserve(length * 3 + 5);
    if (length <= SHORT_TEXT && this.plainText(text)) return;
    const guessed = headBytes(length);
    const start = this.length;
    const bytes = this.memory.write(text, start + guessed, "utf8");
    const real = headBytes(bytes);
    if (real !== guessed) {
      this.memory.copyWithin(start + real, start + guessed, start + guessed + bytes);
    }
    this.textHead(bytes);
    this.length = start + real + bytes;
  }

  /** Of a text of so many bytes, which must follow. */
  textHead(bytes: number): void {
    this.reserve(bytes + LONGEST_TEXT_HEAD);
    this.length = putTextHead(bytes, this.memory, this.length);
  }

  /** Of binary data of so many bytes, which must follow. */
  binaryHead(bytes: number): void {
    this.reserve(bytes + 5);
    const size = bytes < 0x100 ? 1 : bytes < 0x10000 ? 2 : 4;
    this.memory[this.length++] = size === 1 ? 0xc4 : size === 2 ? 0xc5 : 0xc6;
    this.length = this.memory.writeUIntBE(bytes, this.length, size);
  }

  /** Of an array of so many items, which must follow. */
  arrayHead(items: number): void {
    this.reserve(5);
    if (items < 16) {
      this.memory[this.length++] = 0x90 | items;
      return;
    }
    const size = items < 0x10000 ? 2 : 4;
    this.memory[this.length++] = size === 2 ? 0xdc : 0xdd;
    this.length = this.memory.writeUIntBE(items, this.length, size);
  }

  number(value: number): void {
    this.reserve(9);
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) return this.double(value);
    if (value >= 0) this.length = unsigned(this.memory, this.length, value);
    else this.length = negative(this.memory, this.length, value);
  }

  /** A whole number from 0, known to be one that a double counts exactly. */
  whole(value: number): void {
    this.reserve(9);
    this.length = unsigned(this.memory, this.length, value);
  }

  private double(value: number): void {
    DOUBLE[0] = value;
    const { memory } = this;
    let at = this.length;
    memory[at++] = 0xcb;
    for (let i = 0; i < 8; i++) memory[at++] = DOUBLE_BYTES[DOUBLE_ORDER[i]!]!;
    this.length = at;
  }

  private bigint(value: bigint): void {
    this.reserve(9);
    if (value > MAX_UNSIGNED || value < MIN_SIGNED) return this.double(Number(value));
    const { memory } = this;
    memory[this.length++] = value < 0n ? 0xd3 : 0xcf;
    this.length = value < 0n
      ? memory.writeBigInt64BE(value, this.length)
      : memory.writeBigUInt64BE(value, this.length);
  }

  private array(items: readonly Value[]): void {
    this.reserve(1);
    const head = this.length++;
    for (const item of items) this.value(item);
    this.closeArray(head, items.length);
  }

  private binary(bytes: Uint8Array): void {
    this.binaryHead(bytes.length);
    this.memory.set(bytes, this.length);
    this.length += bytes.length;
  }

  private byte(byte: number): void {
    this.reserve(1);
    this.memory[this.length++] = byte;
  }

  /** False when it is not plain ASCII; then nothing was written. */
  private plainText(text: string): boolean {
    const { memory } = this;
    const { length } = text;
    let at = this.length;
    if (length < 32) memory[at++] = 0xa0 | length;
    else {
      memory[at++] = 0xd9;
      memory[at++] = length;
    }
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code >= 0x80) return false;
      memory[at++] = code;
    }
    this.length = at;
    return true;
  }

  private closeList(head: number, count: number, short: number, long: number): void {
    if (count < 16) {
      this.memory[head] = short | count;
      return;
    }
    const more = count < 0x10000 ? 2 : 4;
    this.reserve(more);
    this.memory.copyWithin(head + 1 + more, head + 1, this.length);
    this.memory[head] = more === 2 ? long : long + 1;
    this.memory.writeUIntBE(count, head + 1, more);
    this.length += more;
  }
}

/** Of the head of a text, in bytes. */
export const LONGEST_TEXT_HEAD = 5;

/** Writes the head of a text of so many bytes, and returns the position after it. */
export function putTextHead(bytes: number, memory: Buffer, at: number): number {
  if (bytes < 32) {
    memory[at] = 0xa0 | bytes;
    return at + 1;
  }
  if (bytes < 0x100) {
    memory[at] = 0xd9;
    memory[at + 1] = bytes;
    return at + 2;
  }
  if (bytes < 0x10000) {
    memory[at] = 0xda;
    memory[at + 1] = bytes >> 8;
    memory[at + 2] = bytes;
    return at + 3;
  }
  memory[at] = 0xdb;
  return memory.writeUInt32BE(bytes, at + 1);
}

function headBytes(bytes: number): number {
  if (bytes < 32) return 1;
  if (bytes < 0x100) return 2;
  return bytes < 0x10000 ? 3 : 5;
}

function unsigned(memory: Buffer, at: number, value: number): number {
  if (value < 0x80) {
    memory[at] = value;
    return at + 1;
  }
  if (value < 0x100) {
    memory[at] = 0xcc;
    memory[at + 1] = value;
    return at + 2;
  }
  if (value < 0x10000) {
    memory[at] = 0xcd;
    memory[at + 1] = value >> 8;
    memory[at + 2] = value;
    return at + 3;
  }
  if (value < TWO_TO_32) {
    memory[at] = 0xce;
    memory[at + 1] = value >>> 24;
    memory[at + 2] = value >>> 16;
    memory[at + 3] = value >>> 8;
    memory[at + 4] = value;
    return at + 5;
  }
  memory[at] = 0xcf;
  memory.writeUInt32BE(Math.floor(value / TWO_TO_32), at + 1);
  return memory.writeUInt32BE(value % TWO_TO_32, at + 5);
}

function negative(memory: Buffer, at: number, value: number): number {
  if (value >= -32) {
    memory[at] = value;
    return at + 1;
  }
  const size = value >= -0x80 ? 1 : value >= -0x8000 ? 2 : value >= -0x80000000 ? 4 : 8;
  if (size === 8) {
    memory[at] = 0xd3;
    return memory.writeBigInt64BE(BigInt(value), at + 1);
  }
  memory[at] = size === 1 ? 0xd0 : size === 2 ? 0xd1 : 0xd2;
  return memory.writeIntBE(value, at + 1, size);
}
