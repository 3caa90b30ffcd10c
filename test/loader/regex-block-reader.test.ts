import { expect, test } from "bun:test";
import fc from "fast-check";
import { Batch, jsonEncoder, type LineParser } from "logcollector/plugin";
import regex from "../../plugins/parsers/regex.ts";
import { createLineParser } from "../../src/loader/line-parser.ts";
import { parserSchema } from "../../src/loader/parser-schema.ts";

/** `RUNS=100000` tries more expressions. */
const RUNS = Number(process.env.RUNS ?? 3000);
const quiet = { warn() {}, error() {}, info() {}, debug() {} };
const NOW = { sec: 1_700_000_000, nsec: 5000 };
const unparsed = (log: string) => ({ log });

function parserOf(source: string, options: Record<string, unknown> = {}): LineParser {
  const format = regex.create(regex.config.parse({ regex: source }), { id: "regex", log: quiet });
  const all = parserSchema.parse({ name: "regex", format: "regex", regex: source, ...options });
  return createLineParser(format, all, { log: quiet, nowSec: () => NOW.sec });
}

function blockOf(parser: LineParser, lines: readonly string[]): Batch | undefined {
  const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(""));
  const read = parser.readJson!({ bytes, ...NOW, unparsed, onRecords() {} });
  return read && Batch.ofJson("t", read);
}

function recordsOf(parser: LineParser, lines: readonly string[]): Batch {
  return Batch.of(
    "t",
    lines.map((line) => parser.parse(line, NOW.sec, NOW.nsec) ?? { ...NOW, body: unparsed(line) }),
  );
}

function encoded(batch: Batch): string {
  const parts: string[] = [];
  jsonEncoder({ format: "json_lines", dateKey: "date" }).encode(batch, {
    text: (text) => parts.push(text),
    bytes: (bytes) => parts.push(Buffer.from(bytes).toString()),
  });
  return parts.join("");
}

/** The lines, read at once and one by one; false when they were not read at once. */
function readAlike(parser: LineParser, lines: readonly string[]): boolean {
  const block = blockOf(parser, lines);
  if (block === undefined) return false;
  expect(encoded(block)).toBe(encoded(recordsOf(parser, lines)));
  return true;
}

const APACHE =
  '^(?<host>[^ ]*) [^ ]* (?<user>[^ ]*) \\[(?<time>[^\\]]*)\\] "(?<method>\\S+)(?: +(?<path>[^ ]*) +\\S*)?" (?<code>[^ ]*) (?<size>[^ ]*)(?: "(?<referer>[^\\"]*)" "(?<agent>.*)")?$';
const APACHE_LINES = [
  '::1 - bob [05/Jan/2026:08:00:00 +0000] "GET /a?b="c" HTTP/1.1" 200 12 "-" "curl "x""',
  '1.2.3.4 - - [05/Jan/2026:08:00:01 +0000] "GET" 200 -',
  '1.2.3.4 - - [05/Jan/2026:08:00:01 +0000] "GET  /x  HTTP/1.1" 007 012345678901234567',
  '1.2.3.4 - é [05/Jan/2026:08:00:01 +0100] "POST /ü HTTP/1.1" 200 1.5 "\u2028" "😀"',
  '1.2.3.4 - - [never] "GET / HTTP/1.1" 200 -1 "" ""',
  '1.2.3.4 - - [] "GET / HTTP/1.1" 200 0 "\\" "\ttab\u0001"',
  "no such line",
  "",
];
const TIMED = { time_key: "time", time_format: "%d/%b/%Y:%H:%M:%S %z" };

test.each([
  [{}],
  [TIMED],
  [{ ...TIMED, time_keep: "on", types: "code:integer size:integer" }],
  [{ ...TIMED, types: "code:float size:float user:bool" }],
  [{ ...TIMED, time_key: "none" }],
])("lines of a web server are read at once as one by one: %p", (options) => {
  const lines = fc.array(fc.constantFrom(...APACHE_LINES), { minLength: 1, maxLength: 20 });
  fc.assert(fc.property(lines, (lines) => {
    const parser = parserOf(APACHE, options);
    expect(readAlike(parser, [...Array(8).fill(APACHE_LINES[0]), ...lines])).toBe(true);
  }));
});

const PATTERNS: Readonly<Record<string, readonly string[]>> = {
  "^\\<(?<pri>[0-9]+)\\>(?<time>[^ ]* {1,2}[^ ]* [^ ]*) (?<host>[^ ]*) (?<ident>[a-zA-Z0-9_\\/\\.\\-]*)(?:\\[(?<pid>[0-9]+)\\])?(?:[^\\:]*\\:)? *(?<message>.*)$":
    ["<34>Oct 11 22:14:15 host su[12]: 'su root' failed", "<1>Oct  1 1:1:1 h a-b: x: y: é", "<x>"],
  "^(?<time>[^ ]+) (?<stream>stdout|stderr) (?<logtag>[^ ]*) (?<message>.*)$": [
    "2026-01-01T00:00:00Z stdout F hello",
    "2026 stderr P ",
    "2026 stdin F x",
  ],
  "(?<level>INFO|WARN(?:ING)?|ERROR) (?<rest>.*)": ["x INFO  y", "WARNING z", "WARN", "aWARN b"],
  "^(?<a>.*?)=(?<b>.*?)(?:;(?<c>.*))?$": ["k=v;w", "=", "k==v;;", "kv"],
  "^(?<all>(?:[a-z]+=[0-9]+,?)+)(?<rest>.*)$": ["a=1,b=2,c", "a=1", "a="],
  "\\A(?<a>\\d+)(?<b>\\w*)(?<c>[^\\W_]?)\\Z": ["12ab", "1", "١٢", "1_"],
  "^(?<x>[^ü ]*) (?<y>.+)$": ["a b", "ü b", "aüb c"],
};

test.each(Object.keys(PATTERNS))("%s matches at once as one by one", (source) => {
  const parser = parserOf(source);
  expect(parser.readJson).toBeDefined();
  const line = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...PATTERNS[source]!) },
    { weight: 1, arbitrary: fc.string({ unit: fc.constantFrom(...'aé1 =;:,"<>[]T-_\\') }) },
  );
  const lines = fc.array(line, { minLength: 1, maxLength: 16 });
  fc.assert(fc.property(lines, (lines) => {
    expect(readAlike(parser, lines)).toBe(true);
  }));
});

const atom = fc.constantFrom(
  "a",
  "b",
  "ab",
  " ",
  ".",
  "[ab]",
  "[^a]",
  "[^ é]",
  "\\w",
  "\\S",
  "é",
  "^",
  "$",
);
const repeat = fc.constantFrom(
  "",
  "",
  "*",
  "+",
  "?",
  "*?",
  "+?",
  "??",
  "{2}",
  "{1,2}",
  "{2,}",
  "{0,2}?",
);

/** Expressions with everything that the kernel has instructions for. */
const { whole: expression } = fc.letrec<{ whole: string; part: string }>((tie) => ({
  part: fc.oneof(
    { maxDepth: 3 },
    fc.tuple(atom, repeat).map(([text, times]) =>
      (text.length === 1 || /^[[\\]/.test(text)) && !/[$^]/.test(text[0]!) ? text + times : text
    ),
    fc.tuple(tie("part"), tie("part")).map((parts) => parts.join("")),
    fc.tuple(tie("part"), tie("part"), repeat).map(([a, b, times]) => `(?:${a}|${b})${times}`),
    fc.tuple(tie("part"), fc.nat(99)).map(([inner, n]) => `(?<n${n}>${inner})`),
  ),
  whole: fc.tuple(tie("part"), tie("part")).map(([a, b]) => `(?<first>${a})${b}`),
}));

test("any expression matches at once as one by one", () => {
  const line = fc.string({
    unit: fc.constantFrom("a", "a", "b", "b", " ", "é", "😀"),
    maxLength: 12,
  });
  let atOnce = 0;
  fc.assert(
    fc.property(expression, fc.array(line, { minLength: 1, maxLength: 12 }), (source, lines) => {
      const names = [...source.matchAll(/\(\?<(\w+)>/g)].map((match) => match[1]);
      fc.pre(new Set(names).size === names.length);
      const parser = parserOf(source);
      if (parser.readJson !== undefined && readAlike(parser, lines)) atOnce++;
    }),
    { numRuns: RUNS },
  );
  expect(atOnce).toBeGreaterThan(RUNS / 3);
}, 600_000);

test.each([
  "^(?<a>x)(?=y)",
  "(?<a>x)\\b",
  "^(?<a>(?>x+))y",
  "^(?<a>x++)",
  "^(?:(?<a>x)y)+$",
  "(?i)^(?<a>x)",
  "/^(?<a>x)/i",
  "^(?<a>x)(?<a>y)$",
  "^(?<1>x)",
])("%s is left to the other engine", (source) => {
  let parser: LineParser;
  try {
    parser = parserOf(source);
  } catch {
    return;
  }
  expect(parser.readJson).toBeUndefined();
});

test("a line that takes too many steps is matched by the other engine", () => {
  const parser = parserOf("^(?<a>(?:x|y)*(?:x|y)*(?:x|y)*)z");
  const line = "x".repeat(200);
  expect(readAlike(parser, [line, "xyz", `${line}z`, ...Array(10).fill("xz")])).toBe(true);
});

test("lines that mostly do not match are left to be parsed one by one, for a while", () => {
  const parser = parserOf("^(?<a>x)$");
  expect(blockOf(parser, Array(100).fill("y"))).toBeUndefined();
  let blocks = 1;
  while (blockOf(parser, ["x"]) === undefined) blocks++;
  expect(blocks).toBeGreaterThan(10);
});
