import { expect, test } from "bun:test";
import fc from "fast-check";
import { countLines } from "logcollector/plugin";

/** As one would count by hand. */
function expected(text: string, longest: number): number | undefined {
  const lines = text.split("\n");
  const isOdd = text.includes("\r") || lines.some((line) => line.length > longest);
  return isOdd ? undefined : lines.length;
}

test("lines are counted, and long ones and carriage returns are noticed", () => {
  const character = fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom("a", "b", "\0", "\t", "\x7f") },
    { weight: 3, arbitrary: fc.constant("\n") },
    { weight: 1, arbitrary: fc.constantFrom("", "\r") },
  );
  const block = fc.array(character, { maxLength: 200, size: "max" }).map((all) => all.join(""));
  fc.assert(
    fc.property(block, fc.integer({ min: 1, max: 60 }), (text, longest) => {
      expect(countLines(Buffer.from(text), longest)).toBe(expected(text, longest));
    }),
    { numRuns: 2000 },
  );
});

test.each([65_536, 262_144, 262_145, 1_000_000])("a block of %p bytes is counted", (bytes) => {
  const text = "0123456789\n".repeat(bytes / 11 + 1).slice(0, bytes);
  expect(countLines(Buffer.from(text), 10)).toBe(expected(text, 10));
  expect(countLines(Buffer.from(text), 9)).toBeUndefined();
  expect(countLines(Buffer.from(`${text.slice(1)}\r`), 100)).toBeUndefined();
});

test("what lies behind the block before is not seen", () => {
  expect(countLines(Buffer.from("\n\r".repeat(50)), 9)).toBeUndefined();
  expect(countLines(Buffer.from("a"), 9)).toBe(1);
  expect(countLines(Buffer.from(""), 9)).toBe(1);
});
