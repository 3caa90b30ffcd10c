import type {
  LineBlock,
  LineJoiner,
  LineJoinerFactory,
  LineJoinerOptions,
} from "../../sdk/context.ts";
import type { JsonLines } from "../../sdk/json-lines.ts";
import type { LogRecord } from "../../sdk/record.ts";
import type { MultilineDefinition } from "./definition.ts";
import { emit, type FedLine, Group, type JoinedShape } from "./group.ts";
import { StreamParser } from "./stream-parser.ts";

/** Joiners that try several multiline parsers on each line: first the one that took the line before. */
export function joinerFactory(
  definitions: readonly MultilineDefinition[],
  maxLength: number,
): LineJoinerFactory {
  return { create: (options) => new StreamJoiner(definitions, options, maxLength) };
}

class StreamJoiner implements LineJoiner {
  readonly flushTimeoutMs: number;
  private readonly parsers: readonly StreamParser[];
  private readonly shape: JoinedShape;
  private lastUsed: StreamParser;
  private readonly line: FedLine = {
    content: "",
    body: undefined,
    sec: 0,
    nsec: 0,
    metadata: undefined,
    position: 0,
  };

  constructor(
    definitions: readonly MultilineDefinition[],
    options: LineJoinerOptions,
    maxLength: number,
  ) {
    const { key, extra, positionKey, onTruncated } = options;
    this.shape = { key, extra, positionKey, onTruncated, maxLength };
    this.parsers = definitions.map((each) =>
      new StreamParser(each, this.shape, options.keyContent)
    );
    this.lastUsed = this.parsers[0]!;
    this.flushTimeoutMs = Math.max(...definitions.map((each) => each.flushTimeoutMs));
  }

  feed(text: string, sec: number, nsec: number, position: number, out: LogRecord[]): void {
    const { line } = this;
    line.sec = sec;
    line.nsec = nsec;
    line.position = position;
    line.metadata = undefined;
    if (this.lastUsed.takeText(line, text, out)) return;
    for (const parser of this.parsers) {
      if (parser === this.lastUsed || !parser.takeText(line, text, out)) continue;
      this.lastUsed = parser;
      return;
    }
    this.flush(out);
    this.emitAlone(text, out);
  }

  readJson(block: LineBlock, position: number): JsonLines | undefined {
    const { extra, positionKey, maxLength } = this.shape;
    const { definition, keyContent } = this.lastUsed;
    if (definition.blocks === undefined || keyContent !== definition.keyContent) return undefined;
    if (extra !== undefined || positionKey !== undefined) return undefined;
    if (this.pendingPosition !== -1) return undefined;
    const read = definition.blocks.read(block, maxLength);
    if (read === undefined) return undefined;
    for (const stream of read.streams) this.lastUsed.touch(stream);
    const { bytes, sec, nsec } = block;
    for (const { from, to } of read.unfinished) {
      this.feed(bytes.toString("utf8", from, to), sec, nsec, position + from, []);
    }
    return read.json;
  }

  feedRecord(record: LogRecord, position: number, out: LogRecord[]): void {
    const { line } = this;
    line.sec = record.sec;
    line.nsec = record.nsec;
    line.position = position;
    line.metadata = record.metadata;
    if (this.lastUsed.takeRecord(line, record, out)) return;
    for (const parser of this.parsers) {
      if (parser === this.lastUsed || !parser.takeRecord(line, record, out)) continue;
      this.lastUsed = parser;
      return;
    }
    this.flush(out);
    emit(out, record.body, record.sec, record.nsec, record.metadata, position, this.shape);
  }

  /** A line that belongs to no record is one of its own. */
  private emitAlone(text: string, out: LogRecord[]): void {
    const { line } = this;
    line.body = undefined;
    const alone = new Group(this.shape, this.parsers[0]!.keyContent);
    alone.open(line);
    alone.append(text);
    alone.flush(out);
  }

  flush(out: LogRecord[]): void {
    for (const parser of this.parsers) parser.flush(out);
  }

  moveTo(position: number): void {
    for (const parser of this.parsers) parser.moveTo(position);
  }

  get pendingPosition(): number {
    let first = -1;
    for (const { pendingPosition } of this.parsers) {
      if (pendingPosition !== -1 && (first === -1 || pendingPosition < first)) {
        first = pendingPosition;
      }
    }
    return first;
  }
}
