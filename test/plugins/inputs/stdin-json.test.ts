import { expect, test } from "bun:test";
import fc from "fast-check";
import { JsonOrLines } from "../../../plugins/inputs/stdin/json-or-lines.ts";

const sort = (lines: readonly string[], maxChars = 1e6) => {
  const sorter = new JsonOrLines(maxChars);
  return [...sorter.push(lines), ...sorter.flush()];
};

test("JsonOrLines finds objects on one line, over several, and lines between them", () => {
  expect(sort(['{"a":1}{"b":"}{"} {"c":[{}]}'])).toEqual(['{"a":1}', '{"b":"}{"}', '{"c":[{}]}']);
  expect(sort(["{", '  "a": "x\\"}",', "", '  "b": {}', "}", "plain"]))
    .toEqual(['{\n  "a": "x\\"}",\n\n  "b": {}\n}', "plain"]);
  expect(sort(["[1, {}]", "  indented", "", "{not json}"]))
    .toEqual(["[1, {}]", "indented", "{not json}"]);
});

test("JsonOrLines takes an object with something behind it for a plain line", () => {
  expect(sort(['{"a":1} trailing', '{"b":2}'])).toEqual(['{"a":1} trailing', '{"b":2}']);
});

test("JsonOrLines gives up what is no object, does not end or is too long, line by line", () => {
  expect(sort(["{", "no key", '{"a":1}'])).toEqual(["{", "no key", '{"a":1}']);
  expect(sort(["{ x", "[1,"])).toEqual(["{ x", "[1,"]);
  expect(sort(['{"a":', "1"])).toEqual(['{"a":', "1"]);
  expect(sort(['{"a":', "x".repeat(50), '{"b":2}'], 40)).toEqual([
    '{"a":',
    "x".repeat(50),
    '{"b":2}',
  ]);
});

test("JsonOrLines finds every object again, however they are laid out", () => {
  const objects = fc.array(fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 }), {
    maxLength: 8,
  });
  fc.assert(
    fc.property(
      objects,
      fc.constantFrom(undefined, 1, 3),
      fc.boolean(),
      (values, indent, glued) => {
        const text = values.map((value) => JSON.stringify(value, null, indent)).join(
          glued ? " " : "\n",
        );
        expect(sort(text.split("\n")).map((found) => JSON.parse(found))).toEqual(
          values.map((value) => JSON.parse(JSON.stringify(value))),
        );
      },
    ),
    { numRuns: 300 },
  );
});

test("JsonOrLines takes time in proportion to an object of many lines", () => {
  const lines = [
    "{",
    ...Array.from({ length: 200_000 }, (_, i) => `"k${i}": ${i},`),
    '"end": 1',
    "}",
  ];
  const startMs = performance.now();
  expect(sort(lines, 1e8)).toHaveLength(1);
  expect(performance.now() - startMs).toBeLessThan(2000);
});

test("JsonOrLines takes time in proportion to its input for an object that does not begin", () => {
  const lines = ["{", ...new Array<string>(200_000).fill("")];
  const startedMs = performance.now();
  expect(sort(lines).length).toBe(lines.length);
  // Looking at everything again with each line would take minutes.
  expect(performance.now() - startedMs).toBeLessThan(5000);
});
