import { describe, expect, test } from "bun:test";
import regex from "../../../plugins/parsers/regex.ts";
import { parseWith } from "./make-parser.ts";

const PATTERN = "^(?<a>\\S+)? ?(?<b>\\d*)x(?<c>.*)$";

describe("regex", () => {
  test("makes fields of named groups", () => {
    expect(parseWith(regex, { regex: PATTERN }, "foo 12xrest")).toEqual({
      a: "foo",
      b: "12",
      c: "rest",
    });
    expect(parseWith(regex, { regex: PATTERN }, "none")).toBeNull();
  });
  test("leaves out groups that matched nothing, unless told otherwise", () => {
    expect(parseWith(regex, { regex: PATTERN }, " xq")).toEqual({ c: "q" });
    expect(parseWith(regex, { regex: PATTERN, skip_empty_values: "off" }, " xq"))
      .toEqual({ a: "", b: "", c: "q" });
  });
  test("does not match when no named group took part", () => {
    expect(parseWith(regex, { regex: "^q(?<a>z)?" }, "q")).toBeNull();
    expect(parseWith(regex, { regex: "^(\\d+)" }, "12")).toBeNull();
  });
  test("leaves plain groups out where others have names", () => {
    expect(parseWith(regex, { regex: "^(x)(?<n>\\d+)(y)?" }, "x12y")).toEqual({ n: "12" });
  });
  test("takes the group that matched of several with one name", () => {
    const options = { regex: "^(?:a(?<v>\\d+)|b(?<v>\\w+))$" };
    for (const skip_empty_values of [true, false]) {
      expect(parseWith(regex, { ...options, skip_empty_values }, "a1")).toEqual({ v: "1" });
      expect(parseWith(regex, { ...options, skip_empty_values }, "bfoo")).toEqual({ v: "foo" });
    }
  });
  test("understands Onigmo's delimiters and options", () => {
    expect(parseWith(regex, { regex: "/^(?<w>hello)/i" }, "HELLO")).toEqual({ w: "HELLO" });
  });
  test("makes an ordinary field of __proto__", () => {
    const body = parseWith(regex, { regex: "^(?<__proto__>.*)$" }, "x")!;
    expect(Object.keys(body)).toEqual(["__proto__"]);
  });
  test("needs a regex", () => {
    expect(() => parseWith(regex, {}, "x")).toThrow('a parser of format "regex" needs a regex');
  });
});
