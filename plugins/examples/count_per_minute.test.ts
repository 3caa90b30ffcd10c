import { expect, test } from "bun:test";
import { conformance, testFilter } from "logcollector/testing";
import count from "./count_per_minute.ts";

test("it sends counts once a minute, and holds what it counted until they are safe", async () => {
  await using filter = testFilter(count, {}, { acks: "manual" });
  expect(await filter.feed([{ level: "info" }, { level: "warn" }, {}])).toEqual([]);
  expect(await filter.feed([{ level: "info" }])).toEqual([]);
  expect(filter.held).toBe(2);
  await filter.clock.advance("60s");
  expect(filter.emitted.map(({ tag, bodies }) => ({ tag, bodies }))).toEqual([{
    tag: "counts",
    bodies: [
      { level: "info", records: 2 },
      { level: "warn", records: 1 },
      { level: "(none)", records: 1 },
    ],
  }]);
  expect(filter.held).toBe(2);
  filter.ackAll();
  expect(filter.held).toBe(0);
  await filter.clock.advance("600s");
  expect(filter.emitted).toHaveLength(1);
});

test("at the end it sends what it has", async () => {
  await using filter = testFilter(count, { key: "k", keep: "on", tag: "t" });
  expect(await filter.feed([{ k: 1 }, { k: 1 }])).toHaveLength(2);
  expect(await filter.flush()).toEqual([{ k: "1", records: 2 }]);
  expect(await filter.flush()).toEqual([]);
});

test("it bounds what it counts apart", async () => {
  await using filter = testFilter(count, { key: "k" });
  await filter.feed(Array.from({ length: 5000 }, (_, k) => ({ k })));
  const counts = await filter.flush();
  expect(counts).toHaveLength(1001);
  expect(counts.at(-1)).toEqual({ k: "(others)", records: 4000 });
});

for (const { name, run } of conformance(count)) test(name, run);
