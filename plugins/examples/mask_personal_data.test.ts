import { expect, test } from "bun:test";
import { conformance, testFilter } from "logcollector/testing";
import mask from "./mask_personal_data.ts";

test("it masks wherever something stands, and counts", async () => {
  await using filter = testFilter(mask);
  const out = await filter.feed([{
    message: "ann@example.com paid with 4111 1111 1111 1111 from 192.168.10.20",
    user: { mails: ["bob@example.org", 5], note: "order 1234 5678 9012 3456" },
  }]);
  expect(out).toEqual([{
    message: "***@example.com paid with **** 1111 from 192.168.x.x",
    user: { mails: ["***@example.org", 5], note: "order 1234 5678 9012 3456" },
  }]);
  expect(filter.metrics.value("masked_values_total")).toBe(2);
});

test("it masks only what was asked for, and leaves fields out", async () => {
  await using filter = testFilter(mask, { kinds: "email", drop_fields: "password,Token" });
  expect(await filter.feed([{ a: "x@y.zz 10.0.0.1", Password: "p", b: { token: "t" } }]))
    .toEqual([{ a: "***@y.zz 10.0.0.1", b: {} }]);
});

test("it refuses a kind that it does not know", () => {
  expect(() => testFilter(mask, { kinds: "phone" })).toThrow('no kind "phone"');
});

for (const { name, run } of conformance(mask)) test(name, run);
