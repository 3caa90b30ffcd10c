import { describe, expect, test } from "bun:test";
import type { Body } from "logcollector/plugin";
import throttle from "../../../plugins/filters/throttle.ts";
import { makeFilter } from "./filter-driver.ts";

const many = (count: number): Body[] => Array.from({ length: count }, (_, i) => ({ i }));

describe("throttle", () => {
  test("lets rate times window records through at once, and then none", async () => {
    const driver = makeFilter(throttle, { rate: 3 });
    expect((await driver.feed(...many(60))).length).toBe(15);
    expect((await driver.feed(...many(5))).length).toBe(0);
  });

  test("keeps the first records of a batch", async () => {
    const driver = makeFilter(throttle, { rate: 2, window: 2 });
    expect(await driver.feed(...many(9))).toEqual(many(4));
  });

  test("a fraction rounds up over the window", async () => {
    const driver = makeFilter(throttle, { rate: "3.3", window: 7 });
    expect((await driver.feed(...many(60))).length).toBe(24);
  });

  test("a rate or window of one and less means the default", async () => {
    const driver = makeFilter(throttle, { rate: 0.5, window: 1 });
    expect((await driver.feed(...many(60))).length).toBe(5);
  });

  test("what an interval let through counts until the window has passed it", async () => {
    const driver = makeFilter(throttle, { rate: 2, window: 3 });
    const pass = async (count: number) => (await driver.feed(...many(count))).length;
    expect(await pass(4)).toBe(4);
    driver.ctx.clock.advance(1000);
    expect(await pass(9)).toBe(2);
    driver.ctx.clock.advance(1000);
    expect(await pass(9)).toBe(0);
    driver.ctx.clock.advance(1000);
    expect(await pass(9)).toBe(4);
    driver.ctx.clock.advance(100_000);
    expect(await pass(9)).toBe(6);
  });

  test("interval sets the length of a step", async () => {
    const driver = makeFilter(throttle, { rate: 2, window: 2, interval: "1m" });
    expect((await driver.feed(...many(9))).length).toBe(4);
    driver.ctx.clock.advance(119_000);
    expect((await driver.feed(...many(9))).length).toBe(0);
    driver.ctx.clock.advance(1000);
    expect((await driver.feed(...many(9))).length).toBe(4);
  });

  test("print_status logs the rate in every interval until the filter is closed", async () => {
    const driver = makeFilter(throttle, { rate: 2, print_status: "on" });
    await driver.feed(...many(10));
    driver.ctx.clock.advance(2000);
    expect(driver.ctx.logged.map(({ message }) => message)).toEqual([
      "Limit is 2 per 1s with a window of 5, current rate is 2 per interval",
      "Limit is 2 per 1s with a window of 5, current rate is 2 per interval",
    ]);
    driver.filter.close?.();
    driver.ctx.clock.advance(9000);
    expect(driver.ctx.logged.length).toBe(2);
  });

  test("mistakes in options name the option", () => {
    expect(() => makeFilter(throttle, { rate: "fast" })).toThrow("rate: expected a number");
    expect(() => makeFilter(throttle, { interval: "1x" })).toThrow("interval: expected a time");
  });
});
