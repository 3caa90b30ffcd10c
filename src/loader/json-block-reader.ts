import { isUtf8 } from "node:buffer";
import { JsonScanner } from "../lib/json-scan.ts";
import { stringifyJson } from "../lib/json-text.ts";
import type { LineBlock, LineParser } from "../sdk/context.ts";
import type { JsonLines } from "../sdk/json-lines.ts";
import { JsonLinesBuilder } from "./json-lines-builder.ts";

const LF = 0x0a;
const COMMA = 0x2c;
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
  private readonly lines = new JsonLinesBuilder();
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
    const { lines } = this;
    lines.clear();
    for (let from = 0; from < bytes.length;) {
      let end = this.scanner.scan(bytes, from, bytes.length);
      if (end === -1 || bytes[end] !== LF || !this.accept(block, from, end)) {
        end = bytes.indexOf(LF, from);
        this.rewrite(block, bytes.toString("utf8", from, end));
        const { rewrittenCount } = lines;
        if (rewrittenCount > 16 && rewrittenCount > lines.count * MAX_REWRITTEN) return this.rest();
      }
      from = end + 1;
    }
    return lines.build(bytes, block.onRecords);
  }

  private rest(): undefined {
    this.resting = REST_BLOCKS;
    return undefined;
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

  private rewrite(block: LineBlock, line: string): void {
    const record = this.options.parse(line, block.sec, block.nsec);
    const body = record === null ? block.unparsed(line) : record.body;
    this.lines.addRewritten(stringifyJson(body), record ?? block);
  }
}
