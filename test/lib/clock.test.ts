import { expect, test } from "bun:test";
import { systemClock } from "../../src/lib/clock.ts";

test("the clock does not take a time that is too long for a timer as over at once", async () => {
  let called = 0;
  const cancel = systemClock.after(2 ** 33, () => void called++);
  const limit = new AbortController();
  const slept = systemClock.sleep(Infinity, limit.signal).then(() => void called++);
  await systemClock.sleep(30);
  expect(called).toBe(0);
  cancel();
  limit.abort();
  await slept;
  expect(called).toBe(1);
});
