import { expect, test } from "bun:test";
import { countOf } from "../../src/lib/count-of.ts";

test("countOf() says one of a thing, and several", () => {
  expect([0, 1, 2].map((count) => countOf(count, "record"))).toEqual([
    "0 records",
    "1 record",
    "2 records",
  ]);
});
