import { isUtf8 } from "node:buffer";
import { stringifyJson } from "../../lib/json-text.ts";
import type {
  LineBlock,
  LineJoiner,
  LineJoinerFactory,
  LineJoinerOptions,
} from "../../sdk/context.ts";
import type { JsonLines } from "../../sdk/json-lines.ts";
import type { LogRecord } from "../../sdk/record.ts";
import { JsonLinesBuilder } from "../json-lines-builder.ts";
import type { CriBlockReader } from "./cri-block-reader.ts";
import type { MultilineDefinition } from "./definition.ts";
import { emit, type FedLine, Group, type JoinedShape } from "./group.ts";
import { StreamParser } from "./stream-parser.ts";

const LF = 0x0a;

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
    const { blocks } = definition;
    if (blocks === undefined || keyContent !== definition.keyContent) return undefined;
    if (extra !== undefined || positionKey !== undefined) return undefined;
    if (this.pendingPosition === -1) return this.readBlock(blocks, block, position, maxLength, []);
    if (!isUtf8(block.bytes)) return undefined;
    // The record that is open ends somewhere in here; what comes behind it can be read at once.
    const joined: LogRecord[] = [];
    const from = this.feedLines(block, position, 0, joined, () => this.pendingPosition === -1);
    const rest = { ...block, bytes: block.bytes.subarray(from) };
    const read = this.lastUsed.definition.blocks === blocks && from < block.bytes.length
      ? this.readBlock(blocks, rest, position + from, maxLength, joined)
      : undefined;
    if (read !== undefined) return read;
    this.feedLines(block, position, from, joined, () => false);
    return elsewhere(joined, block);
  }

  private readBlock(
    blocks: CriBlockReader,
    block: LineBlock,
    position: number,
    maxLength: number,
    before: readonly LogRecord[],
  ): JsonLines | undefined {
    const read = blocks.read(block, maxLength, before);
    if (read === undefined) return undefined;
    for (const stream of read.streams) this.lastUsed.touch(stream);
    const { bytes, sec, nsec } = block;
    for (const { from, to } of read.unfinished) {
      this.feed(bytes.toString("utf8", from, to), sec, nsec, position + from, []);
    }
    return read.json;
  }

  /** Feeds lines of a block one by one, up to its end or until that is enough. Returns where the next one starts. */
  private feedLines(
    { bytes, sec, nsec }: LineBlock,
    position: number,
    from: number,
    out: LogRecord[],
    isEnough: () => boolean,
  ): number {
    while (from < bytes.length && !isEnough()) {
      const to = bytes.indexOf(LF, from);
      this.feed(bytes.toString("utf8", from, to), sec, nsec, position + from, out);
      from = to + 1;
    }
    return from;
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

/** Records that are not in the block, as JSON. */
function elsewhere(records: readonly LogRecord[], block: LineBlock): JsonLines {
  const lines = new JsonLinesBuilder();
  for (const record of records) lines.addRewritten(stringifyJson(record.body), record);
  return lines.build(block.bytes, block.onRecords);
}
