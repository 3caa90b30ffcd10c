import { isUtf8 } from "node:buffer";
import { JsonScanner } from "../lib/json-scan.ts";
import { stringifyJson } from "../lib/json-text.ts";
import type { LineBlock, LineParser } from "../sdk/context.ts";
import { type JsonLines, SPAN } from "../sdk/json-lines.ts";

const LF = 0x0a;
const COMMA = 0x2c;
const FIRST_LINES = 512;
/** With more of its lines than this to rewrite, a block is better parsed line by line. */
const MAX_REWRITTEN = 0.25;
/** So many blocks are parsed line by line after one that had too many. */
const REST_BLOCKS = 50;

export interface JsonBlockOptions {
  /** The field that holds the time; `undefined` when the time is not taken from a field. */
  readonly timeKey: string | undefined;
  readonly keepTime: boolean;
  /** Reads a time into `out`; false when it cannot be read. */
  readonly readTime: (text: string, out: { sec: number; nsec: number }) => boolean;
  /** The same parser, for the lines that have to be rewritten. */
  readonly parse: LineParser["parse"];
}

/**
 * Reads blocks of JSON lines without making values of them. A line that is not in the plain form which can
 * be passed on is parsed and written again, so that all lines of a block come out alike.
 */
export class JsonBlockReader {
  private readonly options: JsonBlockOptions;
  private readonly scanner: JsonScanner;
  private readonly time = { sec: 0, nsec: 0 };
  private spans = new Int32Array(FIRST_LINES * SPAN.size);
  private sec = new Float64Array(FIRST_LINES);
  private nsec = new Int32Array(FIRST_LINES);
  private resting = 0;

  constructor(options: JsonBlockOptions) {
    this.options = options;
    this.scanner = new JsonScanner(options.timeKey);
  }

  read(block: LineBlock): JsonLines | undefined {
    if (this.resting > 0) {
      this.resting--;
      return undefined;
    }
    const { bytes } = block;
    if (!isUtf8(bytes)) return undefined;
    const rewritten = new Map<number, string>();
    let count = 0;
    for (let from = 0; from < bytes.length; count++) {
      if (count === this.sec.length) this.grow();
      let end = this.scanner.scan(bytes, from, bytes.length);
      if (end === -1 || bytes[end] !== LF || !this.accept(block, from, end, count)) {
        end = bytes.indexOf(LF, from);
        this.rewrite(block, bytes.toString("utf8", from, end), count, rewritten);
        if (rewritten.size > 16 && rewritten.size > count * MAX_REWRITTEN) return this.rest();
      }
      from = end + 1;
    }
    const { spans, sec, nsec } = this;
    return { count, bytes, spans, sec, nsec, rewritten, onRecords: block.onRecords };
  }

  private rest(): undefined {
    this.resting = REST_BLOCKS;
    return undefined;
  }

  /** Notes a line that the scanner accepted; false when its time cannot be read. */
  private accept(block: LineBlock, from: number, end: number, i: number): boolean {
    const { spans, scanner, time, options } = this;
    const { memberFrom, valueFrom, valueTo } = scanner;
    const span = i * SPAN.size;
    spans[span + SPAN.start] = from;
    spans[span + SPAN.end] = end;
    spans[span + SPAN.cutFrom] = end;
    spans[span + SPAN.cutTo] = end;
    time.sec = block.sec;
    time.nsec = block.nsec;
    if (memberFrom !== -1) {
      const text = block.bytes.toString("latin1", valueFrom + 1, valueTo - 1);
      if (!options.readTime(text, time)) return false;
      if (!options.keepTime) {
        const isFirst = memberFrom === from + 1;
        const isLast = block.bytes[valueTo] !== COMMA;
        spans[span + SPAN.cutFrom] = isLast && !isFirst ? memberFrom - 1 : memberFrom;
        spans[span + SPAN.cutTo] = isLast ? valueTo : valueTo + 1;
      }
    }
    this.sec[i] = time.sec;
    this.nsec[i] = time.nsec;
    return true;
  }

  private rewrite(
    block: LineBlock,
    line: string,
    i: number,
    rewritten: Map<number, string>,
  ): void {
    const record = this.options.parse(line, block.sec, block.nsec);
    rewritten.set(i, stringifyJson(record === null ? block.unparsed(line) : record.body));
    this.sec[i] = record?.sec ?? block.sec;
    this.nsec[i] = record?.nsec ?? block.nsec;
  }

  private grow(): void {
    this.spans = doubled(this.spans, Int32Array);
    this.sec = doubled(this.sec, Float64Array);
    this.nsec = doubled(this.nsec, Int32Array);
  }
}

function doubled<A extends Int32Array | Float64Array>(
  array: A,
  Kind: { new (length: number): A },
): A {
  const next = new Kind(array.length * 2);
  next.set(array);
  return next;
}
