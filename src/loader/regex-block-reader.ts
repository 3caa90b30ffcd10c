import { isUtf8 } from "node:buffer";
import { stringifyJson } from "../lib/json-text.ts";
import { type Kernels, kernels } from "../lib/kernels.ts";
import { compileLineProgram, type LineProgram } from "../lib/line-program.ts";
import type { TimeFrame } from "../lib/strptime.ts";
import type { LineBlock, LineParser } from "../sdk/context.ts";
import type { JsonLines } from "../sdk/json-lines.ts";

const LF = 0x0a;
/** With more of its lines than this to rewrite, a block is better parsed line by line. */
const MAX_REWRITTEN = 0.25;
const FEW_REWRITTEN = 16;
/** So many blocks are parsed line by line after one that had too many. */
const REST_BLOCKS = 50;

/** Why the kernel came back: see src/kernels/json-lines.ts. */
const DONE = 0;
const ODD_LINE = 1;
const UNKNOWN_TIME = 2;

/** Types of fields that the kernel knows; 0 is text. */
const TYPES: Readonly<Record<string, number>> = { integer: 1, float: 2, bool: 3 };
const FIELD_WORDS = 4;

/** In place of the second of a time that was not set. */
const NONE_READ = NaN;

const NONE: ReadonlyMap<number, string> = new Map();

export interface RegexBlockOptions {
  /** The expression whose named groups are the fields; those that are empty are left out. */
  readonly source: string;
  /** The names of its captures, in order, as its other engine has them. */
  readonly names: readonly string[];
  /** The type of each field that has one. */
  readonly types: ReadonlyMap<string, string>;
  /** The field that holds the time; `undefined` when the time is not taken from a field. */
  readonly timeKey: string | undefined;
  readonly keepTime: boolean;
  /** Reads a time into `out`; false when it cannot be read. */
  readonly readTime: (text: string, out: { sec: number; nsec: number }) => boolean;
  /** What the time that was read last has in common with others of its second. */
  readonly frameOf: (text: string) => TimeFrame | undefined;
  /** The same parser, for the lines that have to be parsed and written. */
  readonly parse: LineParser["parse"];
}

/** What is put into the kernel's memory for an expression. */
interface Prepared {
  readonly program: LineProgram;
  /** Fields, and behind them their names as JSON with a colon. */
  readonly fields: Buffer;
  readonly count: number;
  readonly namesBytes: number;
  readonly timeSlot: number;
}

/**
 * Reads blocks of lines that a regular expression takes apart, from bytes to JSON. Returns `undefined` for an expression
 * that the kernel cannot match, or fields that it cannot write.
 */
export function regexBlockReader(options: RegexBlockOptions): RegexBlockReader | undefined {
  const { names, types } = options;
  const program = compileLineProgram(options.source);
  if (program === undefined || program.names.join("\n") !== names.join("\n")) return undefined;
  const isPlain = new Set(names).size === names.length &&
    // Names that look like numbers come first in an object.
    names.every((name) => /^[^\d]/.test(name) && name !== "__proto__") &&
    [...types.values()].every((type) => TYPES[type] !== undefined);
  const prepared = isPlain ? prepare(program, options) : undefined;
  if (prepared === undefined || !kernels().fits(program, prepared.fields)) return undefined;
  return new RegexBlockReader(options, prepared);
}

function prepare(program: LineProgram, { names, types, timeKey }: RegexBlockOptions): Prepared {
  const texts = names.map((name) => Buffer.from(`${JSON.stringify(name)}:`));
  const words = new Int32Array(names.length * FIELD_WORDS);
  let at = words.byteLength;
  texts.forEach((text, i) => {
    words.set([i * 2, TYPES[types.get(names[i]!) ?? ""] ?? 0, at, text.length], i * FIELD_WORDS);
    at += text.length;
  });
  const timeAt = timeKey === undefined ? -1 : names.indexOf(timeKey);
  return {
    program,
    fields: Buffer.concat([Buffer.from(words.buffer), ...texts]),
    count: names.length,
    // With a comma, two quotes, and the braces.
    namesBytes: texts.reduce((sum, text) => sum + text.length + 3, 2),
    timeSlot: timeAt === -1 ? -1 : timeAt * 2,
  };
}

export class RegexBlockReader {
  private readonly options: RegexBlockOptions;
  private readonly prepared: Prepared;
  private readonly time = { sec: 0, nsec: 0 };
  private rewritten: Map<number, string> | undefined;
  private resting = 0;

  constructor(options: RegexBlockOptions, prepared: Prepared) {
    this.options = options;
    this.prepared = prepared;
  }

  read(block: LineBlock): JsonLines | undefined {
    if (this.resting > 0) {
      this.resting--;
      return undefined;
    }
    const kernel = kernels();
    if (block.bytes.length > kernel.maxBlock || !isUtf8(block.bytes)) return undefined;
    const lines = this.scan(block, kernel);
    if (lines === undefined) this.resting = REST_BLOCKS;
    return lines;
  }

  private scan(block: LineBlock, kernel: Kernels): JsonLines | undefined {
    const { call } = kernel;
    const to = kernel.block + block.bytes.length;
    kernel.use(block.bytes);
    const isStill = kernel.isStill(this);
    if (!isStill || !kernel.hasLoaded(this.prepared.program)) this.introduce(kernel);
    this.rewritten = undefined;
    call.startRegex(kernel.block);
    for (;;) {
      const reason = call.readRegex(to, block.sec, block.nsec);
      if (reason === DONE) break;
      if (reason !== ODD_LINE && reason !== UNKNOWN_TIME) return undefined;
      if (reason === UNKNOWN_TIME && this.tellTime(block, kernel)) continue;
      this.rewrite(block, kernel);
      const { size } = this.rewritten!;
      if (size > FEW_REWRITTEN && size > call.count.value * MAX_REWRITTEN) return undefined;
    }
    const { spans, sec, nsec, made } = kernel;
    return {
      count: call.count.value,
      bytes: kernel.bytes.subarray(made, call.regexTo.value),
      spans,
      sec,
      nsec,
      rewritten: this.rewritten ?? NONE,
      onRecords: block.onRecords,
    };
  }

  private introduce(kernel: Kernels): void {
    const { program, fields, count, namesBytes, timeSlot } = this.prepared;
    kernel.loadProgram(program, fields);
    kernel.call.useRegex(
      program.slots,
      program.isAnchored,
      program.onlyAscii,
      count,
      namesBytes,
      timeSlot,
      this.options.keepTime,
    );
    kernel.call.forgetTime();
  }

  /** Reads a time that the kernel could not; false when it cannot be read at all. */
  private tellTime(block: LineBlock, { call, bytes }: Kernels): boolean {
    const { time, options } = this;
    const from = call.regexTimeFrom.value;
    const text = bytes.toString("utf8", from, call.regexTimeTo.value);
    time.sec = NONE_READ;
    if (!options.readTime(text, time)) return false;
    // A clock that was never set has no time of its own: the reader knows more of that, and of others of its second.
    const isOwn = !Number.isNaN(time.sec);
    if (!isOwn) Object.assign(time, { sec: block.sec, nsec: block.nsec });
    call.tellRegexTime(time.sec, time.nsec);
    const frame = options.frameOf(text);
    if (frame !== undefined && isOwn && time.sec !== 0) {
      call.learnTime(from, text.length, frame.head, frame.tail, time.sec);
    }
    return true;
  }

  /** Parses the line that the kernel came back for, and writes it again. */
  private rewrite(block: LineBlock, { call, bytes }: Kernels): void {
    const from = call.lineFrom.value;
    const to = bytes.indexOf(LF, from);
    const line = bytes.toString("utf8", from, to);
    const record = this.options.parse(line, block.sec, block.nsec);
    const body = record === null ? block.unparsed(line) : record.body;
    const { sec, nsec } = record ?? block;
    (this.rewritten ??= new Map()).set(call.count.value, stringifyJson(body));
    call.noteElsewhere(sec, nsec);
    call.skipLine(to + 1);
  }
}
