import { isUtf8 } from "node:buffer";
import { JsonScanner } from "../lib/json-scan.ts";
import { stringifyJson } from "../lib/json-text.ts";
import { type Kernels, kernels } from "../lib/kernels.ts";
import type { TimeFrame } from "../lib/strptime.ts";
import type { LineBlock, LineParser } from "../sdk/context.ts";
import type { JsonLines } from "../sdk/json-lines.ts";
import { JsonLinesBuilder } from "./json-lines-builder.ts";

const LF = 0x0a;
const COMMA = 0x2c;
/** With more of its lines than this to rewrite, a block is better parsed line by line. */
const MAX_REWRITTEN = 0.25;
const FEW_REWRITTEN = 16;
/** So many blocks are parsed line by line after one that had too many. */
const REST_BLOCKS = 50;

/** Why the kernel came back: see src/kernels/json-lines.ts. */
const ODD_LINE = 1;
const UNKNOWN_TIME = 2;
const TOO_MANY = 3;

/** In place of the second of a time that was not set. */
const NONE_READ = NaN;

const NONE: ReadonlyMap<number, string> = new Map();

export interface JsonBlockOptions {
  /** The field that holds the time; `undefined` when the time is not taken from a field. */
  readonly timeKey: string | undefined;
  readonly keepTime: boolean;
  /** Reads a time into `out`; false when it cannot be read. */
  readonly readTime: (text: string, out: { sec: number; nsec: number }) => boolean;
  /** What the time that was read last has in common with others of its second. */
  readonly frameOf: (text: string) => TimeFrame | undefined;
  /** The same parser, for the lines that have to be rewritten. */
  readonly parse: LineParser["parse"];
}

/**
 * Reads blocks of JSON lines without making values of them. A line that is not in the plain form which can
 * be passed on is parsed and written again, so that all lines of a block come out alike.
 */
export class JsonBlockReader {
  private readonly options: JsonBlockOptions;
  private readonly time = { sec: 0, nsec: 0 };
  private readonly timeKey: Buffer | undefined;
  private large: LargeBlockReader | undefined;
  private rewritten: Map<number, string> | undefined;
  private resting = 0;

  constructor(options: JsonBlockOptions) {
    this.options = options;
    this.timeKey = options.timeKey === undefined ? undefined : Buffer.from(options.timeKey);
  }

  read(block: LineBlock): JsonLines | undefined {
    if (this.resting > 0) {
      this.resting--;
      return undefined;
    }
    if (!isUtf8(block.bytes)) return undefined;
    const kernel = kernels();
    const isLarge = block.bytes.length > kernel.maxBlock ||
      (this.timeKey?.length ?? 0) > kernel.maxTexts;
    const lines = isLarge ? this.readLarge(block) : this.scan(block, kernel);
    if (lines === undefined) this.resting = REST_BLOCKS;
    return lines;
  }

  private scan(block: LineBlock, kernel: Kernels): JsonLines | undefined {
    const { call } = kernel;
    const { keepTime } = this.options;
    const from = kernel.block;
    const to = from + block.bytes.length;
    kernel.use(block.bytes);
    if (!kernel.isStill(this)) this.introduce(kernel);
    this.rewritten = undefined;
    let count = 0;
    for (let at = from; at < to;) {
      const reason = call.scanLines(at, to, count, keepTime, block.sec, block.nsec);
      count = call.count.value;
      if (reason === TOO_MANY) return this.readLarge(block);
      if (reason !== ODD_LINE && reason !== UNKNOWN_TIME) break;
      const start = call.lineFrom.value;
      const end = kernel.bytes.indexOf(LF, start);
      if (reason === ODD_LINE || !this.readTime(block, kernel)) {
        this.rewrite(block, kernel, count, start, end);
        if (isTooMany(this.rewritten!.size, count + 1)) return undefined;
      }
      at = end + 1;
      count++;
    }
    const { spans, sec, nsec } = kernel;
    const bytes = kernel.bytes.subarray(from, to);
    const rewritten = this.rewritten ?? NONE;
    return { count, bytes, spans, sec, nsec, rewritten, onRecords: block.onRecords };
  }

  /** Tells the kernel what only this reader wants to know. */
  private introduce({ call, bytes, names }: Kernels): void {
    const { timeKey } = this;
    call.forgetTime();
    if (timeKey !== undefined) bytes.set(timeKey, names);
    call.wantMember(names, timeKey?.length ?? -1);
  }

  /** Reads a time that the kernel could not; false when it cannot be read at all. */
  private readTime(block: LineBlock, { call, bytes }: Kernels): boolean {
    const { time, options } = this;
    const [from, to] = [call.timeFrom.value, call.timeTo.value];
    const text = bytes.toString("latin1", from, to);
    time.sec = NONE_READ;
    if (!options.readTime(text, time)) return false;
    // A clock that was never set has no time of its own: the reader knows more of that, and of others of its second.
    const isOwn = !Number.isNaN(time.sec);
    if (!isOwn) Object.assign(time, { sec: block.sec, nsec: block.nsec });
    call.noteTimed(options.keepTime, time.sec, time.nsec);
    const frame = options.frameOf(text);
    if (frame !== undefined && isOwn && time.sec !== 0) {
      call.learnTime(from, text.length, frame.head, frame.tail, time.sec);
    }
    return true;
  }

  private rewrite(
    block: LineBlock,
    { call, bytes }: Kernels,
    i: number,
    from: number,
    to: number,
  ): void {
    const { text, sec, nsec } = rewrite(this.options, block, bytes.toString("utf8", from, to));
    (this.rewritten ??= new Map()).set(i, text);
    call.noteElsewhere(sec, nsec);
  }

  private readLarge(block: LineBlock): JsonLines | undefined {
    this.large ??= new LargeBlockReader(this.options);
    return this.large.read(block);
  }
}

/** Does the same without the kernel, for blocks that do not fit in its memory. */
class LargeBlockReader {
  private readonly options: JsonBlockOptions;
  private readonly scanner: JsonScanner;
  private readonly time = { sec: 0, nsec: 0 };
  private readonly lines = new JsonLinesBuilder();

  constructor(options: JsonBlockOptions) {
    this.options = options;
    this.scanner = new JsonScanner(options.timeKey);
  }

  read(block: LineBlock): JsonLines | undefined {
    const { bytes } = block;
    const { lines } = this;
    lines.clear();
    for (let from = 0; from < bytes.length;) {
      let end = this.scanner.scan(bytes, from, bytes.length);
      if (end === -1 || bytes[end] !== LF || !this.accept(block, from, end)) {
        end = bytes.indexOf(LF, from);
        const body = rewrite(this.options, block, bytes.toString("utf8", from, end));
        lines.addRewritten(body.text, body);
        if (isTooMany(lines.rewrittenCount, lines.count)) return undefined;
      }
      from = end + 1;
    }
    return lines.build(bytes, block.onRecords);
  }

  /** Notes a line that the scanner accepted; false when its time cannot be read. */
  private accept(block: LineBlock, from: number, end: number): boolean {
    const { scanner, time, options, lines } = this;
    const { memberFrom, valueFrom, valueTo } = scanner;
    time.sec = block.sec;
    time.nsec = block.nsec;
    if (memberFrom === -1) {
      lines.add(from, end, time);
      return true;
    }
    const text = block.bytes.toString("latin1", valueFrom + 1, valueTo - 1);
    if (!options.readTime(text, time)) return false;
    if (options.keepTime) {
      lines.add(from, end, time);
      return true;
    }
    const isFirst = memberFrom === from + 1;
    const isLast = block.bytes[valueTo] !== COMMA;
    const cutFrom = isLast && !isFirst ? memberFrom - 1 : memberFrom;
    lines.add(from, end, time, cutFrom, isLast ? valueTo : valueTo + 1);
    return true;
  }
}

function isTooMany(rewritten: number, count: number): boolean {
  return rewritten > FEW_REWRITTEN && rewritten > count * MAX_REWRITTEN;
}

function rewrite(
  { parse }: JsonBlockOptions,
  block: LineBlock,
  line: string,
): { text: string; sec: number; nsec: number } {
  const record = parse(line, block.sec, block.nsec);
  const body = record === null ? block.unparsed(line) : record.body;
  const { sec, nsec } = record ?? block;
  return { text: stringifyJson(body), sec, nsec };
}
