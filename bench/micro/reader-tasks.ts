import { compilePattern } from "../../src/lib/pattern.ts";
import { JsonScanner } from "../../src/lib/json-scan.ts";
import { compileStrptime } from "../../src/lib/strptime.ts";
import { ParserRegistry } from "../../src/loader/parser-registry.ts";
import { Batch } from "../../src/sdk/batch.ts";
import type { LineParser } from "../../src/sdk/context.ts";
import type { LogRecord } from "../../src/sdk/record.ts";
import type { Task } from "./harness.ts";
import {
  APACHE_REGEX,
  apacheParser,
  blockOf,
  type InputBlock,
  jsonParser,
  lineBlock,
  NOW,
  TIME_FORMAT,
} from "./input.ts";

/** What makes records, or JSON, of lines. */
export function readerTasks(): Task[] {
  return [scanning(), objects(), expressions(), cri(), ...times()];
}

/** The second that the lines are of, as when they are read while they are written. */
const FIRST = { sec: 1_767_600_000, nsec: 0 };

const sizeOf = ({ lines, bytes }: InputBlock) => ({ bytes: bytes.length, records: lines.length });

function scanning(): Task {
  const block = blockOf("json");
  const parser = jsonParser();
  const live = jsonParser();
  const scanner = new JsonScanner("time");
  return {
    name: "read JSON with a time",
    ...sizeOf(block),
    contestants: [
      { name: "readJson (kernel)", run: () => parser.readJson!(lineBlock(block))!.count },
      {
        name: "readJson of lines of this second",
        run: () => live.readJson!({ ...lineBlock(block), ...FIRST })!.count,
      },
      { name: "JsonScanner, without the time", run: () => scan(scanner, block.bytes) },
      { name: "parse per line", run: () => parseLines(parser, block) },
    ],
  };
}

function scan(scanner: JsonScanner, bytes: Buffer): number {
  let count = 0;
  for (let at = 0; at < bytes.length; at = scanner.scan(bytes, at, bytes.length) + 1) count++;
  return count;
}

function parseLines(parser: LineParser, { bytes }: InputBlock): number {
  let count = 0;
  for (const line of bytes.toString("utf8", 0, bytes.length - 1).split("\n")) {
    if (parser.parse(line, NOW.sec, NOW.nsec) !== null) count++;
  }
  return count;
}

/** With everything from the bytes of the lines on. */
function objects(): Task {
  const block = blockOf("json");
  const { bytes } = block;
  const parser = jsonParser();
  const text = () => bytes.toString("utf8", 0, bytes.length - 1);
  return {
    name: "objects of JSON lines",
    ...sizeOf(block),
    contestants: [
      {
        name: "readJson and Batch.records, with the time",
        run: () => Batch.ofJson("t", parser.readJson!(lineBlock(block))!).records.length,
      },
      { name: "Bun.JSONL.parse of text", run: () => Bun.JSONL.parse(text()).length },
      { name: "Bun.JSONL.parse of bytes", run: () => Bun.JSONL.parse(bytes).length },
      {
        name: "JSON.parse per line",
        run: () => text().split("\n").map((line) => JSON.parse(line) as unknown).length,
      },
      {
        name: "JSON.parse of an array",
        run: () => (JSON.parse(`[${text().replaceAll("\n", ",")}]`) as unknown[]).length,
      },
    ],
  };
}

function expressions(): Task {
  const block = blockOf("apache");
  const parser = apacheParser();
  const pattern = compilePattern(APACHE_REGEX);
  return {
    name: "Apache's format by a regular expression",
    ...sizeOf(block),
    contestants: [
      { name: "readJson (kernel)", run: () => parser.readJson!(lineBlock(block))!.count },
      { name: "parse per line", run: () => parseLines(parser, block) },
      {
        name: "the expression alone, per line",
        run: () => {
          let count = 0;
          const text = block.bytes.toString("utf8", 0, block.bytes.length - 1);
          for (const line of text.split("\n")) if (pattern.test(line)) count++;
          return count;
        },
      },
    ],
  };
}

function cri(): Task {
  const block = blockOf("cri");
  const registry = new ParserRegistry({
    log: { warn() {}, error() {}, info() {}, debug() {} },
    parsers: [],
    nowSec: () => NOW.sec,
  });
  const multiline = registry.multiline(["cri"]);
  return {
    name: "CRI lines, joined",
    ...sizeOf(block),
    contestants: [
      {
        name: "readJson (kernel)",
        run: () => multiline.create({ key: "log" }).readJson!(lineBlock(block), 0)!.count,
      },
      {
        name: "feed per line",
        run: () => {
          const joiner = multiline.create({ key: "log" });
          const records: LogRecord[] = [];
          const text = block.bytes.toString("utf8", 0, block.bytes.length - 1);
          for (const line of text.split("\n")) joiner.feed(line, NOW.sec, NOW.nsec, 0, records);
          return records.length;
        },
      },
    ],
  };
}

const TIMES = 1000;

/** A thousand times each, within a few seconds or all of different seconds. */
function times(): Task[] {
  return [["near", 7], ["far", 86_400_007]].map(([name, stepMs]) => {
    const texts = Array.from(
      { length: TIMES },
      (_, i) => new Date(NOW.sec * 1000 + i * (stepMs as number)).toISOString(),
    );
    const reader = compileStrptime(TIME_FORMAT, { nowSec: () => NOW.sec });
    return {
      name: `${name} times`,
      bytes: texts.reduce((sum, text) => sum + text.length, 0),
      records: TIMES,
      contestants: [
        {
          name: "compileStrptime",
          run: () => texts.reduce((sum, text) => sum + (reader.read(text) ? reader.sec : 0), 0),
        },
        {
          name: "Date.parse",
          run: () => texts.reduce((sum, text) => sum + Math.floor(Date.parse(text) / 1000), 0),
        },
      ],
    };
  });
}
