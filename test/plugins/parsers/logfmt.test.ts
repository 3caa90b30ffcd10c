import { describe, expect, test } from "bun:test";
import logfmt from "../../../plugins/parsers/logfmt.ts";
import { parseWith } from "./make-parser.ts";

const parse = (line: string, options = {}): unknown => parseWith(logfmt, options, line);

describe("logfmt", () => {
  test.each([
    ["key=value n=12", { key: "value", n: "12" }],
    ['q="a b \\"c\\" \\n \\u00e9 \\\\ x"', { q: 'a b "c" \n é \\ x' }],
    ['flag empty= e2="" last', { flag: true, empty: true, e2: "", last: true }],
    ["=x a=b=c d", { x: true, a: "b", c: true, d: true }],
    ['"quoted" k="unterminated', { quoted: true, k: "unterminated" }],
    ['a="b"c=d', { a: "b", c: "d" }],
    ["tab\tb=1", { tab: true, b: "1" }],
    ["ü=ö", { ü: "ö" }],
    ["a=1\nb=2", { a: "1" }],
    ["a=1 a=2", { a: "2" }],
  ])("%j", (line, body) => expect(parse(line)).toEqual(body));

  test("does not match a line without keys", () => {
    expect(parse("")).toBeNull();
    expect(parse(' = "')).toBeNull();
  });
  test("logfmt_no_bare_keys refuses a line with a bare key", () => {
    const options = { logfmt_no_bare_keys: true };
    expect(parse("a=1 b", options)).toBeNull();
    expect(parse('a= b=""', options)).toEqual({ a: true, b: "" });
  });
  test("types leave escapes alone and make bare keys empty", () => {
    expect(parse('a=12 b c="x\\ny" d=', { types: "a:integer" }))
      .toEqual({ a: "12", b: "", c: "x\\ny", d: "" });
  });
  test("makes an ordinary field of __proto__", () => {
    expect(Object.keys(parse("__proto__=1") as object)).toEqual(["__proto__"]);
  });
});
