// Lines of JSON of all kinds, as a batch that still is bytes and as one that was made records.
import fc from "fast-check";
import { Batch, type Body, type LogRecord } from "logcollector/plugin";
import json from "../../plugins/parsers/json.ts";
import { createLineParser } from "../../src/loader/line-parser.ts";
import { parserSchema } from "../../src/loader/parser-schema.ts";

export const NOW = { sec: 1_700_000_000, nsec: 5000 };
const quiet = { warn() {}, error() {}, info() {}, debug() {} };
const parser = createLineParser(
  json.create({}, { id: "json", log: quiet }),
  parserSchema.parse({
    name: "json",
    format: "json",
    time_key: "time",
    time_format: "%Y-%m-%dT%H:%M:%S.%LZ",
  }),
  { log: quiet, nowSec: () => NOW.sec },
);

const NAMES = ["a", "ab", "abc", "b", "b_1", "B_2", 'q"', "é", "time", "none", "1", "__proto__"];
export const name = fc.oneof(
  { weight: 20, arbitrary: fc.constantFrom(...NAMES.slice(0, 10)) },
  { weight: 1, arbitrary: fc.constantFrom(...NAMES) },
);
export const prefix = fc.constantFrom("a", "ab", "b_", "é", 'q"', "x", "1", "__");
export const text = fc.oneof(
  fc.constantFrom("", "no", "true", "error: 5", 'a "quote"', "é", "line\nfeed", "\u0001", "😀"),
  fc.string({ maxLength: 40 }).map((value) => value.toWellFormed()),
);
const value = fc.oneof(
  { weight: 6, arbitrary: text },
  { weight: 2, arbitrary: fc.constantFrom(0, 1, -1.5, 12345678901, true, false, null) },
  {
    weight: 1,
    arbitrary: fc.array(fc.oneof(text, fc.constant({ a: ["]", "}"] })), { maxLength: 3 }),
  },
  {
    weight: 3,
    arbitrary: fc.dictionary(name, fc.oneof(text, fc.constant({ a: "}" })), { maxKeys: 3 }),
  },
);
const TIMES = ["2024-01-02T03:04:05.678Z", "2024-01-02T03:04:06Z", "never"];
export const line = fc.tuple(
  fc.dictionary(name, value, { maxKeys: 8 }),
  fc.option(fc.constantFrom(...TIMES)),
  fc.boolean(),
  fc.integer({ min: 0, max: 20 }),
).map(([fields, time, comesFirst, spaced]) => {
  const body = time === null ? fields : comesFirst ? { time, ...fields } : { ...fields, time };
  // What is not in the shortest form has to be written again.
  return spaced === 0
    ? JSON.stringify(body, undefined, " ").replaceAll("\n", "")
    : JSON.stringify(body);
});

const unparsed = (log: string): Body => ({ log });

export function jsonBatch(lines: readonly string[]): Batch {
  const bytes = Buffer.from(lines.map((each) => `${each}\n`).join(""));
  return Batch.ofJson("t", parser.readJson!({ bytes, ...NOW, unparsed, onRecords() {} })!);
}

export function recordsBatch(lines: readonly string[]): Batch {
  const records = lines.map((each): LogRecord =>
    parser.parse(each, NOW.sec, NOW.nsec) ?? { ...NOW, body: unparsed(each) }
  );
  return Batch.of("t", records);
}
