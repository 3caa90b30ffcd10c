import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { multilineParserSchema } from "../../src/loader/multiline-schema.ts";
import { ParserRegistry } from "../../src/loader/parser-registry.ts";
import { parserSchema } from "../../src/loader/parser-schema.ts";
import type { LineJoiner, LineJoinerOptions } from "../../src/sdk/context.ts";
import type { Body, LogRecord } from "../../src/sdk/record.ts";
import { testContext } from "../support/context.ts";

interface Setup {
  names?: string[];
  multiline?: Record<string, unknown>;
  parser?: Record<string, unknown>;
  options?: Partial<LineJoinerOptions>;
  limit?: number;
}

function makeJoiner(setup: Setup): LineJoiner {
  const registry = new ParserRegistry({
    log: testContext().log,
    parsers: setup.parser && [parserSchema.parse({ name: "p", ...setup.parser })],
    multilineParsers: setup.multiline &&
      [multilineParserSchema.parse({ name: "m", ...setup.multiline })],
    multilineBufferLimit: setup.limit,
  });
  return registry.multiline(setup.names ?? ["m"]).create({ key: "log", ...setup.options });
}

function join(setup: Setup, lines: string[]): LogRecord[] {
  const joiner = makeJoiner(setup);
  const out: LogRecord[] = [];
  lines.forEach((line, i) => joiner.feed(line, 100 + i, 0, i, out));
  joiner.flush(out);
  return out;
}
const bodies = (setup: Setup, lines: string[]): Body[] =>
  join(setup, lines).map(({ body }) => body);
const logs = (names: string[], lines: string[]): unknown[] =>
  bodies({ names }, lines).map(({ log }) => log);

describe("multiline cri", () => {
  const cri = { names: ["cri"] };
  test("joins the parts of each stream by itself, under the first part's time", () => {
    const records = join(cri, [
      "2021-02-01T01:40:03.5Z stdout P one ",
      "2021-02-01T01:40:04.5Z stderr F err",
      "2021-02-01T01:40:05.5Z stdout F two",
      "2021-02-01T01:40:06Z stdout F ",
    ]);
    expect(records.map(({ body }) => Object.values(body))).toEqual([
      ["2021-02-01T01:40:04.5Z", "stderr", "F", "err"],
      ["2021-02-01T01:40:03.5Z", "stdout", "P", "one two"],
      ["2021-02-01T01:40:06Z", "stdout", "F", ""],
    ]);
    expect(Object.keys(records[0]!.body)).toEqual(["time", "stream", "_p", "log"]);
    expect(records[1]).toMatchObject({
      sec: Date.UTC(2021, 1, 1, 1, 40, 3) / 1000,
      nsec: 500_000_000,
    });
  });
  test("gives up what waits at a line of another form, which is a record of its own", () => {
    expect(bodies(cri, ["2021-02-01T01:40:09.1Z stdout P open", "bad line"])).toEqual([
      { time: "2021-02-01T01:40:09.1Z", stream: "stdout", _p: "P", log: "open" },
      { log: "bad line" },
    ]);
  });
  test("keeps interleaved streams apart, whatever their order", () => {
    const line = fc.record({
      stream: fc.constantFrom("stdout", "stderr"),
      full: fc.boolean(),
      text: fc.string({ maxLength: 5 }).filter((text) => !/[\n\r]/.test(text)),
    });
    fc.assert(fc.property(fc.array(line), (lines) => {
      const expected: Record<string, string[]> = { stdout: [], stderr: [] };
      const open: Record<string, string> = { stdout: "", stderr: "" };
      const waits: Record<string, boolean> = { stdout: false, stderr: false };
      for (const { stream, full, text } of lines) {
        open[stream] += text;
        waits[stream] = !full;
        if (full) expected[stream]!.push(open[stream]!);
        if (full) open[stream] = "";
      }
      for (const stream of ["stdout", "stderr"]) {
        if (waits[stream]) expected[stream]!.push(open[stream]!);
      }
      const records = bodies(
        cri,
        lines.map(({ stream, full, text }) =>
          `2021-02-01T01:40:09.1Z ${stream} ${full ? "F" : "P"} ${text}`
        ),
      );
      for (const stream of ["stdout", "stderr"]) {
        const found = records.filter((body) => body["stream"] === stream).map((body) =>
          body["log"]
        );
        expect(found).toEqual(expected[stream]!);
      }
    }));
  });
});

describe("multiline docker", () => {
  const line = (log: string, stream = "stdout", time = "2021-02-01T01:40:03.5Z"): string =>
    JSON.stringify({ log, stream, time });
  test("joins texts up to a newline and keeps the first line's fields", () => {
    const records = join({ names: ["docker"] }, [
      line("a ", "stdout", "2021-02-01T01:40:01.5Z"),
      line("err\n", "stderr"),
      line("b\n"),
      line("whole\n"),
    ]);
    expect(records.map(({ body }) => body["log"])).toEqual(["err\n", "a b\n", "whole\n"]);
    expect(records[1]!.body).toEqual({
      log: "a b\n",
      stream: "stdout",
      time: "2021-02-01T01:40:01.5Z",
    });
    expect(records[1]!.nsec).toBe(500_000_000);
  });
  test("leaves lines alone that are not Docker's", () => {
    expect(bodies({ names: ["docker"] }, ["plain", '{"no":1}'])).toEqual([{ log: "plain" }, {
      log: '{"no":1}',
    }]);
  });
  test("takes a time without a fraction", () => {
    const [record] = join({ names: ["docker"] }, [line("x\n", "stdout", "2021-02-01T01:40:03Z")]);
    expect(record!.sec).toBe(Date.UTC(2021, 1, 1, 1, 40, 3) / 1000);
  });
  test("and cri together take each line by the one it fits", () => {
    expect(logs(["docker", "cri"], [
      "2021-02-01T01:40:03.5Z stdout P one ",
      line("two\n"),
      "2021-02-01T01:40:03.5Z stdout F three",
    ])).toEqual(["two\n", "one three"]);
  });
});

describe("multiline of a language", () => {
  test("java joins a stack trace", () => {
    expect(logs(["java"], [
      "before",
      "java.lang.RuntimeException: boom",
      "\tat a.b.C(D.java:1)",
      "Caused by: java.lang.Error: x",
      "\t... 2 more",
      "after",
      "",
    ])).toEqual([
      "before\n",
      "java.lang.RuntimeException: boom\n\tat a.b.C(D.java:1)\nCaused by: java.lang.Error: x\n\t... 2 more\n",
      "after\n",
    ]);
  });
  test("go joins a panic with its empty lines", () => {
    const panic = ["panic: boom", "", "goroutine 1 [running]:", "main.main()", "\t/x.go:5 +0x1"];
    expect(logs(["go"], [...panic, "exit status 2"])).toEqual([
      `${panic.join("\n")}\n`,
      "exit status 2\n",
    ]);
  });
  test("python ends a traceback with its error", () => {
    const trace = [
      "Traceback (most recent call last):",
      '  File "a.py"',
      "    foo()",
      "ValueError: bad",
    ];
    expect(logs(["python"], [...trace, "after"])).toEqual([`${trace.join("\n")}\n`, "after\n"]);
  });
  test("ruby joins a backtrace", () => {
    const trace = ["/app/x.rb:5:in `foo': bad", "\tfrom /app/x.rb:9:in `bar'"];
    expect(logs(["ruby"], ["a", ...trace, "b"])).toEqual(["a\n", `${trace.join("\n")}\n`, "b\n"]);
  });
  test("several at once each take their own", () => {
    expect(
      logs(["go", "java"], ["x.Exception: a", "\tat b", "panic: c", "", "x.Error: d", "\tat e"]),
    )
      .toEqual(["x.Exception: a\n\tat b\n", "panic: c\n\n", "x.Error: d\n\tat e\n"]);
  });
});

describe("multiline of the configuration", () => {
  const rules = [
    { state: "start_state", regex: "/^START/", next_state: "cont" },
    { state: "cont", regex: "/^ /", next_state: "cont" },
    { state: "cont", regex: "/^END/", next_state: "start_state" },
  ];
  test("regex follows its states and completes where a start may follow", () => {
    const multiline = { type: "regex", key_content: "msg", rules };
    expect(bodies({ multiline }, ["START a", " b", "END", " alone", "START c", "x"]))
      .toEqual(["START a\n b\nEND", " alone", "START c", "x"].map((msg) => ({ msg })));
  });
  test("parser, key_content and key_group join by field and group", () => {
    const parser = { format: "regex", regex: "^(?<g>[a-z])\\|(?<text>.*)$" };
    const multiline = { type: "regex", parser: "p", key_content: "text", key_group: "g", rules };
    expect(bodies({ parser, multiline }, ["a|START 1", "b|START 2", "a| 3", "b| 4", "nope"]))
      .toEqual([
        { g: "a", text: "START 1\n 3" },
        { g: "b", text: "START 2\n 4" },
        { text: "nope" },
      ]);
  });
  test("endswith completes a record with the line that ends so", () => {
    const multiline = { type: "endswith", match_string: "END" };
    expect(bodies({ multiline }, ["one", "two END", "x", "END"]))
      .toEqual([{ log: "one\ntwo END\n" }, { log: "x\nEND\n" }]);
  });
  test("negate completes a record with the line that does not", () => {
    const multiline = { type: "endswith", match_string: "\\", negate: true };
    expect(bodies({ multiline }, ["a\\", "b", "c"])).toEqual([{ log: "a\\\nb\n" }, { log: "c\n" }]);
  });
  test("equal completes a record with that very line; key_content joins without newlines", () => {
    const multiline = { type: "eq", match_string: "--", key_content: "log" };
    expect(bodies({ multiline }, ["one", "--", "two"])).toEqual([{ log: "one--" }, { log: "two" }]);
  });
  test("key_pattern is what is compared", () => {
    const parser = { format: "ltsv" };
    const multiline = {
      type: "equal",
      match_string: "1",
      parser: "p",
      key_content: "m",
      key_pattern: "last",
    };
    expect(bodies({ parser, multiline }, ["m:a\tlast:0", "m:b\tlast:1"])).toEqual([{
      m: "ab",
      last: "0",
    }]);
  });
  test("waits as long as the slowest parser says", () => {
    const multiline = { type: "equal", match_string: ".", flush_timeout: 5000 };
    expect(makeJoiner({ multiline, names: ["cri", "m"] }).flushTimeoutMs).toBe(5000);
    expect(makeJoiner({ names: ["cri"] }).flushTimeoutMs).toBe(4000);
  });
});

describe("a joiner", () => {
  test("cuts a text at the limit, marks it and says so", () => {
    let truncated = 0;
    const options = { onTruncated: () => void truncated++ };
    const records = join({ names: ["java"], limit: 30, options }, [
      "x.Exception: 0123456789",
      "\tat 0123456789",
      "\tat more",
    ]);
    expect(records[0]!.body).toEqual({ log: "x.Exception: 0123456789\n\tat 01\n" });
    expect(records[0]!.metadata).toEqual({ multiline_truncated: true });
    expect(records[1]!.body).toEqual({ log: "\tat more\n" });
    expect(records[1]!.metadata).toBeUndefined();
    expect(truncated).toBe(1);
  });
  test("adds extra fields and the position of the first line", () => {
    const options = { extra: { path: "/x" }, positionKey: "offset" };
    expect(bodies({ names: ["java"], options }, ["a", "x.Error: b", "\tat c", "d"])).toEqual([
      { log: "a\n", path: "/x", offset: 0 },
      { log: "x.Error: b\n\tat c\n", path: "/x", offset: 1 },
      { log: "d\n", path: "/x", offset: 3 },
    ]);
    expect(bodies({ names: ["cri"], options }, ["t stdout F x"])[0]).toMatchObject({
      path: "/x",
      offset: 0,
    });
  });
  test("tells the position of the first line that waits, over all groups", () => {
    const joiner = makeJoiner({ names: ["cri"] });
    const out: LogRecord[] = [];
    expect(joiner.pendingPosition).toBe(-1);
    joiner.feed("t stdout P a", 0, 0, 10, out);
    joiner.feed("t stderr P b", 0, 0, 20, out);
    expect(joiner.pendingPosition).toBe(10);
    joiner.feed("t stdout F c", 0, 0, 30, out);
    expect(joiner.pendingPosition).toBe(20);
    joiner.flush(out);
    expect(joiner.pendingPosition).toBe(-1);
    expect(out).toHaveLength(2);
  });
  test("joins a field of records and keeps the first one's other fields and all metadata", () => {
    const joiner = makeJoiner({ names: ["java"], options: { keyContent: "m" } });
    const out: LogRecord[] = [];
    const record = (m: string, i: number): LogRecord => ({
      sec: i,
      nsec: 0,
      body: { m, i },
      metadata: { [i]: 1 },
    });
    ["x.Error: a", "\tat b", "c"].forEach((m, i) => joiner.feedRecord(record(m, i), i, out));
    joiner.feedRecord({ sec: 9, nsec: 0, body: { other: 1 } }, 3, out);
    expect(out).toEqual([
      { sec: 0, nsec: 0, body: { m: "x.Error: a\n\tat b", i: 0 }, metadata: { 0: 1, 1: 1 } },
      { sec: 2, nsec: 0, body: { m: "c", i: 2 }, metadata: { 2: 1 } },
      { sec: 9, nsec: 0, body: { other: 1 } },
    ]);
  });
});
