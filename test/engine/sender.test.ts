import { describe, expect, test } from "bun:test";
import { PartialError, PermanentError, ThrottledError } from "logcollector/plugin";
import type { DeadLetter } from "../../src/engine/spec.ts";
import { numbers, ScriptedOutput, TestPipeline } from "../support/test-pipeline.ts";

/** Fails the first so many attempts of each payload. */
function failing(times: number, make: () => Error): ScriptedOutput {
  return new ScriptedOutput((_, payload) => {
    if (payload.attempt <= times) throw make();
  });
}

test("an output sends again after a pause that grows, in order, and acks once at the end", async () => {
  const output = failing(3, () => new Error("connection refused"));
  const pipeline = new TestPipeline({ outputs: [{ output }], payloadBytes: 5 });
  const acked: number[] = [];
  for (const i of [10, 20, 30]) pipeline.emit(numbers(i, 2), () => void acked.push(i));
  await pipeline.advance(1000);
  expect(output.delivered.length).toBeLessThan(3);
  await pipeline.advance(6000);
  expect(output.delivered).toEqual(["10 11", "20 21", "30 31"]);
  expect(output.attempts).toEqual(output.delivered.flatMap((text) => [text, text, text, text]));
  expect(acked).toEqual([10, 20, 30]);
  expect(pipeline.metric("output_retries_total")).toBe(9);
  expect(pipeline.metric("output_proc_records_total")).toBe(6);
});

test("an output drops a payload that is refused for good, counts it, acks it and goes on", async () => {
  const output = new ScriptedOutput((text) => {
    if (text.startsWith("20")) throw new PermanentError("status is 400");
  });
  const pipeline = new TestPipeline({ outputs: [{ output }], payloadBytes: 5 });
  const acked: number[] = [];
  for (const i of [10, 20, 30]) pipeline.emit(numbers(i, 2), () => void acked.push(i));
  await pipeline.advance(2000);
  expect(output.delivered).toEqual(["10 11", "30 31"]);
  expect(acked).toEqual([10, 20, 30]);
  expect(pipeline.metric("dropped_records_total", { reason: "refused" })).toBe(2);
  expect(output.attempts.length).toBe(3);
});

test("an output waits as long as it is asked to", async () => {
  const output = failing(1, () => new ThrottledError("slow down", 30_000));
  const pipeline = new TestPipeline({ outputs: [{ output }] });
  pipeline.emit(numbers(1, 1));
  await pipeline.advance(30_900);
  expect(output.attempts.length).toBe(1);
  await pipeline.advance(200);
  expect(output.delivered).toEqual(["1"]);
});

test("fault 46: of a payload that was taken in part only what is left is sent again, and the rest is counted", async () => {
  const output = new ScriptedOutput((_, payload) => {
    if (payload.attempt === 1) throw new PartialError("2 items failed", Buffer.from("2"), 1, 1);
  });
  const pipeline = new TestPipeline({ outputs: [{ output }] });
  let acked = false;
  pipeline.emit(numbers(1, 3), () => void (acked = true));
  await pipeline.advance(3000);
  expect(output.delivered).toEqual(["2"]);
  expect(acked).toBe(true);
  expect(pipeline.metric("output_proc_records_total")).toBe(2);
  expect(pipeline.metric("dropped_records_total", { reason: "refused" })).toBe(1);
  expect(pipeline.metric("output_queue_records")).toBe(0);
  expect(pipeline.metric("output_queue_bytes")).toBe(0);
});

test("the books balance between a delivery in part and that of the rest", async () => {
  const output = new ScriptedOutput((_, payload) => {
    if (payload.attempt === 1) throw new PartialError("2 items failed", Buffer.from("2"), 1, 1);
    throw new Error("down");
  });
  const pipeline = new TestPipeline({ outputs: [{ output }] });
  pipeline.emit(numbers(1, 3));
  await pipeline.advance(3000);
  expect(output.delivered).toEqual([]);
  expect(pipeline.metric("output_proc_records_total")).toBe(1);
  expect(pipeline.metric("output_queue_records")).toBe(1);
  expect(pipeline.imbalances).toEqual([]);
});

test("an output is done with a payload of which nothing is left to send again", async () => {
  const output = new ScriptedOutput(() => {
    throw new PartialError("1 item was refused", new Uint8Array(), 0, 1);
  });
  const pipeline = new TestPipeline({ outputs: [{ output }] });
  let acked = false;
  pipeline.emit(numbers(1, 3), () => void (acked = true));
  await pipeline.advance(3000);
  expect([output.attempts.length, acked]).toEqual([1, true]);
  expect(pipeline.metric("output_proc_records_total")).toBe(2);
  expect(pipeline.metric("dropped_records_total")).toBe(1);
});

for (const limit of [0, 1, 3]) {
  test(`an output gives a payload up after ${limit} retries, and counts it`, async () => {
    const output = failing(Infinity, () => new Error("down"));
    const pipeline = new TestPipeline({ outputs: [{ output, retryLimit: limit }] });
    let acked = false;
    pipeline.emit(numbers(1, 3), () => void (acked = true));
    await pipeline.advance(20_000);
    expect([output.attempts.length, acked]).toEqual([limit + 1, true]);
    expect(pipeline.metric("dropped_records_total", { reason: "retry_limit" })).toBe(3);
    expect(pipeline.metric("output_retries_failed_total")).toBe(1);
  });
}

test("an ack that throws does not make an output send again", async () => {
  const output = new ScriptedOutput();
  const pipeline = new TestPipeline({ outputs: [{ output }] });
  pipeline.emit(numbers(1, 1), () => {
    throw new Error("cannot write the checkpoint");
  });
  await pipeline.advance(3000);
  expect(output.attempts).toEqual(["1"]);
  expect(pipeline.messages.join()).toContain("cannot write the checkpoint");
});

test("an output is opened before its first payload, and again when that failed", async () => {
  const happened: string[] = [];
  let openings = 0;
  const output = Object.assign(new ScriptedOutput(() => void happened.push("send")), {
    async open() {
      happened.push("open");
      if (++openings === 1) throw new Error("no route to host");
    },
  });
  const pipeline = new TestPipeline({ outputs: [{ output }], payloadBytes: 5 });
  for (const i of [10, 20]) pipeline.emit(numbers(i, 2));
  await pipeline.advance(3000);
  expect(happened).toEqual(["open", "open", "send", "send"]);
});

test("max_in_flight lets that many payloads be on their way, and no more", async () => {
  let now = 0;
  let most = 0;
  const doors: (() => void)[] = [];
  const output = new ScriptedOutput(() => {
    most = Math.max(most, ++now);
    return new Promise<void>((resolve) => doors.push(resolve)).then(() => void now--);
  });
  const pipeline = new TestPipeline({ outputs: [{ output, maxInFlight: 3 }], payloadBytes: 5 });
  for (let i = 10; i < 20; i++) pipeline.emit(numbers(i * 10, 2));
  for (let i = 0; i < 10; i++) {
    await pipeline.advance(1500);
    doors.shift()?.();
  }
  await pipeline.settle();
  expect(most).toBe(3);
  expect(output.delivered.length).toBe(10);
});

test("one output that is down does not hold up another, and the ack waits for both", async () => {
  const down = failing(5, () => new Error("down"));
  const up = new ScriptedOutput();
  const pipeline = new TestPipeline({ outputs: [{ output: down }, { output: up }] });
  let acked = false;
  pipeline.emit(numbers(1, 2), () => void (acked = true));
  await pipeline.advance(1100);
  expect([up.delivered, acked]).toEqual([["1 2"], false]);
  await pipeline.advance(10_000);
  expect([down.delivered, acked]).toEqual([["1 2"], true]);
});

test("an output that is throttled without a pause waits its own, growing one", async () => {
  for (const asked of [0, -5, NaN]) {
    const output = failing(Infinity, () => new ThrottledError("again", asked));
    const pipeline = new TestPipeline({ outputs: [{ output }] });
    pipeline.emit(numbers(1, 1));
    await pipeline.advance(6000);
    expect(output.attempts.length).toBeGreaterThan(3);
    expect(output.attempts.length).toBeLessThan(16);
  }
});

test("an output says what was refused of a payload of which the rest was taken", async () => {
  const output = new ScriptedOutput(() => {
    throw new PartialError("mapping conflict", new Uint8Array(), 0, 2);
  });
  const pipeline = new TestPipeline({ outputs: [{ output }] });
  pipeline.emit(numbers(1, 3));
  await pipeline.advance(2000);
  expect(pipeline.messages).toEqual(["error: Dropped 2 records: mapping conflict"]);
});

describe("what is given up, where dead letters are kept", () => {
  const refusing = () =>
    new ScriptedOutput((text) => {
      if (text.startsWith("20")) throw new PermanentError("status is 400");
    });

  test("is kept with its reason before it is acked, and the next payload goes on", async () => {
    const letters: DeadLetter[] = [];
    const kept = Promise.withResolvers<void>();
    const pipeline = new TestPipeline({
      outputs: [{ output: refusing() }],
      payloadBytes: 5,
      keep: (letter) => {
        letters.push({ ...letter, bytes: letter.bytes.slice() });
        return kept.promise;
      },
    });
    const acked: number[] = [];
    for (const i of [10, 20, 30]) pipeline.emit(numbers(i, 2), () => void acked.push(i));
    await pipeline.advance(2000);
    expect(acked).toEqual([10]);
    kept.resolve();
    await pipeline.advance(2000);
    expect(acked).toEqual([10, 20, 30]);
    expect(letters).toEqual([{
      output: "output.0",
      plugin: "scripted",
      format: "",
      partition: "",
      bytes: new Uint8Array(Buffer.from("20 21")),
      records: 2,
      reason: "refused",
      message: "status is 400",
      attempts: 1,
    }]);
    expect(pipeline.metric("output_dead_lettered_records_total")).toBe(2);
    expect(pipeline.metric("dropped_records_total")).toBe(0);
    expect(pipeline.messages).toContain("error: Kept 2 records as a dead letter: status is 400");
    expect(pipeline.imbalances).toEqual([]);
  });

  test("is tried again when it cannot be kept: nothing is acked that is not safe", async () => {
    let broken = true;
    const pipeline = new TestPipeline({
      outputs: [{ output: refusing() }],
      payloadBytes: 5,
      keep: () => broken ? Promise.reject(new Error("no space")) : Promise.resolve(),
    });
    const acked: number[] = [];
    for (const i of [20, 30]) pipeline.emit(numbers(i, 2), () => void acked.push(i));
    await pipeline.advance(3000);
    expect(acked).toEqual([]);
    expect(pipeline.messages.join("\n")).toContain(
      "they cannot be kept as a dead letter: no space; next attempt in",
    );
    expect(pipeline.metric("output_errors_total")).toBe(0);
    broken = false;
    await pipeline.advance(3000);
    expect(acked).toEqual([20, 30]);
    expect(pipeline.imbalances).toEqual([]);
  });

  test("after its last attempt is kept too", async () => {
    const reasons: string[] = [];
    const output = new ScriptedOutput(() => {
      throw new Error("refused connection");
    });
    const pipeline = new TestPipeline({
      outputs: [{ output, retryLimit: 1 }],
      keep: ({ reason, attempts }) => Promise.resolve(void reasons.push(`${reason} ${attempts}`)),
    });
    pipeline.emit(numbers(1, 3));
    await pipeline.advance(5000);
    expect(reasons).toEqual(["retry_limit 2"]);
  });

  test("fault 12: out of the middle of a payload is not given up while it cannot be kept", async () => {
    const kept: string[] = [];
    const acked: number[] = [];
    let broken = true;
    const output = new ScriptedOutput((_, { attempt }) => {
      if (attempt > 1) return;
      throw new PartialError("some failed", Buffer.from("5"), 1, 3, {
        refusedParts: [
          { bytes: Buffer.from("2"), records: 1, message: "two is even" },
          { bytes: Buffer.from("3 4"), records: 2 },
        ],
      });
    });
    const pipeline = new TestPipeline({
      outputs: [{ output }],
      keep({ bytes, message }) {
        if (broken) return Promise.reject(new Error("no space"));
        return Promise.resolve(void kept.push(`${Buffer.from(bytes)}: ${message}`));
      },
    });
    pipeline.emit(numbers(1, 5), () => void acked.push(1));
    await pipeline.advance(5000);
    expect([kept, acked, output.delivered]).toEqual([[], [], []]);
    expect(pipeline.messages.join("\n")).toMatch(
      /Cannot keep 1 record as a dead letter: no space; next attempt in/,
    );
    expect(pipeline.imbalances).toEqual([]);
    broken = false;
    await pipeline.advance(3000);
    expect(kept).toEqual(["2: two is even", "3 4: some failed"]);
    expect([acked, output.delivered]).toEqual([[1], ["5"]]);
    expect(pipeline.metric("dropped_records_total")).toBe(0);
    expect(pipeline.imbalances).toEqual([]);
  });

  test("out of the middle of a payload is sent again whole when the end comes before it is kept", async () => {
    const output = new ScriptedOutput(() => {
      throw new PartialError("some failed", Buffer.from("5"), 1, 1, {
        refusedParts: [{ bytes: Buffer.from("2"), records: 1 }],
      });
    });
    const acked: number[] = [];
    const pipeline = new TestPipeline({
      outputs: [{ output }],
      graceMs: 3000,
      keep: () => Promise.reject(new Error("no space")),
    });
    const ended = pipeline.pipeline.run();
    await pipeline.settle();
    pipeline.emit(numbers(1, 5), () => void acked.push(1));
    await pipeline.advance(3000);
    pipeline.pipeline.requestStop();
    await pipeline.advance(5000);
    await ended;
    expect(acked).toEqual([]);
    expect(pipeline.metric("output_proc_records_total")).toBe(0);
    expect(pipeline.imbalances).toEqual([]);
  });

  test("out of the middle of a payload is kept as far as the output can tell it apart", async () => {
    const kept: string[] = [];
    const output = new ScriptedOutput((_, { attempt }) => {
      if (attempt > 1) return;
      throw new PartialError("some failed", Buffer.from("5"), 1, 3, {
        refusedParts: [{ bytes: Buffer.from("2 3"), records: 2 }],
      });
    });
    const pipeline = new TestPipeline({
      outputs: [{ output }],
      keep: ({ bytes }) => Promise.resolve(void kept.push(Buffer.from(bytes).toString())),
    });
    pipeline.emit(numbers(1, 5));
    await pipeline.advance(3000);
    expect(kept).toEqual(["2 3"]);
    expect(output.delivered).toEqual(["5"]);
    expect(pipeline.metric("output_dead_lettered_records_total")).toBe(2);
    expect(pipeline.metric("dropped_records_total")).toBe(1);
    expect(pipeline.metric("output_proc_records_total")).toBe(2);
    expect(pipeline.imbalances).toEqual([]);
  });
});
