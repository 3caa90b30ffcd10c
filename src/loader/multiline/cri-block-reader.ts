import { isUtf8 } from "node:buffer";
import { isAt, putBytes } from "../../lib/byte-runs.ts";
import { type EscapeCursor, LONGEST_ESCAPE, writeEscapedLine } from "../../lib/quoted-bytes.ts";
import { type Kernels, kernels, MAX_PARTS, PART_WORDS } from "../../lib/kernels.ts";
import { stringifyJson } from "../../lib/json-text.ts";
import { Scratch } from "../../lib/scratch.ts";
import type { TimeReader } from "../../lib/strptime.ts";
import type { LineBlock } from "../../sdk/context.ts";
import type { JsonLines } from "../../sdk/json-lines.ts";
import type { LogRecord } from "../../sdk/record.ts";
import { JsonLinesBuilder } from "../json-lines-builder.ts";
import { criTimeReader } from "./cri-parser.ts";

const LF = 0x0a;
const SPACE = 0x20;
const FULL = 0x46;
const PARTIAL = 0x50;
const STDOUT = Buffer.from(" stdout ");
const STDERR = Buffer.from(" stderr ");

/** Why the kernel came back: see src/kernels/json-lines.ts. */
const DONE = 0;
const UNKNOWN_TIME = 2;
const TOO_MANY = 3;
/** The most bytes of JSON that a byte of a line becomes. */
const MOST_OF_BYTE = 8;
const NONE: ReadonlyMap<number, string> = new Map();

const TIME = Buffer.from('{"time":"');
const END = Buffer.from('"}');
const afterTime = (part: string) =>
  ["stderr", "stdout"].map((stream) =>
    Buffer.from(`","stream":"${stream}","_p":"${part}","log":"`)
  );
const AFTER_TIME = { full: afterTime("F"), part: afterTime("P") };

/** What can be in a time, and stands for itself in JSON: digits, letters and `+-.:`. */
const IN_TIME = new Uint8Array(256);
for (const letter of "0123456789TZtz+-.:") IN_TIME[letter.charCodeAt(0)] = 1;

/** A line that is not the whole of its record: `TIME STREAM P|F CONTENT`. */
interface Part {
  readonly from: number;
  readonly timeTo: number;
  readonly contentFrom: number;
  readonly to: number;
}

export interface ReadCriBlock {
  readonly json: JsonLines;
  /** The streams that the lines are of, in the order of their first lines. */
  readonly streams: readonly string[];
  /** The lines of records that go on after the block. */
  readonly unfinished: readonly { readonly from: number; readonly to: number }[];
}

/**
 * Reads blocks of CRI lines from bytes to JSON. It does what the parser and the joiner do line by line, for
 * blocks in which every line has the usual form, and that start with no record open.
 */
export class CriBlockReader {
  private readonly time: TimeReader;
  private readonly scratch = new Scratch();
  private readonly lines = new JsonLinesBuilder();
  private readonly cursor: EscapeCursor = { from: 0, at: 0 };

  constructor(nowSec: () => number) {
    this.time = criTimeReader(nowSec);
  }

  /** @param before records that come in front of those of the block */
  read(
    block: LineBlock,
    maxLength: number,
    before: readonly LogRecord[],
  ): ReadCriBlock | undefined {
    const { bytes } = block;
    // Together they could not be too long in any stream.
    if (bytes.length > maxLength || !isUtf8(bytes)) return undefined;
    const kernel = kernels();
    const fits = bytes.length <= kernel.maxBlock &&
      bytes.length * MOST_OF_BYTE <= kernel.maxMade && before.length < kernel.sec.length;
    return fits ? this.scan(block, kernel, before) : this.readLarge(block, before);
  }

  private scan(
    block: LineBlock,
    kernel: Kernels,
    before: readonly LogRecord[],
  ): ReadCriBlock | undefined {
    const { call } = kernel;
    kernel.use(block.bytes);
    if (!kernel.isStill(this)) call.forgetTime();
    call.startCri(kernel.block);
    for (const { sec, nsec } of before) call.noteElsewhere(sec, nsec);
    const to = kernel.block + block.bytes.length;
    let reason = call.readCri(to);
    for (; reason === UNKNOWN_TIME; reason = call.readCri(to)) this.tellTime(block, kernel);
    if (reason === TOO_MANY) return this.readLarge(block, before);
    if (reason !== DONE) return undefined;
    const { spans, sec, nsec, made } = kernel;
    return {
      json: {
        count: call.count.value,
        bytes: kernel.bytes.subarray(made, call.madeTo.value),
        spans,
        sec,
        nsec,
        rewritten: before.length === 0
          ? NONE
          : new Map(before.map(({ body }, i) => [i, stringifyJson(body)])),
        onRecords: block.onRecords,
      },
      streams: streamsOf(call.firstStream.value, call.hasBoth.value !== 0),
      unfinished: unfinished(kernel),
    };
  }

  private tellTime(block: LineBlock, { call, bytes }: Kernels): void {
    const from = call.criTimeFrom.value;
    const text = bytes.toString("latin1", from, call.criTimeTo.value);
    const { sec, nsec } = this.time.read(text) ? this.time : block;
    call.tellTime(sec, nsec);
    const frame = this.time.frameOf(text);
    if (frame !== undefined) call.learnTime(from, text.length, frame.head, frame.tail, sec);
  }

  /** Does the same without the kernel, for blocks that do not fit in its memory. */
  private readLarge(
    block: LineBlock,
    before: readonly LogRecord[],
  ): ReadCriBlock | undefined {
    const { bytes } = block;
    const out = this.scratch.room(bytes.length * LONGEST_ESCAPE);
    const { cursor } = this;
    const open: readonly [stderr: Part[], stdout: Part[]] = [[], []];
    this.lines.clear();
    for (const record of before) this.lines.addRewritten(stringifyJson(record.body), record);
    cursor.at = 0;
    const streams: string[] = [];
    for (let from = 0; from < bytes.length; from = cursor.from + 1) {
      const timeTo = endOfTime(bytes, from);
      const isOut = isAt(bytes, timeTo, STDOUT);
      if (timeTo === from || (!isOut && !isAt(bytes, timeTo, STDERR))) return undefined;
      const partAt = timeTo + STDOUT.length;
      const part = bytes[partAt];
      if ((part !== FULL && part !== PARTIAL) || bytes[partAt + 1] !== SPACE) return undefined;
      const parts = open[+isOut]!;
      if (streams.length < 2) noteStream(streams, isOut ? "stdout" : "stderr");
      const contentFrom = partAt + 2;
      if (part === FULL && parts.length === 0) {
        const start = cursor.at;
        this.head(bytes, from, timeTo, AFTER_TIME.full[+isOut]!, out);
        cursor.from = contentFrom;
        writeEscapedLine(bytes, cursor, out);
        this.end(block, from, timeTo, start, out);
        continue;
      }
      const to = bytes.indexOf(LF, contentFrom);
      parts.push({ from, timeTo, contentFrom, to });
      if (part === FULL) this.join(block, parts.splice(0), AFTER_TIME.part[+isOut]!, out);
      cursor.from = to;
    }
    const unfinished = [...open[0], ...open[1]].sort((a, b) => a.from - b.from);
    const json = this.lines.build(out.subarray(0, cursor.at), block.onRecords);
    return { json, streams, unfinished };
  }

  /** The fields of the first part, and the content of all. */
  private join(block: LineBlock, parts: readonly Part[], afterTime: Buffer, out: Buffer): void {
    const { cursor } = this;
    const start = cursor.at;
    const { from, timeTo } = parts[0]!;
    this.head(block.bytes, from, timeTo, afterTime, out);
    for (const { contentFrom } of parts) {
      cursor.from = contentFrom;
      writeEscapedLine(block.bytes, cursor, out);
    }
    this.end(block, from, timeTo, start, out);
  }

  private head(bytes: Buffer, from: number, timeTo: number, afterTime: Buffer, out: Buffer): void {
    let at = putBytes(TIME, out, this.cursor.at);
    for (let i = from; i < timeTo; i++) out[at++] = bytes[i]!;
    this.cursor.at = putBytes(afterTime, out, at);
  }

  private end(block: LineBlock, from: number, timeTo: number, start: number, out: Buffer): void {
    const { cursor, time } = this;
    cursor.at = putBytes(END, out, cursor.at);
    const known = time.read(block.bytes.toString("latin1", from, timeTo));
    this.lines.add(start, cursor.at, known ? time : block);
  }
}

function streamsOf(first: number, both: boolean): readonly string[] {
  if (first === -1) return [];
  const streams = first === 1 ? ["stdout", "stderr"] : ["stderr", "stdout"];
  return both ? streams : streams.slice(0, 1);
}

/** The lines of records that go on after the block, in their order. */
function unfinished({ call, parts, block }: Kernels): ReadCriBlock["unfinished"] {
  const lines: { from: number; to: number }[] = [];
  [call.openErr.value, call.openOut.value].forEach((count, stream) => {
    for (let i = 0; i < count; i++) {
      const part = (stream * MAX_PARTS + i) * PART_WORDS;
      lines.push({ from: parts[part]! - block, to: parts[part + 3]! - block });
    }
  });
  return lines.sort((a, b) => a.from - b.from);
}

function noteStream(streams: string[], name: string): void {
  if (!streams.includes(name)) streams.push(name);
}

function endOfTime(bytes: Buffer, from: number): number {
  let i = from;
  while (IN_TIME[bytes[i]!] === 1) i++;
  return i;
}
