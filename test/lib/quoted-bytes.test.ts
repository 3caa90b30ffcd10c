import { expect, test } from "bun:test";
import fc from "fast-check";
import { LONGEST_ESCAPE, writeQuotedLines } from "../../src/lib/quoted-bytes.ts";

function quote(lines: readonly string[], between: string): string {
  const source = Buffer.from(lines.join("\n"));
  const separator = Buffer.from(between);
  const out = Buffer.alloc(
    3 + source.length * LONGEST_ESCAPE + (separator.length + 2) * lines.length,
  );
  const end = writeQuotedLines(source, 0, source.length, separator, out, 3);
  return out.toString("utf8", 3, end);
}

test("writeQuotedLines() writes each line as JSON.stringify does", () => {
  const line = fc.string({ unit: "binary" }).filter((text) =>
    !text.includes("\n") && text.isWellFormed()
  );
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 5 }), (lines) => {
      expect(quote(lines, "},{")).toBe(lines.map((text) => JSON.stringify(text)).join("},{"));
    }),
  );
});

test("writeQuotedLines() escapes every control character", () => {
  const all = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code))
    .filter((letter) => letter !== "\n").join("");
  expect(quote([all, ""], "")).toBe(JSON.stringify(all) + '""');
});
