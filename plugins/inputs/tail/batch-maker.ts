import {
  Batch,
  type Body,
  type Counter,
  countLines,
  type LineBlock,
  type LineJoiner,
  type LineParser,
  type LogRecord,
} from "logcollector/plugin";
import { isUtf8 } from "node:buffer";
import { type TextEncoding, utf8 } from "./text-decoder.ts";

const LF = 0x0a;

/** What happens to a line that is longer than allowed. `mark` cuts it and says so in the record. */
export type LongLines = "skip" | "cut" | "mark";

export interface BatchMakerOptions {
  readonly tag: string;
  readonly stream: string;
  readonly path: string;
  readonly key: string;
  readonly pathKey: string | undefined;
  readonly offsetKey: string | undefined;
  readonly skipEmptyLines: boolean;
  readonly longLines: LongLines;
  /** A line is long when it and its break do not fit into this many bytes less one. */
  readonly maxLineBytes: number;
  readonly parser: LineParser | undefined;
  readonly joiner: LineJoiner | undefined;
  readonly wall: () => { sec: number; nsec: number };
  readonly skipped: Counter;
  readonly truncated: Counter;
}

/** The lines of one read. */
interface Lines {
  texts: string[];
  /** Offset of each line in the file, when somebody needs it. */
  offsets: number[] | undefined;
  /** Which of them were cut and must say so. */
  marked: Set<number> | undefined;
}

export const TRUNCATED_MARK = "_truncated";

/** Makes batches of the bytes of one file. */
export class BatchMaker {
  private readonly options: BatchMakerOptions;
  private readonly extra: Body | undefined;
  private readonly needsOffsets: boolean;
  /** Nothing is done to a line but to carry it. */
  private readonly isPlain: boolean;
  /** The records are JSON that nobody looks into, as far as is known. */
  private readonly wantsJson: boolean;
  private ownJoiner: LineJoiner | undefined;

  constructor(options: BatchMakerOptions) {
    this.options = options;
    this.ownJoiner = options.joiner;
    this.extra = options.pathKey === undefined ? undefined : { [options.pathKey]: options.path };
    const isBare = options.offsetKey === undefined && !options.skipEmptyLines;
    this.isPlain = isBare && options.parser === undefined && options.joiner === undefined;
    const reader = options.joiner ?? options.parser;
    this.wantsJson = isBare && options.pathKey === undefined && reader?.readJson !== undefined;
    this.needsOffsets = options.offsetKey !== undefined || options.joiner !== undefined;
  }

  get joiner(): LineJoiner | undefined {
    return this.ownJoiner;
  }

  /**
   * Goes on with the line that the other waits with, as if it began at the start of what comes here. Returns false
   * where that cannot be.
   */
  goOnFrom(other: BatchMaker): boolean {
    const { ownJoiner: joiner } = other;
    if (joiner?.moveTo === undefined) return false;
    joiner.moveTo(0);
    other.ownJoiner = this.ownJoiner;
    this.ownJoiner = joiner;
    return true;
  }

  /** A batch of the whole lines in `from`..`to`; `undefined` when nothing is to be emitted yet. */
  fromLines(
    buffer: Buffer,
    from: number,
    to: number,
    offset: number,
    encoding: TextEncoding,
  ): Batch | undefined {
    if (this.isPlain || this.wantsJson) {
      const batch = this.wholeBatch(buffer, from, to, offset, encoding);
      if (batch !== undefined) return batch.length === 0 ? undefined : batch;
    }
    const lines = this.split(buffer, from, to, offset, encoding);
    if (lines.texts.length === 0) return undefined;
    return this.batch(lines, to - from);
  }

  /**
   * The lines as they lie in memory, when nothing needs to look at them one by one, or when the parser can
   * do with that; otherwise `undefined`.
   */
  private wholeBatch(
    buffer: Buffer,
    from: number,
    to: number,
    offset: number,
    encoding: TextEncoding,
  ): Batch | undefined {
    if (encoding !== utf8 || buffer[to - 1] !== LF) return undefined;
    const bytes = buffer.subarray(from, to);
    return this.isPlain ? this.plainBatch(bytes) : this.jsonBatch(bytes, offset);
  }

  private plainBatch(bytes: Buffer): Batch | undefined {
    const lines = bytes.subarray(0, -1);
    const count = countLines(lines, this.options.maxLineBytes - 2);
    if (count === undefined || !isUtf8(bytes)) return undefined;
    const { tag, stream, key } = this.options;
    const { sec, nsec } = this.options.wall();
    const raw = { key, bytes: lines, count, sec, nsec, extra: this.extra };
    return Batch.ofLines(tag, raw, { stream, bytes: bytes.length });
  }

  private jsonBatch(bytes: Buffer, offset: number): Batch | undefined {
    const { ownJoiner: joiner } = this;
    const { tag, stream, key, parser, maxLineBytes } = this.options;
    if (countLines(bytes, maxLineBytes - 2) === undefined) return undefined;
    const { sec, nsec } = this.options.wall();
    const block: LineBlock = {
      bytes,
      sec,
      nsec,
      unparsed: (line) => ({ [key]: line }),
      // Records are sooner made of the JSON than line by line.
      onRecords: () => undefined,
    };
    const json = joiner === undefined ? parser!.readJson!(block) : joiner.readJson!(block, offset);
    return json && Batch.ofJson(tag, json, { stream, bytes: bytes.length });
  }

  /** A batch of the beginning of a line that is too long. */
  fromLongLine(
    buffer: Buffer,
    from: number,
    to: number,
    offset: number,
    encoding: TextEncoding,
  ): Batch | undefined {
    if (this.options.longLines === "skip") {
      this.options.skipped.value++;
      return undefined;
    }
    this.options.truncated.value++;
    const text = encoding.decode(buffer, from, to).replace(/\uFFFD+$/, "");
    const marked = this.options.longLines === "mark" ? new Set([0]) : undefined;
    return this.batch({ texts: [text], offsets: [offset], marked }, to - from);
  }

  /** What the joiner still holds. */
  flush(): Batch | undefined {
    const records: LogRecord[] = [];
    this.ownJoiner?.flush(records);
    return records.length === 0 ? undefined : this.finish(records, 0);
  }

  private split(
    buffer: Buffer,
    from: number,
    to: number,
    offset: number,
    encoding: TextEncoding,
  ): Lines {
    const whole = encoding.lastLineEnd(buffer, from, to) === to;
    const end = whole ? to - encoding.breakBytes : to;
    const text = encoding.decode(buffer, from, end);
    const lines: Lines = {
      texts: text.split("\n"),
      offsets: this.needsOffsets ? offsetsOf(buffer, from, end, offset, encoding) : undefined,
      marked: undefined,
    };
    // No line can be too long in a block that is shorter than that, and most are.
    if (to - from >= this.options.maxLineBytes) this.limit(lines, buffer, from, end, encoding);
    if (text.includes("\r")) stripCarriageReturns(lines.texts);
    if (this.options.skipEmptyLines) dropEmpty(lines);
    return lines;
  }

  /** Cuts or leaves out lines that are too long. What counts is their bytes in the file. */
  private limit(
    lines: Lines,
    buffer: Buffer,
    from: number,
    end: number,
    encoding: TextEncoding,
  ): void {
    const { maxLineBytes, longLines, skipped, truncated } = this.options;
    const longest = maxLineBytes - 1 - encoding.breakBytes;
    // No encoding takes more than four bytes for a UTF-16 unit, or makes more than one unit of a byte.
    if (!lines.texts.some((text) => text.length * 4 > longest)) return;
    const starts = offsetsOf(buffer, from, end, from, encoding);
    const long: number[] = [];
    starts.forEach((start, i) => {
      const next = starts[i + 1];
      if ((next === undefined ? end : next - encoding.breakBytes) - start > longest) long.push(i);
    });
    if (longLines === "skip") return leaveOut(lines, long, skipped);
    truncated.value += long.length;
    const room = maxLineBytes - 1;
    for (const i of long) {
      const cut = Math.min(end, starts[i]! + room - room % encoding.breakBytes);
      lines.texts[i] = encoding.decode(buffer, starts[i]!, cut).replace(/\uFFFD+$/, "");
      if (longLines === "mark") (lines.marked ??= new Set()).add(i);
    }
  }

  private batch(lines: Lines, bytes: number): Batch | undefined {
    const { ownJoiner: joiner } = this;
    const { parser, tag, stream, key, offsetKey } = this.options;
    const { sec, nsec } = this.options.wall();
    if (joiner !== undefined) return this.join(joiner, lines, sec, nsec, bytes);
    if (parser === undefined && offsetKey === undefined && lines.marked === undefined) {
      const raw = { key, lines: lines.texts, sec, nsec, extra: this.extra };
      return Batch.ofLines(tag, raw, { stream, bytes });
    }
    const records = parser === undefined
      ? this.plainRecords(lines, sec, nsec)
      : this.parsedRecords(parser, lines, sec, nsec);
    return this.finish(records, bytes);
  }

  private finish(records: LogRecord[], bytes: number): Batch {
    const { tag, stream } = this.options;
    return Batch.of(tag, records, { stream, bytes });
  }

  private plainRecords(lines: Lines, sec: number, nsec: number): LogRecord[] {
    return lines.texts.map((text, i) => ({ sec, nsec, body: this.plainBody(text, i, lines) }));
  }

  /** Fluent Bit puts path and offset before a plain line, and after the fields of a parsed one. */
  private plainBody(text: string, i: number, lines: Lines): Body {
    const { key, offsetKey } = this.options;
    const body: Body = { ...this.extra };
    if (offsetKey !== undefined) body[offsetKey] = lines.offsets![i]!;
    body[key] = text;
    if (lines.marked?.has(i)) body[TRUNCATED_MARK] = true;
    return body;
  }

  private parsedRecords(
    parser: LineParser,
    lines: Lines,
    sec: number,
    nsec: number,
  ): LogRecord[] {
    const { texts } = lines;
    const { offsetKey } = this.options;
    const decorated = this.extra !== undefined || offsetKey !== undefined ||
      lines.marked !== undefined;
    const records = new Array<LogRecord>(texts.length);
    for (let i = 0; i < texts.length; i++) {
      const parsed = parser.parse(texts[i]!, sec, nsec);
      if (parsed === null) records[i] = { sec, nsec, body: this.plainBody(texts[i]!, i, lines) };
      else {
        if (decorated) this.decorate(parsed.body, i, lines);
        records[i] = parsed;
      }
    }
    return records;
  }

  private decorate(body: Body, i: number, lines: Lines): void {
    if (this.extra !== undefined) Object.assign(body, this.extra);
    if (this.options.offsetKey !== undefined) body[this.options.offsetKey] = lines.offsets![i]!;
    if (lines.marked?.has(i)) body[TRUNCATED_MARK] = true;
  }

  private join(
    joiner: LineJoiner,
    lines: Lines,
    sec: number,
    nsec: number,
    bytes: number,
  ): Batch | undefined {
    const records: LogRecord[] = [];
    const { texts } = lines;
    const offsets = lines.offsets!;
    for (let i = 0; i < texts.length; i++) joiner.feed(texts[i]!, sec, nsec, offsets[i]!, records);
    return records.length === 0 ? undefined : this.finish(records, bytes);
  }
}

/** Whether a line has more bytes than `longest` before its line feed. */
function leaveOut(lines: Lines, unwanted: readonly number[], counter: Counter): void {
  counter.value += unwanted.length;
  for (const i of unwanted.toReversed()) {
    lines.texts.splice(i, 1);
    lines.offsets?.splice(i, 1);
  }
}

/** Offset of every line's first byte. `end` lies before the last line's break. */
function offsetsOf(
  buffer: Buffer,
  from: number,
  end: number,
  offset: number,
  encoding: TextEncoding,
): number[] {
  const offsets: number[] = [];
  const shift = offset - from;
  for (let at = from; at !== -1; at = encoding.firstLineEnd(buffer, at, end)) {
    offsets.push(at + shift);
  }
  return offsets;
}

/** Fluent Bit leaves a line that is nothing but a carriage return as it is, and so do we. */
function stripCarriageReturns(texts: string[]): void {
  for (let i = 0; i < texts.length; i++) {
    const text = texts[i]!;
    if (text.length >= 2 && text.charCodeAt(text.length - 1) === 13) texts[i] = text.slice(0, -1);
  }
}

function dropEmpty(lines: Lines): void {
  const kept = lines.texts.flatMap((text, i) => text === "" || text === "\r" ? [] : [i]);
  if (kept.length === lines.texts.length) return;
  const { offsets, marked } = lines;
  if (marked !== undefined) {
    lines.marked = new Set(kept.flatMap((old, i) => marked.has(old) ? [i] : []));
  }
  if (offsets !== undefined) lines.offsets = kept.map((i) => offsets[i]!);
  lines.texts = kept.map((i) => lines.texts[i]!);
}
