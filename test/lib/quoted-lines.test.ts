import { expect, test } from "bun:test";
import { lineFrame, type QuotableLines, quoteLines } from "../../src/lib/quoted-lines.ts";

const source = (lines: string[]): QuotableLines => ({
  lines,
  count: lines.length,
  text: lines.join("\n"),
});

const HARD = [
  "",
  "a",
  'q"',
  "b\\",
  "\u0001",
  "\\u0001",
  "x\u0001y",
  "é😀",
  "\n",
  "\\n",
  "\\\\n",
  "\ud800",
  '","',
];

test("quoteLines() quotes each line as JSON.stringify does", () => {
  for (const first of HARD) {
    for (const second of HARD) {
      const lines = [first, second, "end"];
      expect(quoteLines(source(lines), "$&,")).toBe(
        lines.map((l) => JSON.stringify(l)).join("$&,"),
      );
    }
  }
});

test("quoteLines() of nothing is empty", () => {
  expect(quoteLines(source([]), ",")).toBe("");
});

test("lineFrame() is the text around the last field", () => {
  expect(lineFrame({ a: 1n }, "log")).toEqual({ before: '{"a":1,"log":', after: "}" });
});

test("lineFrame() declines names that do not come last", () => {
  expect(lineFrame({ a: 1 }, "0")).toBeUndefined();
  expect(lineFrame({ log: 1, a: 2 }, "log")).toBeUndefined();
});
