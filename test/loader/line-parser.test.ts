import { describe, expect, test } from "bun:test";
import { ParserRegistry } from "../../src/loader/parser-registry.ts";
import { parserSchema } from "../../src/loader/parser-schema.ts";
import type { LineParser } from "../../src/sdk/context.ts";
import { type TestContext, testContext } from "../support/context.ts";

function makeParser(
  options: Record<string, unknown>,
  ctx: TestContext = testContext(),
): LineParser {
  // As `create` gets them: what was given comes first, in its order.
  const parsed = parserSchema.parse({ name: "p", ...options }) as Record<string, unknown>;
  const inOrder: Record<string, unknown> = {};
  for (const key of [...Object.keys(options), ...Object.keys(parsed)]) inOrder[key] = parsed[key];
  const registry = new ParserRegistry({
    log: ctx.log,
    parsers: [inOrder as never],
    nowSec: () => Date.UTC(2026, 5, 1) / 1000,
  });
  return registry.parser("p");
}

/** The body and the time in milliseconds, "none" where the line's time was not found. */
function parse(options: Record<string, unknown>, line: string): unknown {
  const record = makeParser(options).parse(line, -1, 0);
  if (record === null) return null;
  return [record.sec === -1 ? "none" : record.sec * 1000 + record.nsec / 1e6, record.body];
}

const DAY = Date.UTC(2020, 0, 2);

describe("time of a JSON line", () => {
  const json = { format: "json", time_key: "t", time_format: "%Y-%m-%d" };
  test("is taken out of its field", () => {
    expect(parse(json, '{"t":"2020-01-02","a":1}')).toEqual([DAY, { a: 1 }]);
    expect(parse({ ...json, time_keep: "on" }, '{"t":"2020-01-02"}')).toEqual([DAY, {
      t: "2020-01-02",
    }]);
  });
  test("that does not fit or is no text stays where it is", () => {
    expect(parse(json, '{"t":"x","a":1}')).toEqual(["none", { t: "x", a: 1 }]);
    expect(parse(json, '{"t":5}')).toEqual(["none", { t: 5 }]);
    expect(parse(json, '{"a":1}')).toEqual(["none", { a: 1 }]);
  });
  test("may come out of a decoded field", () => {
    expect(parse({ ...json, decode_field: "json log" }, '{"log":"{\\"t\\":\\"2020-01-02\\"}"}'))
      .toEqual([DAY, { log: '{"t":"2020-01-02"}' }]);
  });
  test("is looked for in the field `time` without a time_key", () => {
    expect(parse({ format: "json", time_format: "%s" }, '{"time":"7"}')).toEqual([7000, {}]);
  });
});

describe("time of a regex line", () => {
  const regex = { format: "regex", regex: "^(?<time>\\S*) (?<m>.*)$", time_format: "%Y-%m-%d" };
  test("that does not fit is dropped, even when it should be kept, and logged", () => {
    const ctx = testContext();
    const parser = makeParser({ ...regex, time_keep: true }, ctx);
    expect(parser.parse("bad x", 5, 0)).toEqual({ sec: 5, nsec: 0, body: { m: "x" } });
    expect(ctx.logged).toEqual([
      { level: "warn", message: 'cannot read the time of a record: it does not fit "%Y-%m-%d"' },
    ]);
  });
  test("follows time_offset, time_zone and time_strict", () => {
    expect(parse({ ...regex, time_offset: "+0200" }, "2020-01-02 x")).toEqual([DAY - 7_200_000, {
      m: "x",
    }]);
    expect(parse({ ...regex, time_zone: "Asia/Tokyo" }, "2020-01-02 x"))
      .toEqual([DAY - 32_400_000, { m: "x" }]);
    const lax = { ...regex, time_format: "%Y-%m-%dT%H", time_strict: "off" };
    expect(parse(lax, "2020-01-02 x")).toEqual([DAY, { m: "x" }]);
  });
  test("that can never match is said at the start", () => {
    const ctx = testContext();
    makeParser({ ...regex, time_format: "%Q" }, ctx);
    expect(ctx.logged[0]!.message).toBe('time_format "%Q" can never match: %Q is unknown');
  });
});

describe.each([
  ["logfmt", (time: string) => `time=${time} a=1`, (time: string) => `time=${time}`],
  ["ltsv", (time: string) => `time:${time}\ta:1`, (time: string) => `time:${time}`],
])("time of a %s line", (format, line, alone) => {
  const options = { format, time_format: "%Y-%m-%d" };
  test("that does not fit refuses the line", () => {
    expect(parse(options, line("bad"))).toBeNull();
    expect(parse(options, line("2020-01-02"))).toEqual([DAY, { a: "1" }]);
  });
  test("alone is no record", () => {
    expect(parse(options, alone("2020-01-02"))).toBeNull();
    expect(parse({ ...options, time_keep: true }, alone("2020-01-02")))
      .toEqual([DAY, { time: "2020-01-02" }]);
  });
});

describe("types", () => {
  const typed = (type: string, value: string): unknown =>
    (parse({ format: "ltsv", types: `v:${type}` }, `v:${value}`) as [unknown, { v: unknown }])[1].v;
  test.each([
    ["integer", "12", 12],
    ["integer", " 42abc", 42],
    ["integer", "abc", 0],
    ["integer", "+5", 5],
    ["integer", "9007199254740993", 9007199254740993n],
    ["integer", "-12345678901234567890123", -(2n ** 63n)],
    ["float", "1e3", 1000],
    ["float", "7.5e1xyz", 75],
    ["float", "abc", 0],
    ["bool", "True", true],
    ["bool", "FALSEx", false],
    ["bool", "no", "no"],
    ["hex", "0x1F", 31],
    ["hex", "-1", 2n ** 64n - 1n],
    ["hex", "zz", 0],
    ["string", "5", "5"],
    ["date", "5", "5"],
  ])("%s of %p", (type, value, expected) => expect(typed(type, value)).toEqual(expected));

  test("do not touch JSON", () => {
    expect(parse({ format: "json", types: "a:string" }, '{"a":1}')).toEqual(["none", { a: 1 }]);
  });
});

describe("decoders", () => {
  const json = (options: object, fields: object): unknown =>
    (parse({ format: "json", ...options }, JSON.stringify(fields)) as [unknown, unknown])[1];

  test("decode_field_as replaces the value", () => {
    expect(json({ decode_field_as: "json log" }, { log: '{"a":1}', x: 1 })).toEqual({
      log: { a: 1 },
      x: 1,
    });
    expect(json({ decode_field_as: "json log" }, { log: "[1]" })).toEqual({ log: "[1]" });
    expect(json({ decode_field_as: "escaped log" }, { log: "a\\nb" })).toEqual({ log: "a\nb" });
    expect(json({ decode_field_as: "escaped_utf8 log" }, { log: "\\u00e9" })).toEqual({ log: "é" });
    expect(json({ decode_field_as: "mysql_quoted log" }, { log: "'a\\Z'" })).toEqual({
      log: "a\x1a",
    });
  });
  test("decode_field adds fields behind the others and keeps the value", () => {
    const body = json({ decode_field: "json log" }, { log: '{"a":1}', x: 1 }) as object;
    expect(Object.entries(body)).toEqual([["log", '{"a":1}'], ["x", 1], ["a", 1]]);
  });
  test("do_next goes on with what was decoded, nothing stops there", () => {
    const twice = ["escaped_utf8 log do_next", "json log"];
    expect(json({ decode_field_as: twice }, { log: '{\\"a\\":1}' })).toEqual({ log: { a: 1 } });
    expect(json({ decode_field_as: ["escaped log", "json log"] }, { log: '{\\"a\\":1}' }))
      .toEqual({ log: '{"a":1}' });
  });
  test("try_next goes on after a failure only", () => {
    const rules = ["json log try_next", "escaped log"];
    expect(json({ decode_field_as: rules }, { log: "a\\tb" })).toEqual({ log: "a\tb" });
    expect(json({ decode_field_as: rules }, { log: '{"a":"\\\\t"}' })).toEqual({
      log: { a: "\\t" },
    });
  });
  test("run in the order in which their options were given", () => {
    const log = { log: '{"a":1}' };
    expect(json({ decode_field: "json log", decode_field_as: "escaped log" }, log)).toEqual({
      ...log,
      a: 1,
    });
    expect(json({ decode_field_as: "escaped log", decode_field: "json log" }, log)).toEqual(log);
  });
  test("run after types and time in other formats", () => {
    const options = { format: "regex", regex: "^(?<log>.*)$", decode_field_as: "json log" };
    expect(parse(options, '{"a":1}')).toEqual(["none", { log: { a: 1 } }]);
  });
});
