import { describe, expect, test } from "bun:test";
import { unescapeSimple, unescapeUtf8, unquoteMysql } from "../../src/lib/unescape.ts";

describe("unescapeUtf8", () => {
  test.each([
    [String.raw`a\nb\tc\"d\\e\/f`, 'a\nb\tc"d\\e/f'],
    [String.raw`\u00e9 \ud83d\ude00`, "é 😀"],
    [String.raw`\ud83d \ud83d\u0041 \ude00 \u00e`, "\ufffd \ufffd \ufffd \ufffd"],
    [String.raw`\x41\101\U1F600\v\a`, "AA😀\v\x07"],
    ["\\q ü\\ü", "q üü"],
    ["end\\", "end\\"],
    ["plain", "plain"],
  ])("%s", (text, expected) => expect(unescapeUtf8(text)).toBe(expected));
});

describe("unescapeSimple", () => {
  test("resolves one-letter escapes and drops other backslashes", () => {
    expect(unescapeSimple(String.raw`a\nb\\n\"c\u0041\q`)).toBe('a\nb\\n"cu0041q');
  });
});

describe("unquoteMysql", () => {
  test.each([
    [String.raw`'it\'s\n\Z\q\0'`, "it's\n\x1a\\q\0"],
    [String.raw`"a\"b"`, 'a"b'],
    ["plain", "plain"],
    ["'", "'"],
    [`'open"`, `'open"`],
  ])("%s", (text, expected) => expect(unquoteMysql(text)).toBe(expected));
});
