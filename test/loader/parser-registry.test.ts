import { describe, expect, test } from "bun:test";
import * as z from "zod";
import { multilineParserSchema } from "../../src/loader/multiline-schema.ts";
import { ParserRegistry } from "../../src/loader/parser-registry.ts";
import { parserSchema } from "../../src/loader/parser-schema.ts";
import { SHIPPED_PARSERS } from "../../src/loader/shipped-parsers.ts";
import { defineParser } from "../../src/sdk/define.ts";
import { testContext } from "../support/context.ts";

const { log } = testContext();
const registry = (options = {}): ParserRegistry => new ParserRegistry({ log, ...options });

describe("ParserRegistry", () => {
  test.each(SHIPPED_PARSERS.map(({ name }) => name))("compiles the shipped parser %s", (name) => {
    expect(registry().parser(name).name).toBe(name);
  });

  test.each([
    [
      "apache2",
      '192.168.1.1 - bob [10/Oct/2000:13:55:36 -0700] "GET /a%20b?x=1 HTTP/1.0" 200 2326 "http://x/" "Mozilla"',
      {
        host: "192.168.1.1",
        user: "bob",
        method: "GET",
        path: "/a%20b?x=1",
        code: "200",
        size: "2326",
        referer: "http://x/",
        agent: "Mozilla",
      },
      Date.UTC(2000, 9, 10, 20, 55, 36),
    ],
    [
      "syslog-rfc5424",
      "<34>1 2003-10-11T22:14:15.003Z mymachine su 77 ID47 - failed",
      {
        pri: "34",
        time: "2003-10-11T22:14:15.003Z",
        host: "mymachine",
        ident: "su",
        pid: "77",
        msgid: "ID47",
        extradata: "-",
        message: "failed",
      },
      Date.UTC(2003, 9, 11, 22, 14, 15, 3),
    ],
    [
      "cri",
      "2021-02-01T01:40:03.534Z stderr F hello",
      { time: "2021-02-01T01:40:03.534Z", stream: "stderr", logtag: "F", message: "hello" },
      Date.UTC(2021, 1, 1, 1, 40, 3, 534),
    ],
    [
      "docker",
      '{"log":"hi\\n","time":"2021-02-01T01:40:03.5Z"}',
      { log: "hi\n", time: "2021-02-01T01:40:03.5Z" },
      Date.UTC(2021, 1, 1, 1, 40, 3, 500),
    ],
  ])("parses with the shipped parser %s", (name, line, body, ms) => {
    const record = registry().parser(name).parse(line, 0, 0)!;
    expect(record.body).toEqual(body);
    expect(record.sec * 1000 + record.nsec / 1e6).toBe(ms);
  });

  test("puts a configured parser over a shipped one and makes it once", () => {
    const parsers = [parserSchema.parse({ name: "json", format: "ltsv" })];
    const found = registry({ parsers });
    expect(found.parser("json").parse("a:1", 5, 6)).toEqual({ sec: 5, nsec: 6, body: { a: "1" } });
    expect(found.parser("json")).toBe(found.parser("json"));
  });

  test("says what was meant by an unknown name", () => {
    expect(() => registry().parser("ngnix")).toThrow(
      'unknown parser "ngnix": did you mean "nginx"?',
    );
    expect(() => registry().multiline(["jav"])).toThrow(
      'unknown multiline parser "jav": did you mean "java"?',
    );
    const parsers = [parserSchema.parse({ name: "mine", format: "jsn" })];
    expect(() => registry({ parsers }).parser("mine")).toThrow(
      'unknown format "jsn" of parser "mine": did you mean "json"?',
    );
  });

  test("takes a line at which a plugin's format throws for one that does not match", () => {
    const brittle = defineParser({
      name: "brittle",
      summary: "Breaks",
      config: z.object({}),
      create: () => ({
        parse(line) {
          if (line.includes("!")) throw new Error("unexpected !");
          return { line };
        },
      }),
    });
    const parsers = [parserSchema.parse({ name: "mine", format: "brittle" })];
    const { log, logged } = testContext();
    const parser = registry({ parsers, formats: [brittle], log }).parser("mine");
    expect(parser.parse("a!", 1, 0)).toBeNull();
    expect(parser.parse("a", 1, 0)?.body).toEqual({ line: "a" });
    expect(logged.map(({ message }) => message)).toEqual([
      "Parser mine failed at a line: unexpected !",
    ]);
  });

  test("uses formats that a plugin adds", () => {
    const upper = defineParser({
      name: "upper",
      summary: "Shouts.",
      config: z.object({}),
      create: () => ({ parse: (line) => ({ text: line.toUpperCase() }) }),
    });
    const parsers = [parserSchema.parse({ name: "mine", format: "Upper" })];
    const parser = registry({ parsers, formats: [upper] }).parser("mine");
    expect(parser.parse("hi", 0, 0)!.body).toEqual({ text: "HI" });
  });

  test("finds multiline parsers in any case, configured ones before builtin ones", () => {
    const java = multilineParserSchema.parse({ name: "java", type: "equal", match_string: "." });
    const out: { body: unknown }[] = [];
    const joiner = registry({ multilineParsers: [java] }).multiline(["JAVA"]).create({
      key: "log",
    });
    for (const line of ["a", "."]) joiner.feed(line, 0, 0, 0, out as never);
    expect(out.map(({ body }) => body)).toEqual([{ log: "a\n.\n" }]);
  });
});

describe("parserSchema", () => {
  const messages = (options: object): string[] => {
    const result = parserSchema.safeParse({ name: "p", format: "json", ...options });
    return result.success
      ? []
      : result.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
  };

  test("refuses options that do not go together", () => {
    expect(messages({ format: "regex" })).toEqual([
      'regex: a parser of format "regex" needs a regex',
    ]);
    const zone = { time_zone: "Europe/Berlin" };
    expect(messages(zone)).toEqual(["time_zone: time_zone needs time_format"]);
    expect(messages({ ...zone, time_format: "%Y", time_offset: "+0100" }))
      .toEqual(["time_zone: give time_zone or time_offset, not both"]);
    expect(messages({ ...zone, time_format: "%Y", time_system_timezone: "on" }))
      .toEqual(["time_zone: give time_zone or time_system_timezone, not both"]);
  });

  test("refuses values that mean nothing", () => {
    expect(messages({ time_offset: "2h" })).toEqual([
      'time_offset: expected an offset such as +0200, got "2h"',
    ]);
    expect(messages({ time_format: "%Y", time_zone: "Mars/X" })[0]).toContain(
      'unknown time zone "Mars/X"',
    );
    expect(messages({ decode_field: "yaml log" })[0]).toContain('unknown decoder "yaml"');
    expect(messages({ format: "regex", regex: "(" })[0]).toContain("cannot compile regex (");
  });
});

describe("multilineParserSchema", () => {
  const messages = (options: object): string[] => {
    const result = multilineParserSchema.safeParse({ name: "m", type: "regex", ...options });
    return result.success ? [] : result.error.issues.map((issue) => issue.message);
  };
  const rule = (state: string, next_state: string): object => ({ state, regex: "x", next_state });

  test("wants rules that start and lead somewhere", () => {
    expect(messages({})).toEqual(["type regex needs rules"]);
    expect(messages({ rules: [rule("cont", "cont")] }))
      .toEqual(['the first rule must be one of state "start_state"']);
    expect(messages({ rules: [rule("start_state", "cont")] }))
      .toEqual(['no rule has the state "cont" that another leads to']);
    expect(messages({ rules: [rule("start_state", "cont"), rule("cont, other", "other")] }))
      .toEqual([]);
    expect(messages({ type: "endswith" })).toEqual(["type endswith needs a match_string"]);
  });
});
