import { afterEach, describe, expect, spyOn, test } from "bun:test";
import { EmissionOrder } from "../../src/engine/emission-order.ts";
import { InputCheckpoints } from "../../src/engine/input-checkpoints.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { numbers, ScriptedOutput, TestPipeline } from "../support/test-pipeline.ts";

const HOUR_MS = 3_600_000;
const restore: (() => void)[] = [];
afterEach(() => {
  for (const undo of restore.splice(0)) undo();
});

/** From now on the machine's wall clock is so far off. */
function setWallClock(byMs: number): void {
  const real = Date.now;
  const spy = spyOn(Date, "now").mockImplementation(() => real() + byMs);
  restore.push(() => spy.mockRestore());
}

const NOBODY = { save() {}, remove() {}, onRemoved() {} };

describe("fault 37: a wall clock that jumps by an hour", () => {
  for (const byMs of [HOUR_MS, -HOUR_MS]) {
    test(`(${byMs} ms) moves no timer, no pause and no duration`, async () => {
      const beforeMs = systemClock.nowMs();
      const wall = systemClock.wall().sec;
      const slept = systemClock.sleep(30);
      const called = new Promise<void>((resolve) => systemClock.after(30, resolve));
      setWallClock(byMs);
      expect(Math.abs(systemClock.wall().sec - wall - byMs / 1000)).toBeLessThan(2);
      await Promise.all([slept, called]);
      const passedMs = systemClock.nowMs() - beforeMs;
      expect(passedMs).toBeGreaterThan(20);
      expect(passedMs).toBeLessThan(HOUR_MS / 2);
    });

    test(`(${byMs} ms) stops no delivery and no retry`, async () => {
      const output = new ScriptedOutput((_, { attempt }) => {
        if (attempt === 1) throw new Error("away");
      });
      const pipeline = new TestPipeline({ outputs: [{ output }] });
      pipeline.emit(numbers(1, 2));
      pipeline.clock.wallSec += byMs / 1000;
      await pipeline.advance(3000);
      expect(output.delivered).toEqual(["1 2"]);
    });
  }

  test("back between two runs does not make old positions newer than new ones", () => {
    const order = new EmissionOrder({ sec: 1000, nsec: 0 });
    const checkpoints = new InputCheckpoints({}, order, NOBODY);
    const earlier = { position: "earlier run", order: 5_000_000_000 };
    checkpoints.open({
      saved: new Map([["s", earlier]]),
      commit() {},
      close() {},
    }, new Map());
    expect(order.next()).toBeGreaterThan(earlier.order);
  });

  test("of two positions of one stream the one of the later emission counts, wherever it was kept", () => {
    const file = (position: string, order: number) => ({
      saved: new Map([["s", { position, order }]]),
      commit() {},
      close() {},
    });
    for (const [inFile, inQueue, counts] of [[5, 7, "queue"], [7, 5, "file"]] as const) {
      const checkpoints = new InputCheckpoints(
        {},
        new EmissionOrder({ sec: 0, nsec: 0 }),
        NOBODY,
      );
      checkpoints.open(
        file("file", inFile),
        new Map([["s", { position: "queue", order: inQueue }]]),
      );
      expect(checkpoints.saved.get("s")).toBe(counts);
    }
  });
});
