import { expect, test } from "bun:test";
import { coalesced } from "../../src/lib/coalesced.ts";

/** Work that a test ends by hand. */
function work() {
  const runs: PromiseWithResolvers<number>[] = [];
  const call = coalesced(() => {
    const run = Promise.withResolvers<number>();
    runs.push(run);
    return run.promise;
  });
  return { runs, call };
}

test("coalesced() shares one more run among all calls that come during one", async () => {
  const { runs, call } = work();
  const first = call();
  const others = Array.from({ length: 19 }, call);
  expect(runs).toHaveLength(1);
  runs[0]!.resolve(1);
  expect(await first).toBe(1);
  await Promise.resolve();
  expect(runs).toHaveLength(2);
  // This one came when the second run was under way: it has not seen what made it come.
  const last = call();
  runs[1]!.resolve(2);
  expect(await Promise.all(others)).toEqual(others.map(() => 2));
  await Promise.resolve();
  runs[2]!.resolve(3);
  expect(await last).toBe(3);
  expect(runs).toHaveLength(3);
});

test("coalesced() runs again after a failure, and at once when nothing is under way", async () => {
  const { runs, call } = work();
  const first = call();
  const second = call();
  runs[0]!.reject(new Error("no"));
  expect(first).rejects.toThrow("no");
  await first.catch(() => undefined);
  await Promise.resolve();
  runs[1]!.resolve(2);
  expect(await second).toBe(2);
  const third = call();
  expect(runs).toHaveLength(3);
  runs[2]!.resolve(3);
  expect(await third).toBe(3);
});
