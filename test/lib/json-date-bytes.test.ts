import { expect, test } from "bun:test";
import fc from "fast-check";
import { jsonDate, type JsonDateFormat } from "../../src/lib/json-date.ts";
import { jsonDateWriter, LONGEST_DATE } from "../../src/lib/json-date-bytes.ts";

const FORMATS: JsonDateFormat[] = [
  "double",
  "epoch",
  "epoch_ms",
  "iso8601",
  "java_sql_timestamp",
];

test.each(FORMATS)("%s is written as JSON.stringify writes it", (format) => {
  const dateOf = jsonDate(format);
  const write = jsonDateWriter(format);
  const out = Buffer.alloc(LONGEST_DATE);
  const sec = fc.oneof(fc.integer({ min: -1e9, max: 2 ** 35 }), fc.constantFrom(0, 1_767_600_000));
  const nsec = fc.oneof(
    fc.integer({ min: 0, max: 999_999_999 }),
    fc.integer({ min: 0, max: 999 }).map((ms) => ms * 1e6),
    fc.constantFrom(0, 499, 500, 999_999_499, 999_999_500),
  );
  fc.assert(
    fc.property(sec, nsec, (sec, nsec) => {
      const end = write(sec, nsec, out, 1);
      expect(out.toString("latin1", 1, end)).toBe(JSON.stringify(dateOf(sec, nsec)));
    }),
    { numRuns: 5000 },
  );
});
