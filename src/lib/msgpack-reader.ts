import type { Fields, Value } from "./record-accessor.ts";

/** Deeper values are refused: they would take the stack. */
const MAX_DEPTH = 100;

export interface EventTime {
  readonly sec: number;
  readonly nsec: number;
}

/**
 * Reads msgpack values one behind the other. Every method throws a RangeError when the bytes end too soon, and
 * an Error for what they do not say.
 */
export class MsgpackReader {
  /** Where the next value begins. */
  offset = 0;
  private readonly bytes: Buffer;
  private readonly textsAre: "text" | "bytes";

  /** Text that may not be UTF-8, such as a salt, is to be read as `bytes`; the keys of maps are text all the same. */
  constructor(bytes: Uint8Array, textsAre: "text" | "bytes" = "text") {
    this.textsAre = textsAre;
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get nextIsArray(): boolean {
    const byte = this.bytes[this.offset] ?? 0;
    return (byte & 0xf0) === 0x90 || byte === 0xdc || byte === 0xdd;
  }

  /** Number of the items that follow. */
  arrayHead(): number {
    const byte = this.uint(1);
    if ((byte & 0xf0) === 0x90) return byte & 0x0f;
    if (byte === 0xdc) return this.uint(2);
    if (byte === 0xdd) return this.uint(4);
    throw new Error(`expected an array, got ${hex(byte)}`);
  }

  /** Seconds as a number, or extension type 0 with nanoseconds, as the Forward protocol has it. */
  eventTime(): EventTime {
    const byte = this.uint(1);
    if (byte === 0xd7 || byte === 0xc7) {
      const length = byte === 0xd7 ? 8 : this.uint(1);
      const type = this.uint(1);
      if (length !== 8 || type !== 0) throw new Error(`expected a time, got extension ${type}`);
      return { sec: this.uint(4), nsec: Math.min(this.uint(4), 999_999_999) };
    }
    this.offset--;
    const value = this.value();
    if (typeof value !== "number") throw new Error(`expected a time, got ${hex(byte)}`);
    const sec = Math.floor(value);
    return { sec, nsec: Math.floor((value - sec) * 1e9) };
  }

  /** Integers that a number does not hold become `bigint`, extensions their bytes. */
  value(depth = 0): Value {
    if (depth > MAX_DEPTH) throw new Error(`values are nested deeper than ${MAX_DEPTH}`);
    const byte = this.uint(1);
    if (byte < 0x80) return byte;
    if (byte < 0x90) return this.map(byte & 0x0f, depth);
    if (byte < 0xa0) return this.array(byte & 0x0f, depth);
    if (byte < 0xc0) return this.text(byte & 0x1f);
    if (byte >= 0xe0) return byte - 256;
    return this.long(byte, depth);
  }

  private long(byte: number, depth: number): Value {
    switch (byte) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return this.take(this.uint(1 << (byte - 0xc4)));
      case 0xc7:
      case 0xc8:
      case 0xc9:
        return this.extension(this.uint(1 << (byte - 0xc7)));
      case 0xca:
        return this.take(4).readFloatBE();
      case 0xcb:
        return this.take(8).readDoubleBE();
      case 0xcc:
      case 0xcd:
      case 0xce:
        return this.uint(1 << (byte - 0xcc));
      case 0xcf:
        return small(this.take(8).readBigUInt64BE());
      case 0xd0:
        return this.take(1).readInt8();
      case 0xd1:
        return this.take(2).readInt16BE();
      case 0xd2:
        return this.take(4).readInt32BE();
      case 0xd3:
        return small(this.take(8).readBigInt64BE());
      case 0xd4:
      case 0xd5:
      case 0xd6:
      case 0xd7:
      case 0xd8:
        return this.extension(1 << (byte - 0xd4));
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.text(this.uint(1 << (byte - 0xd9)));
      case 0xdc:
      case 0xdd:
        return this.array(this.uint(byte === 0xdc ? 2 : 4), depth);
      case 0xde:
      case 0xdf:
        return this.map(this.uint(byte === 0xde ? 2 : 4), depth);
    }
    throw new Error(`${hex(byte)} begins no value`);
  }

  private array(length: number, depth: number): Value[] {
    const items: Value[] = [];
    for (let i = 0; i < length; i++) items.push(this.value(depth + 1));
    return items;
  }

  private map(length: number, depth: number): Fields {
    const fields: Fields = {};
    for (let i = 0; i < length; i++) {
      const key = keyText(this.value(depth + 1));
      const value = this.value(depth + 1);
      if (key !== "__proto__") fields[key] = value;
      else {Object.defineProperty(fields, key, {
          value,
          enumerable: true,
          configurable: true,
          writable: true,
        });}
    }
    return fields;
  }

  private text(length: number): string | Buffer {
    if (this.textsAre === "bytes") return this.take(length);
    const { offset } = this;
    this.need(length);
    this.offset += length;
    return this.bytes.toString("utf8", offset, offset + length);
  }

  private extension(length: number): Buffer {
    this.offset++;
    return this.take(length);
  }

  /** A copy: the memory may be used again. */
  private take(length: number): Buffer {
    const { offset } = this;
    this.need(length);
    this.offset += length;
    return Buffer.from(this.bytes.subarray(offset, offset + length));
  }

  private uint(length: number): number {
    this.need(length);
    const value = this.bytes.readUIntBE(this.offset, length);
    this.offset += length;
    return value;
  }

  private need(length: number): void {
    if (this.offset + length > this.bytes.length) {
      throw new RangeError("the last value is not whole");
    }
  }
}

function small(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function keyText(key: Value): string {
  if (typeof key === "string") return key;
  return key instanceof Uint8Array ? Buffer.from(key).toString() : String(key);
}

function hex(byte: number): string {
  return `0x${byte.toString(16).padStart(2, "0")}`;
}
