import { expect, test } from "bun:test";
import { jsonDate, type JsonDateFormat } from "../../src/lib/json-date.ts";

const CASES: [JsonDateFormat, number | string][] = [
  ["double", 1_700_000_000.004_57],
  ["epoch", 1_700_000_000],
  ["epoch_ms", 1_700_000_000_004],
  ["iso8601", "2023-11-14T22:13:20.004570Z"],
  ["java_sql_timestamp", "2023-11-14 22:13:20.004570"],
];
test.each(CASES)("jsonDate() writes %p", (format, expected) => {
  expect(jsonDate(format)(1_700_000_000, 4_570_499)).toBe(expected);
});

test("jsonDate() writes a double with six decimals at most", () => {
  expect(JSON.stringify(jsonDate("double")(1_795_357_549, 550_278_083))).toBe("1795357549.550278");
});

test("jsonDate() sees that the second has changed", () => {
  const date = jsonDate("iso8601");
  date(1_700_000_000, 0);
  expect(date(1_700_000_001, 0)).toBe("2023-11-14T22:13:21.000000Z");
});
