import { describe, expect, test } from "bun:test";
import { median, percentile, spread } from "../../bench/statistics.ts";

describe("median()", () => {
  test("is the value in the middle, in any order", () => {
    expect(median([10, 2, 1])).toBe(2);
    expect(median([7])).toBe(7);
  });

  test("is the mean of the middle two of an even number", () => {
    expect(median([1, 10, 2, 4])).toBe(3);
  });

  test("is no number when there is nothing", () => {
    expect(median([])).toBeNaN();
  });
});

describe("percentile()", () => {
  test("goes by nearest rank", () => {
    const values = Array.from({ length: 200 }, (_, i) => 200 - i);
    expect(percentile(values, 0.5)).toBe(100);
    expect(percentile(values, 0.99)).toBe(198);
    expect(percentile(values, 1)).toBe(200);
    expect(percentile([3], 0.01)).toBe(3);
  });
});

test("spread() is the smallest and the largest value", () => {
  expect(spread([3, 1, 2])).toEqual({ min: 1, max: 3 });
});
