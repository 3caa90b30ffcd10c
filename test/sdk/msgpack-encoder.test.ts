import { expect, test } from "bun:test";
import fc from "fast-check";
import { Batch, JsonTail, msgpackEncoder, type MsgpackEncoderOptions } from "logcollector/plugin";
import { jsonBatch, line, name, NOW, recordsBatch, text } from "./json-batches.ts";

const RUNS = Number(process.env.RUNS ?? 1000);
const FORMS: readonly MsgpackEncoderOptions[] = [
  { metadata: "always" },
  { metadata: "never" },
  { metadata: "where_present", time: "seconds" },
];
const TAIL = new JsonTail({ kubernetes: { pod: "é", labels: { a: 'q"' } }, zz: 1 });

function packed(batch: Batch, form: MsgpackEncoderOptions): string {
  return Buffer.from(msgpackEncoder(form).encode(batch)).toString("hex");
}

test.each(FORMS)("JSON is packed as the records that it stands for: %p", (form) => {
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 6 }), fc.boolean(), (lines, hasTail) => {
      const [bytes, records] = [jsonBatch(lines), recordsBatch(lines)];
      if (hasTail && bytes.append(TAIL)) {
        for (const { body } of records.records) TAIL.addTo(body);
      }
      expect(packed(bytes, form)).toBe(packed(records, form));
    }),
    { numRuns: RUNS },
  );
}, 600_000);

test.each(FORMS)("numbers are packed in their shortest form: %p", (form) => {
  const number = fc.oneof(
    fc.integer(),
    fc.maxSafeInteger(),
    fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.tuple(fc.maxSafeInteger(), fc.nat(9)).map(([digits, places]) => digits / 10 ** places),
    fc.integer({ min: 0, max: 63 }).chain((bits) =>
      fc.constantFrom(2n ** BigInt(bits), -(2n ** BigInt(bits)), 2n ** BigInt(bits) - 1n)
    ),
  );
  fc.assert(
    fc.property(fc.array(number, { maxLength: 20 }), (numbers) => {
      const lines = [`{"a":[${numbers.join()}]}`];
      expect(packed(jsonBatch(lines), form)).toBe(packed(recordsBatch(lines), form));
    }),
    { numRuns: RUNS },
  );
}, 600_000);

test.each(FORMS)("lines are packed as the records that they become: %p", (form) => {
  const raw = fc.array(text.map((each) => each.replaceAll("\n", " ")), { minLength: 1 });
  const extra = fc.option(fc.dictionary(name, text, { maxKeys: 2 }), { nil: undefined });
  fc.assert(
    fc.property(raw, extra, name, (lines, extra, key) => {
      const source = { key, ...NOW, extra };
      const bytes = Buffer.from(lines.join("\n"));
      const batch = Batch.ofLines("t", { ...source, bytes, count: lines.length });
      const body = (line: string) => {
        const { [key]: _, ...rest } = extra ?? {};
        return { ...rest, [key]: line };
      };
      const records = lines.map((line) => ({ ...NOW, body: body(line) }));
      expect(packed(batch, form)).toBe(packed(Batch.of("t", records), form));
    }),
    { numRuns: RUNS },
  );
}, 600_000);

test.each([15, 16, 300, 70_000])(
  "a map and an array of %p get the head that they need",
  (count) => {
    const items = Array.from({ length: count }, (_, i) => i);
    const lines = [
      `{"a":[${items}]}`,
      `{${items.map((i) => `"k${i}":${i}`)}}`,
      `{"t":"${"x".repeat(count)}"}`,
      `{"t":"${"\\t".repeat(Math.min(count, 30_000))}"}`,
    ];
    for (const line of lines) {
      expect(packed(jsonBatch([line]), FORMS[0]!)).toBe(packed(recordsBatch([line]), FORMS[0]!));
    }
  },
);
