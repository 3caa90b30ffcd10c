import { expect, test } from "bun:test";
import dummy from "../../../plugins/inputs/dummy.ts";
import { ManualClock } from "../../support/context.ts";
import { InputDriver } from "../../support/input-driver.ts";

/** A dummy under a clock that has been moved on by so much, in steps. */
async function after(ms: number, options: Record<string, unknown>): Promise<InputDriver> {
  const clock = new ManualClock();
  const input = new InputDriver(dummy, options, { ctx: { clock } });
  for (let passed = 0; passed < ms; passed += 10) {
    clock.advance(10);
    for (let i = 0; i < 6; i++) await Promise.resolve();
  }
  await input.stop();
  return input;
}

test("dummy makes the record as often as the rate says", async () => {
  expect((await after(3000, {})).bodies).toEqual(Array(3).fill({ message: "dummy" }));
  expect((await after(2000, { rate: 20, dummy: '{"a":{"b":[1]}}' })).records.length).toBe(40);
  expect((await after(4000, { interval_sec: 2 })).records.length).toBe(2);
  expect((await after(1000, { interval_nsec: 250_000_000 })).records.length).toBe(4);
});

test("dummy stops after its samples, and multiplies them by its copies", async () => {
  const input = await after(10_000, { samples: 3, copies: 2 });
  expect([input.records.length, input.returned]).toEqual([6, true]);
});

test("dummy makes its first record at once with flush_on_startup", async () => {
  expect((await after(20, { flush_on_startup: true })).records.length).toBe(1);
  expect((await after(20, {})).records.length).toBe(0);
});

test("dummy keeps to the times that it is given", async () => {
  const fixed = await after(3000, {
    start_time_sec: 100,
    start_time_nsec: 5,
    fixed_timestamp: true,
  });
  expect(fixed.records.map(({ sec, nsec }) => [sec, nsec])).toEqual(Array(3).fill([100, 5]));
  const running = await after(30, { start_time_sec: 100, flush_on_startup: true });
  expect(running.records[0]!.sec).toBe(100);
});

test("dummy gives each record its own fields and its metadata", async () => {
  const input = await after(2000, { dummy: '{"list":[1]}', metadata: '{"m":1}' });
  const [first, second] = input.records;
  expect(first!.metadata).toEqual({ m: 1 });
  expect(first!.body.list).not.toBe(second!.body.list);
});

test("dummy refuses text that is no JSON object", () => {
  for (const text of ["[1]", "nonsense", '"x"']) {
    expect(() => new InputDriver(dummy, { dummy: text })).toThrow("expected a JSON object");
  }
});
