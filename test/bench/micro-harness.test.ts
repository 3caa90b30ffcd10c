import { describe, expect, test } from "bun:test";
import { measureTask, rateOf } from "../../bench/micro/harness.ts";

const OPTIONS = { samples: 3, sampleMs: 1, warmUpMs: 1 };

describe("measureTask()", () => {
  test("takes as many samples of each way as it is told", () => {
    const contestants = ["first", "second"].map((name) => ({ name, run: () => 7 }));
    const results = measureTask({ name: "t", bytes: 10, records: 2, contestants }, OPTIONS);
    expect(results.map(({ contestant, samplesSec }) => [contestant, samplesSec.length])).toEqual([
      ["first", 3],
      ["second", 3],
    ]);
  });

  test("refuses a way that comes to another result", () => {
    const contestants = [{ name: "right", run: () => 1 }, { name: "wrong", run: () => 2 }];
    expect(() => measureTask({ name: "t", bytes: 1, records: 1, contestants }, OPTIONS))
      .toThrow('Cannot compare "t": "wrong" came to 2, not 1');
  });
});

test("rateOf() is by the median, and the spread from the slowest to the fastest", () => {
  const result = {
    task: "t",
    contestant: "c",
    bytes: 4e6,
    records: 100,
    samplesSec: [0.5, 2, 1],
  };
  expect(rateOf(result)).toEqual({
    mbPerSec: 4,
    recordsPerSec: 100,
    spread: { min: 2, max: 8 },
  });
});
