import { describe, expect, test } from "bun:test";
import { PartialError, PermanentError, ThrottledError } from "logcollector/plugin";
import { backoffMs } from "../../src/lib/backoff.ts";
import { Circuit } from "../../src/engine/circuit.ts";
import { ManualClock } from "../support/context.ts";
import { Random } from "../support/random.ts";
import { numbers, ScriptedOutput, TestPipeline } from "../support/test-pipeline.ts";

const LIMITS = { baseMs: 100, capMs: 1000 };
const NEVER = new AbortController().signal;

async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

function setUp(random: () => number = () => 1) {
  const clock = new ManualClock();
  const circuit = new Circuit(clock, LIMITS, random);
  const entered: string[] = [];
  const leave = new Map<string, () => void>();
  /** Somebody who wants to try. */
  const comes = async (name: string, signal = NEVER) => {
    const left = await circuit.enter(signal);
    entered.push(name);
    leave.set(name, left);
  };
  const advance = async (ms: number) => {
    await settle();
    clock.advance(ms);
    await settle();
  };
  return { clock, circuit, entered, leave, comes, advance };
}

describe("a circuit", () => {
  test("lets everybody try while all goes well", async () => {
    const { circuit, entered, comes } = setUp();
    await Promise.all(["a", "b", "c"].map((name) => comes(name)));
    circuit.succeeded();
    await comes("d");
    expect(entered).toEqual(["a", "b", "c", "d"]);
  });

  test("doubles its pauses from the base to the cap, and begins anew after a success", () => {
    const { clock, circuit } = setUp();
    const pauses = () =>
      [1, 2, 3, 4, 5, 6].map(() => {
        const ms = circuit.failedOnce(undefined);
        expect(circuit.leftMs).toBe(ms);
        clock.advance(ms);
        return ms;
      });
    expect(pauses()).toEqual([100, 200, 400, 800, 1000, 1000]);
    expect(circuit.failed).toBe(6);
    circuit.succeeded();
    expect([circuit.failed, circuit.leftMs]).toEqual([0, 0]);
    expect(pauses()).toEqual([100, 200, 400, 800, 1000, 1000]);
  });

  test("leaves half of each pause to chance, the same for the same seed", () => {
    const seed = Date.now() >>> 0;
    const random = new Random(seed);
    const same = new Random(seed);
    const { clock, circuit } = setUp(() => random.next());
    for (let failures = 1; failures <= 2000; failures++) {
      const ms = circuit.failedOnce(undefined);
      const full = Math.min(LIMITS.capMs, LIMITS.baseMs * 2 ** (failures - 1));
      expect(ms, `seed ${seed}`).toBeWithin(full / 2, full + 1);
      expect(ms, `seed ${seed}`).toBeCloseTo(backoffMs(failures, LIMITS, () => same.next()), 6);
      clock.advance(ms);
    }
  });

  test("pauses as long as it is asked to, be it longer than its cap or shorter than its own pause", () => {
    const { clock, circuit } = setUp();
    expect(circuit.failedOnce(30_000)).toBe(30_000);
    clock.advance(29_999);
    expect(circuit.leftMs).toBe(1);
    clock.advance(1);
    expect(circuit.failedOnce(5)).toBe(5);
  });

  test.each([0, -1, NaN, undefined])("takes its own pause when it is asked for %p", (asked) => {
    const { circuit } = setUp();
    expect(circuit.failedOnce(asked)).toBe(100);
  });

  test("counts attempts that were under way together as one failure", () => {
    const { clock, circuit } = setUp();
    expect(circuit.failedOnce(undefined)).toBe(100);
    clock.advance(40);
    expect(circuit.failedOnce(undefined)).toBe(60);
    expect(circuit.failed).toBe(1);
    // What the destination asks for counts, but does not shorten a longer pause.
    expect(circuit.failedOnce(200)).toBe(200);
    expect(circuit.failedOnce(50)).toBe(200);
    expect([circuit.failed, circuit.leftMs]).toEqual([1, 200]);
  });

  test("lets one try for all after the pause, in the order in which they came", async () => {
    const { circuit, entered, leave, comes, advance } = setUp();
    circuit.failedOnce(undefined);
    for (const name of ["a", "b", "c"]) void comes(name);
    await advance(99);
    expect(entered).toEqual([]);
    await advance(1);
    expect(entered).toEqual(["a"]);
    await advance(60_000);
    expect(entered).toEqual(["a"]);
    circuit.failedOnce(undefined);
    leave.get("a")!();
    void comes("a");
    await advance(199);
    expect(entered).toEqual(["a"]);
    await advance(1);
    expect(entered).toEqual(["a", "b"]);
    circuit.succeeded();
    leave.get("b")!();
    await settle();
    expect(entered).toEqual(["a", "b", "c", "a"]);
  });

  test("ends its pause when an attempt that was under way succeeds", async () => {
    const { circuit, entered, comes } = setUp();
    circuit.failedOnce(30_000);
    void comes("a");
    void comes("b");
    await settle();
    expect(entered).toEqual([]);
    circuit.succeeded();
    await settle();
    expect(entered).toEqual(["a", "b"]);
  });

  test("that is cut lets everybody try at once, and from then on after a short pause", async () => {
    const { circuit, entered, comes, advance } = setUp();
    circuit.failedOnce(30_000);
    void comes("a");
    void comes("b");
    await settle();
    circuit.cut();
    await settle();
    expect(entered).toEqual(["a", "b"]);
    circuit.failedOnce(30_000);
    void comes("a");
    await advance(249);
    expect(entered).toEqual(["a", "b"]);
    await advance(1);
    expect(entered).toEqual(["a", "b", "a"]);
    const abandoned = new AbortController();
    void comes("c", abandoned.signal);
    await settle();
    abandoned.abort();
    await settle();
    expect(entered).toEqual(["a", "b", "a", "c"]);
  });
});

/** An output that notes when it was tried, with what. */
function timedOutput(decide: (text: string, attempt: number) => unknown) {
  const times: number[] = [];
  const output = new ScriptedOutput((text, payload) => {
    times.push(pipeline.clock.nowMs());
    return decide(text, payload.attempt);
  });
  let pipeline!: TestPipeline;
  return {
    output,
    times,
    /** Payloads of two records: "10 11", "20 21" … */
    run(payloads: number, options: { retryLimit?: number; maxInFlight?: number } = {}) {
      pipeline = new TestPipeline({ outputs: [{ output, ...options }], payloadBytes: 5 });
      for (let i = 1; i <= payloads; i++) void pipeline.emit(numbers(i * 10, 2));
      return pipeline;
    },
  };
}

const gaps = (times: readonly number[]) => times.slice(1).map((at, i) => at - times[i]!);

describe("an output whose destination is away", () => {
  for (const retryLimit of [0, 1, Infinity]) {
    test(`tries no payload before the pause is over, with ${retryLimit} retries`, async () => {
      const { output, times, run } = timedOutput(() => {
        throw new Error("down");
      });
      const pipeline = run(9, { retryLimit });
      await pipeline.advance(6000);
      expect(times.length).toBeGreaterThan(6);
      gaps(times).forEach((ms, i) => {
        const full = Math.min(1000, 100 * 2 ** i);
        // The test's clock moves in steps of 50 ms.
        expect(ms).toBeWithin(full / 2, full + 51);
      });
      const perPayload = retryLimit + 1;
      const expected = times.map((_, i) => {
        const n = 10 * (1 + Math.floor(i / perPayload));
        return `${n} ${n + 1}`;
      });
      expect(output.attempts).toEqual(expected);
      expect(pipeline.metric("dropped_records_total", { reason: "retry_limit" }))
        .toBe(2 * Math.floor(times.length / perPayload));
    });
  }

  test("sends all that waits without a pause after one success", async () => {
    let isDown = true;
    const { output, times, run } = timedOutput(() => {
      if (isDown) throw new Error("down");
    });
    const pipeline = run(9);
    await pipeline.advance(3000);
    expect(output.delivered).toEqual([]);
    isDown = false;
    await pipeline.advance(1050);
    expect(output.delivered.length).toBe(9);
    // Within one step of the test's clock.
    expect(times.at(-1)! - times.at(-9)!).toBeLessThanOrEqual(50);
    // The next failure begins with the shortest pause again.
    isDown = true;
    const before = times.length;
    void pipeline.emit(numbers(990, 2));
    await pipeline.advance(1500);
    expect(gaps(times.slice(before))[0]).toBeWithin(50, 151);
  });

  test("tries one payload for all after each pause with max_in_flight", async () => {
    let now = 0;
    let most = 0;
    const { times, run } = timedOutput(async () => {
      most = Math.max(most, ++now);
      await Promise.resolve();
      now--;
      throw new Error("down");
    });
    const pipeline = run(9, { maxInFlight: 4 });
    await pipeline.advance(6000);
    // All four were under way before anybody knew.
    expect(most).toBe(4);
    expect(new Set(times.slice(0, 4)).size).toBe(1);
    const later = gaps(times.slice(3));
    expect(later.length).toBeGreaterThan(5);
    later.forEach((ms, i) => expect(ms).toBeGreaterThanOrEqual(Math.min(1000, 100 * 2 ** i) / 2));
    expect(pipeline.metric("output_retries_total")).toBe(times.length);
  });

  test("is not held up by one payload that fails every time, with max_in_flight", async () => {
    const { output, run } = timedOutput((text) => {
      if (text.startsWith("10 ")) throw new Error("status is 500");
    });
    const pipeline = run(9, { maxInFlight: 2 });
    await pipeline.advance(10_000);
    expect(output.delivered).toEqual([2, 3, 4, 5, 6, 7, 8, 9].map((i) => `${i}0 ${i}1`));
  });

  test("is left alone for as long as it asks, by every payload", async () => {
    const { output, times, run } = timedOutput((_, attempt) => {
      if (times.length === 1 && attempt === 1) throw new ThrottledError("slow down", 20_000);
    });
    const pipeline = run(5, { retryLimit: 0 });
    await pipeline.advance(21_000);
    expect(output.attempts[0]).toBe("10 11");
    expect(gaps(times)).toEqual([20_000, 0, 0, 0]);
  });

  test("is left alone for as long as it asks when it has taken a part", async () => {
    const { output, times, run } = timedOutput((_, attempt) => {
      if (attempt > 1) return;
      const cause = new ThrottledError("slow down", 20_000);
      throw new PartialError("slow down", Buffer.from("11"), 1, 0, { cause });
    });
    const pipeline = run(1);
    await pipeline.advance(21_000);
    expect(output.delivered).toEqual(["11"]);
    expect(gaps(times)).toEqual([20_000]);
  });

  for (
    const [answer, error] of [
      ["refuses", () => new PermanentError("status is 400")],
      ["takes a part, and refuses the rest", () => new PartialError("no", new Uint8Array(), 0, 1)],
    ] as const
  ) {
    test(`is there again when it ${answer}`, async () => {
      const { output, times, run } = timedOutput((text, attempt) => {
        if (text.startsWith("10 ")) throw attempt < 4 ? new Error("down") : error();
        if (text.startsWith("20 ") && attempt === 1) throw new Error("down");
      });
      const pipeline = run(3);
      await pipeline.advance(4000);
      expect(output.attempts).toEqual([..."1111223"].map((n) => `${n}0 ${n}1`));
      const ms = gaps(times);
      expect(ms[3]).toBe(0);
      expect(ms[4]).toBeWithin(50, 151);
    });
  }
});
