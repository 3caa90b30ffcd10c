import { expect, test } from "bun:test";
import fc from "fast-check";
import { LineSplitter } from "../../src/lib/line-splitter.ts";

function split(bytes: Uint8Array, maxBytes: number, cuts: readonly number[]): string[] {
  const splitter = new LineSplitter(maxBytes);
  const lines: string[] = [];
  let from = 0;
  for (
    const cut of [...cuts.map((at) => at % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  ) {
    lines.push(...splitter.push(bytes.subarray(from, cut)));
    from = cut;
  }
  return [...lines, ...splitter.flush()];
}

const text = fc.array(fc.constantFrom("a", "ü", "😀", "\n", "\n", "\r\n", "bc"), { maxLength: 60 })
  .map((pieces) => pieces.join(""));

test("LineSplitter finds the same lines wherever the chunks are cut", () => {
  fc.assert(
    fc.property(
      text,
      fc.integer({ min: 4, max: 20 }),
      fc.array(fc.nat(), { maxLength: 8 }),
      (text, max, cuts) => {
        const bytes = Buffer.from(text);
        expect(split(bytes, max, cuts)).toEqual(split(bytes, max, []));
      },
    ),
    { numRuns: 2000 },
  );
});

test("LineSplitter keeps lines whole up to its limit, and cuts longer ones between characters", () => {
  const line = "ü".repeat(10);
  expect(split(Buffer.from(`${line}\r\n${line}\n\nend`), 21, [])).toEqual([line, line, "", "end"]);
  expect(split(Buffer.from(`${line}x\n`), 9, [])).toEqual(["üüüü", "üüüü", "üüx"]);
  expect(split(Buffer.from("x".repeat(8) + "\n"), 4, [])).toEqual(["xxxx", "xxxx"]);
});
