import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  Batch,
  jsonEncoder,
  type JsonFormat,
  JsonTail,
  type LineParser,
} from "logcollector/plugin";
import json from "../../plugins/parsers/json.ts";
import { compileStrptime } from "../../src/lib/strptime.ts";
import { JsonBlockReader } from "../../src/loader/json-block-reader.ts";
import { createLineParser } from "../../src/loader/line-parser.ts";
import { parserSchema } from "../../src/loader/parser-schema.ts";

const quiet = { warn() {}, error() {}, info() {}, debug() {} };

function parserOf(options: Record<string, unknown>): LineParser {
  const format = json.create({}, { id: "json", log: quiet });
  const all = parserSchema.parse({ name: "json", format: "json", ...options });
  return createLineParser(format, all, { log: quiet, nowSec: () => 1_700_000_000 });
}

const TIMED = { time_key: "time", time_format: "%Y-%m-%dT%H:%M:%S.%LZ" };
const NOW = { sec: 1_700_000_000, nsec: 5000 };
const TAIL = new JsonTail({ node: { name: "ü" }, n: 1 });
const unparsed = (log: string) => ({ log });

function blockOf(parser: LineParser, lines: readonly string[], onRecords = () => {}) {
  const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(""));
  const read = parser.readJson!({ bytes, ...NOW, unparsed, onRecords });
  return read && Batch.ofJson("t", read);
}

function recordsOf(parser: LineParser, lines: readonly string[]): Batch {
  return Batch.of(
    "t",
    lines.map((line) => parser.parse(line, NOW.sec, NOW.nsec) ?? { ...NOW, body: unparsed(line) }),
  );
}

function encoded(batch: Batch, format: JsonFormat, dateKey: string | false): string {
  const parts: string[] = [];
  jsonEncoder({ format, dateKey }).encode(batch, {
    text: (text) => parts.push(text),
    bytes: (bytes) => parts.push(Buffer.from(bytes).toString()),
  });
  return parts.join("");
}

const LINES = [
  '{"time":"2024-01-02T03:04:05.678Z","a":1}',
  '{"a":1,"time":"2024-01-02T03:04:05.678Z"}',
  '{"a":1,"time":"2024-01-02T03:04:05Z","b":2}',
  '{"time":"2024-01-02T03:04:05.678Z"}',
  '{"time":"1970-01-01T00:00:00.000Z","a":1}',
  '{"time":"1970-01-01T00:00:00.5Z","a":1}',
  '{"time":"2023-11-14T22:13:20.5Z","a":1}',
  '{"time":"2023-11-14T22:13:20.25Z","a":1}',
  '{"time":"2024-01-02T03:04:05.6Z","a":1}',
  '{"time":"2024-01-02T03:04:05.123456789Z","a":"x\\ty\\u001f"}',
  '{"a":1,"time":"2024-01-02T03:04:06.678Z"}',
  "{}",
  '{"a":"é","b":{"time":"no"}}',
];
const ODD = [
  '{"time":"yesterday","a":1}',
  '{"time":5,"a":1}',
  '{"time":"2024-01-02T03:04:05.1234567890Z","a":1}',
  '{"time":"2024-01-02T03:04:05.Z","a":1}',
  '{"time":"2024-01-02T03:04:05.67xZ","a":1}',
  '{"time":"2024-01-02T03:04:05.678z","a":1}',
  '{"time":"","a":1}',
  '{"a":12345678901234567890}',
  '{ "a" : "\\u00e9" , "a" : 2 }',
  '{"0":1,"time":"2024-01-02T03:04:05.678Z","date":7}',
  "",
  "no JSON",
  '{"a":1',
];

test.each([
  [{}],
  [TIMED],
  [{ ...TIMED, time_keep: "on" }],
  [{ ...TIMED, time_key: "a" }],
])("records that stay JSON are written as those that were made: %p", (options) => {
  const line = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...LINES) },
    { weight: 1, arbitrary: fc.constantFrom(...ODD) },
    {
      weight: 2,
      arbitrary: fc.dictionary(fc.string({ maxLength: 3 }), fc.jsonValue({ maxDepth: 2 }))
        .map((value) => JSON.stringify(value).toWellFormed()),
    },
  );
  const format = fc.constantFrom<JsonFormat>("json", "json_lines", "json_stream");
  const dateKey = fc.constantFrom<string | false>(false, "date", "a");
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 8 }), format, dateKey, (...args) => {
      const [lines, format, dateKey] = args;
      const parser = parserOf(options);
      const block = blockOf(parser, lines)!;
      expect(block.length).toBe(lines.length);
      const expected = recordsOf(parser, lines);
      expect(encoded(block, format, dateKey)).toBe(encoded(expected, format, dateKey));
      expect(blockOf(parser, lines)!.records).toEqual(expected.records);
      const longer = blockOf(parser, lines)!;
      if (!longer.append(TAIL)) return;
      for (const { body } of expected.records) TAIL.addTo(body);
      expect(encoded(longer, format, dateKey)).toBe(encoded(expected, format, dateKey));
    }),
  );
});

/** More lines than the kernels take at once, and more bytes. */
const MANY = Array.from({ length: 20_000 }, (_, i) => `{"n":${i}}`);

test.each([[{}], [TIMED], [{ ...TIMED, time_keep: "on" }]])(
  "a large block is read as small ones are: %p",
  (options) => {
    const line = fc.oneof(fc.constantFrom(...LINES), fc.constantFrom(...ODD));
    fc.assert(
      fc.property(fc.array(line, { maxLength: 30 }), fc.boolean(), (lines, isWide) => {
        const parser = parserOf(options);
        const more = isWide ? MANY.slice(0, 2).map((each) => each.padEnd(140_000)) : MANY;
        const block = blockOf(parser, [...lines, ...more])!;
        const expected = recordsOf(parser, [...lines, ...more]);
        expect(encoded(block, "json_lines", "date")).toBe(encoded(expected, "json_lines", "date"));
      }),
      { numRuns: 10 },
    );
  },
);

test("of lines of this very second, only the first time has to be read as text", () => {
  const time = compileStrptime(TIMED.time_format, {
    offsetSec: 0,
    strict: true,
    nowSec: () => NOW.sec,
  });
  let read = 0;
  const reader = new JsonBlockReader({
    timeKey: "time",
    keepTime: false,
    readTime(text, out) {
      read++;
      const isRead = time.read(text);
      Object.assign(out, { sec: time.sec, nsec: time.nsec });
      return isRead;
    },
    frameOf: (text) => time.frameOf(text),
    parse: () => null,
  });
  const lines = Array.from({ length: 100 }, (_, i) => `{"time":"2023-11-14T22:13:20.${i}Z"}\n`);
  const bytes = Buffer.from(lines.join(""));
  const { sec, count } = reader.read({ bytes, ...NOW, unparsed, onRecords() {} })!;
  expect(count).toBe(100);
  expect(new Set(sec.subarray(0, count))).toEqual(new Set([NOW.sec]));
  expect(read).toBe(1);
});

test("parsers that take turns do not read each other's times", () => {
  const parsers = ["time", "a", "other"].map((time_key) => parserOf({ ...TIMED, time_key }));
  const order = fc.array(fc.tuple(fc.nat(2), fc.constantFrom(...LINES)), { maxLength: 20 });
  fc.assert(fc.property(order, (turns) => {
    for (const [which, line] of turns) {
      const parser = parsers[which]!;
      expect(blockOf(parser, [line])!.records).toEqual(recordsOf(parser, [line]).records);
    }
  }));
});

test("who asks for the records gets them, and is heard of once", () => {
  let asked = 0;
  const batch = blockOf(parserOf(TIMED), [LINES[0]!, ODD[0]!], () => asked++)!;
  expect(batch.json).toBeDefined();
  expect(asked).toBe(0);
  expect(batch.records).toEqual([
    { sec: 1704164645, nsec: 678_000_000, body: { a: 1 } },
    { ...NOW, body: { time: "yesterday", a: 1 } },
  ]);
  expect(batch.records).toHaveLength(2);
  expect(batch.json).toBeUndefined();
  expect(asked).toBe(1);
});

test("lines that would mostly have to be rewritten are left to be parsed one by one, for a while", () => {
  const parser = parserOf({});
  const spaced = Array.from({ length: 100 }, () => '{"a": 1}');
  expect(blockOf(parser, spaced)).toBeUndefined();
  expect(blockOf(parser, ["{}"])).toBeUndefined();
  let blocks = 2;
  while (blockOf(parser, ["{}"]) === undefined) blocks++;
  expect(blocks).toBeGreaterThan(10);
});

test("what is not valid UTF-8 is left to be parsed", () => {
  const bytes = Buffer.from('{"a":"\xff"}\n', "latin1");
  const block = { bytes, ...NOW, unparsed, onRecords() {} };
  expect(parserOf({}).readJson!(block)).toBeUndefined();
});

test("a batch does not outlive the memory it was read into unless it is detached", () => {
  const parser = parserOf({});
  const kept = blockOf(parser, ['{"a":1}'])!;
  kept.detach();
  expect(kept.expire()).toBe(1);
  expect(kept.records).toEqual([{ ...NOW, body: { a: 1 } }]);
  const late = blockOf(parser, ['{"a":1}'])!;
  expect(late.expire()).toBeLessThan(1);
  expect(() => late.records).toThrow("memory was given back");
  const bytes = Buffer.from("x");
  const raw = Batch.ofLines("t", { key: "log", bytes, count: 1, ...NOW });
  expect(raw.expire()).toBeLessThan(1);
  expect(() => raw.records).toThrow("memory was given back");
});
