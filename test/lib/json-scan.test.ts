import { expect, test } from "bun:test";
import fc from "fast-check";
import { JsonScanner } from "../../src/lib/json-scan.ts";

/** The length of the text when the scanner takes all of it for an object in the plain form. */
function scan(text: string, wanted?: string): { end: number; value: string | undefined } {
  const bytes = Buffer.from(text);
  const scanner = new JsonScanner(wanted);
  const end = scanner.scan(bytes, 0, bytes.length);
  const { valueFrom, valueTo } = scanner;
  return {
    end: end === bytes.length ? text.length : end,
    value: valueFrom === -1 ? undefined : bytes.toString("utf8", valueFrom, valueTo),
  };
}
const isPlain = (text: string): boolean => scan(text).end === text.length;

test.each([
  "{}",
  '{"a":1}',
  '{"a":-1.5,"b":0,"c":0.000001,"d":123456789012345}',
  '{"a":"","b":"x\\"y\\\\z\\n\\u001b[0m","c":true,"d":false,"e":null}',
  '{"a":{"a":{}},"b":[],"c":[1,"x",[{"a":1}]],"é":"😀 \u2028 \x7f"}',
  '{"user":{"id":1},"other":{"id":1},"id":2}',
  '{"":1}',
])("the scanner takes what JSON.stringify writes: %s", (text) => {
  expect(JSON.stringify(JSON.parse(text))).toBe(text);
  expect(isPlain(text)).toBe(true);
});

test.each([
  ["no object", ['"x"', "[]", "1", "", "x"]],
  ["not whole", ["{", '{"a"', '{"a":', '{"a":1', '{"a":"x', '{"a":"x\\', '{"a":[1', '{"a":{}']],
  ["not JSON", [
    '{"a":1,}',
    '{,"a":1}',
    '{"a":01}',
    '{"a":.5}',
    '{"a":1.}',
    '{"a":+1}',
    '{"a":-}',
    '{"a":tru}',
    '{"a":nul}',
    '{"a":"\t"}',
    '{"a":"\\x"}',
    '{"a":"\\u00"}',
    '{"a":[1,]}',
    "{a:1}",
    '{"a":1 2}',
    '{"a";1}',
    '{"a":1]',
    '{"a":[1}}',
  ]],
  ["spaces", ['{ "a":1}', '{"a": 1}', '{"a":1 }', '{"a":[1, 2]}', ' {"a":1}']],
  ["other escapes", ['{"a":"\\/"}', '{"a":"\\u0041"}', '{"a":"\\u001B"}', '{"a":"\\u000a"}']],
  ["other numbers", [
    '{"a":1.0}',
    '{"a":-0}',
    '{"a":1e3}',
    '{"a":1E3}',
    '{"a":1.50}',
    '{"a":0.0000001}',
    '{"a":1234567890123456}',
    '{"a":12345678901.12345}',
  ]],
  ["keys that an object would not keep in place", [
    '{"a":1,"a":2}',
    '{"a":1,"b":{"x":1,"x":2}}',
    '{"b":1,"0":2}',
    '{"__proto__":1}',
    '{"\\u0061":1}',
    '{"a\\n":1}',
  ]],
])("the scanner leaves %s to the parser", (_what, texts) => {
  for (const text of texts) expect(text + " " + isPlain(text)).toBe(text + " false");
});

test("the scanner does not look behind the end it was given", () => {
  const bytes = Buffer.from('{"a":"b"}{"c":[true,null,1.5]}');
  for (let to = 0; to < 9; to++) expect(new JsonScanner("a").scan(bytes, 0, to)).toBe(-1);
  expect(new JsonScanner("a").scan(bytes, 0, 9)).toBe(9);
  for (let to = 9; to < bytes.length; to++) {
    expect(new JsonScanner("c").scan(bytes, 9, to)).toBe(-1);
  }
});

test("the scanner notes the wanted member, at the top only, and only when it is plain text", () => {
  expect(scan('{"time":"x","a":1}', "time").value).toBe('"x"');
  expect(scan('{"a":{"time":"y"},"tim":"z","time":"x"}', "time").value).toBe('"x"');
  expect(scan('{"a":{"time":"y"}}', "time")).toEqual({ end: 18, value: undefined });
  expect(scan('{"time":5}', "time").end).toBe(-1);
  expect(scan('{"time":"\\n"}', "time").end).toBe(-1);
  expect(scan('{"time":"é"}', "time").end).toBe(-1);
});

test("the scanner gives up on what is nested too deep, or has too many members", () => {
  const deep = (n: number) => '{"a":'.repeat(n) + "1" + "}".repeat(n);
  expect(isPlain(deep(10))).toBe(true);
  expect(isPlain(deep(10_000))).toBe(false);
  const wide = (n: number) =>
    JSON.stringify(Object.fromEntries(Array.from({ length: n }, (_, i) => [`k${i}`, i])));
  expect(isPlain(wide(200))).toBe(true);
  expect(isPlain(wide(1000))).toBe(false);
});

/** JSON of any value, and the same with one character changed. */
const nearlyJson = fc.tuple(
  fc.dictionary(fc.string({ maxLength: 4 }), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 6 }),
  fc.nat(),
  fc.constantFrom(
    "",
    "",
    '"',
    "\\",
    ",",
    ":",
    "{",
    "}",
    "[",
    "]",
    "0",
    "1",
    ".",
    "e",
    " ",
    "\n",
    "u",
  ),
).map(([value, at, change]) => {
  const text = JSON.stringify(value);
  const cut = at % (text.length + 1);
  return change === "" ? text : text.slice(0, cut) + change + text.slice(cut + (at % 2));
});

test("whatever the scanner takes is what JSON.stringify writes for it", () => {
  let taken = 0;
  fc.assert(
    fc.property(nearlyJson, (text) => {
      if (!isPlain(text)) return;
      taken++;
      expect(JSON.stringify(JSON.parse(text))).toBe(text);
    }),
    { numRuns: 3000 },
  );
  expect(taken).toBeGreaterThan(50);
});
