import { expect, test } from "bun:test";
import fc from "fast-check";
import { Batch, jsonEncoder, type JsonEncoderOptions } from "logcollector/plugin";

const NOW = { sec: 1_700_000_000, nsec: 250_000_000 };

/** The same lines as bytes, and as records. */
function batches(lines: readonly string[], extra: Record<string, string> | undefined) {
  const source = { key: "log", ...NOW, extra };
  const bytes = Buffer.from(lines.join("\n"));
  return {
    raw: Batch.ofLines("t", { ...source, bytes, count: lines.length }),
    records: Batch.of("t", lines.map((log) => ({ ...NOW, body: { ...extra, log } }))),
  };
}

function encoded(batch: Batch, options: JsonEncoderOptions): string {
  const parts: string[] = [];
  jsonEncoder(options).encode(batch, {
    text: (text) => parts.push(text),
    bytes: (bytes) => parts.push(Buffer.from(bytes).toString()),
  });
  return parts.join("");
}

const options = fc.record({
  format: fc.constantFrom("json" as const, "json_lines" as const, "json_stream" as const),
  dateKey: fc.constantFrom<string | false>(false, "date", "é"),
  dateFormat: fc.constantFrom("double" as const, "iso8601" as const),
});
const extra = fc.constantFrom(undefined, { path: '/var/log/"a"\\.log' });
const letters = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.string({
    unit: fc.constantFrom('"', "\\", "\t", "\r", "\u0001", "\u001f", "\x7f", "é", "😀", "a"),
  }),
).map((text) => text.replaceAll("\n", "").toWellFormed());

test("lines that are bytes are written as the records that they would become", () => {
  const lines = fc.array(letters, { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(lines, options, extra, (lines, options, extra) => {
      const { raw, records } = batches(lines, extra);
      expect(encoded(raw, options)).toBe(encoded(records, options));
    }),
    { numRuns: 500 },
  );
});

// Behind the largest block that the kernels take, and behind what they can write.
test.each([[3, 100_000, "x"], [2, 200_000, '"'], [5, 50_000, "\u0001"], [100_000, 0, ""]])(
  "%p lines of %p times %p are written as records are",
  (count, length, letter) => {
    const { raw, records } = batches(Array(count).fill(letter.repeat(length)), undefined);
    const options = { format: "json_lines", dateKey: "date" } as const;
    expect(encoded(raw, options) === encoded(records, options)).toBe(true);
  },
);

test("what lies behind the end of a block is not written", () => {
  const options = { format: "json_lines", dateKey: false } as const;
  for (let length = 20; length >= 0; length--) {
    const { raw, records } = batches(['"'.repeat(length)], undefined);
    expect(encoded(raw, options)).toBe(encoded(records, options));
  }
});
