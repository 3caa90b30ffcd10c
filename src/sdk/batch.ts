import { forgetBlock } from "../lib/kernels.ts";
import { parseJsonObject } from "../lib/json-object.ts";
import type { JsonLines } from "./json-lines.ts";
import { recordsOf } from "./json-records.ts";
import { isInKernels, wrapLines } from "./json-of-lines.ts";
import type { JsonTail } from "./json-tail.ts";
import { RawBlock, type RawLines, type RawSource } from "./raw-lines.ts";
import type { Body, LogRecord } from "./record.ts";

/** What {@link Batch} remembers of where it came from. Derived batches inherit it. */
export interface BatchOrigin {
  /** The ordered source inside the input: a file, a connection. Acks come in order per stream. */
  readonly stream?: string | undefined;
  /** Size of what was read from the source, in bytes; 0 when the input does not know. */
  readonly bytes?: number | undefined;
}

const GARBAGE_OF_BYTES = 1 / 64;
const GARBAGE_OF_JSON = 1 / 16;

/** What a batch's records are made of when somebody asks for them. */
interface Source {
  readonly raw?: RawBlock;
  readonly json?: JsonLines;
  readonly records?: LogRecord[];
}

/**
 * The records that one input hands over at once, all with one tag, from one stream.
 *
 * A batch of raw lines, or of JSON, makes its records when somebody first asks for them; an output that can
 * write what was read as it is ({@link Batch.raw}, {@link Batch.json}) never pays for the objects.
 */
export class Batch {
  readonly tag: string;
  readonly stream: string;
  readonly bytes: number;
  private list: LogRecord[] | undefined;
  private rawLines: RawBlock | undefined;
  private jsonLines: JsonLines | undefined;

  private constructor(tag: string, source: Source, stream: string, bytes: number) {
    this.tag = tag;
    this.list = source.records;
    this.rawLines = source.raw;
    this.jsonLines = source.json;
    this.stream = stream;
    this.bytes = bytes;
  }

  /** A batch of records. The batch takes the array over: the caller must not keep it. */
  static of(tag: string, records: LogRecord[], origin: BatchOrigin = {}): Batch {
    return new Batch(tag, { records }, origin.stream ?? "", origin.bytes ?? 0);
  }

  /** A batch of lines that become records only when somebody reads {@link records}. */
  static ofLines(tag: string, raw: RawSource, origin: BatchOrigin = {}): Batch {
    return new Batch(tag, { raw: new RawBlock(raw) }, origin.stream ?? "", origin.bytes ?? 0);
  }

  /** A batch of JSON that becomes records only when somebody reads {@link records}. */
  static ofJson(tag: string, json: JsonLines, origin: BatchOrigin = {}): Batch {
    return new Batch(tag, { json }, origin.stream ?? "", origin.bytes ?? 0);
  }

  /** Number of records. Does not make records. */
  get length(): number {
    return this.list?.length ?? this.rawLines?.count ?? this.jsonLines?.count ?? 0;
  }

  /** The lines, as long as nobody asked for the records; `undefined` afterwards, or when they were none. */
  get raw(): RawLines | undefined {
    return this.rawLines;
  }

  /** The records as JSON, as long as nobody asked for them; `undefined` afterwards, or when they were none. */
  get json(): JsonLines | undefined {
    return this.jsonLines;
  }

  /**
   * The records as JSON in the kernels' memory, where that takes no records: of a batch that still is JSON there, or raw
   * lines, which become JSON by it. `undefined` otherwise.
   */
  toJson(): JsonLines | undefined {
    if (this.rawLines !== undefined) this.jsonLines = wrapLines(this.rawLines);
    if (this.jsonLines === undefined) return undefined;
    this.rawLines = undefined;
    return isInKernels(this.jsonLines) ? this.jsonLines : undefined;
  }

  /** Takes other JSON in place of that which it still is, with as many records or fewer. */
  exchange(json: JsonLines): void {
    this.jsonLines = json;
  }

  /** The records, made at the first call. A filter may change them in place. */
  get records(): LogRecord[] {
    return this.list ??= this.makeRecords();
  }

  /** A batch with the same tag and origin and other records: what a filter returns. */
  with(records: LogRecord[]): Batch {
    return new Batch(this.tag, { records }, this.stream, this.bytes);
  }

  /** A batch with the same origin under another tag: it goes through the filters again from the first. */
  retag(tag: string, records: LogRecord[] = this.records): Batch {
    return new Batch(tag, { records }, this.stream, this.bytes);
  }

  /**
   * Gives every record these fields behind its own, in place, when that takes no records: when the batch still is JSON and
   * none of the fields is there. Otherwise it does nothing, and returns false.
   */
  append(tail: JsonTail): boolean {
    const { jsonLines } = this;
    if (jsonLines === undefined || !tail.mayFollow(jsonLines)) return false;
    this.jsonLines = { ...jsonLines, tail: jsonLines.tail?.plus(tail) ?? tail };
    return true;
  }

  /**
   * Makes the batch independent of the memory that its source was read into. The engine calls it before
   * the batch is given to anybody who may keep it longer than the call that hands it over.
   */
  detach(): void {
    if (this.rawLines?.bytes !== undefined) void this.rawLines.text;
    if (this.jsonLines !== undefined) void this.records;
  }

  /**
   * The hand-over is over and the memory that the batch was read into is about to be used again. Returns how
   * much of the batch became garbage, from 0 to 1: bytes that stay bytes leave little behind.
   */
  expire(): number {
    forgetBlock();
    if (this.jsonLines !== undefined) {
      this.jsonLines = undefined;
      return GARBAGE_OF_JSON;
    }
    if (this.rawLines?.bytes === undefined) return 1;
    this.rawLines.expire();
    return GARBAGE_OF_BYTES;
  }

  private makeRecords(): LogRecord[] {
    const { rawLines, jsonLines } = this;
    this.rawLines = undefined;
    this.jsonLines = undefined;
    if (rawLines !== undefined) return materialise(rawLines);
    if (jsonLines !== undefined) return recordsOf(jsonLines, parseJsonObject);
    throw new Error(
      "Cannot read a batch's records: their memory was given back after the hand-over",
    );
  }
}

function materialise(raw: RawLines): LogRecord[] {
  const { lines, key, sec, nsec, extra } = raw;
  const records = new Array<LogRecord>(lines.length);
  for (let i = 0; i < lines.length; i++) {
    const body: Body = extra === undefined ? { [key]: lines[i]! } : { ...extra, [key]: lines[i]! };
    records[i] = { sec, nsec, body };
  }
  return records;
}
