import { expect, test } from "bun:test";
import type { Batch, Input, InputContext } from "logcollector/plugin";
import { idleInput, numbers, ScriptedOutput, TestPipeline } from "../support/test-pipeline.ts";

/** Runs the pipeline to its end, moving the clock on until it is there. */
async function toTheEnd(pipeline: TestPipeline, running: Promise<number>, limitMs = 60_000) {
  let status: number | undefined;
  running.then((value) => void (status = value));
  let ms = 0;
  for (; status === undefined && ms < limitMs; ms += 50) await pipeline.advance(50);
  return { status, ms };
}

/** Emits batches of two until it has emitted so many, and returns. */
function counting(batches: number, acked: number[] = []) {
  return (ctx: InputContext): Input => {
    ctx.stopWhenDone();
    return {
      async run(signal) {
        for (let i = 0; i < batches && !signal.aborted; i++) {
          await ctx.emit(numbers(i * 2, 2), () => void acked.push(i));
        }
      },
    };
  };
}

test("the pipeline ends when its input has ended, once everything is delivered", async () => {
  const output = new ScriptedOutput((_, { attempt }) => {
    if (attempt < 3) throw new Error("down");
  });
  const acked: number[] = [];
  const pipeline = new TestPipeline({ inputs: [counting(40, acked)], outputs: [{ output }] });
  const { status } = await toTheEnd(pipeline, pipeline.pipeline.run());
  expect(status).toBe(0);
  expect(output.delivered.join(" ")).toBe(Array.from({ length: 80 }, (_, i) => i).join(" "));
  expect(acked).toEqual(Array.from({ length: 40 }, (_, i) => i));
  expect(output.closed).toBe(1);
});

test("the pipeline waits for every input that ends by itself, and stops the others", async () => {
  let aborted = false;
  const pipeline = new TestPipeline({
    inputs: [counting(1), counting(5), () => ({
      run: async (signal) => {
        await idleInput().run(signal);
        aborted = true;
      },
    })],
    outputs: [{ output: new ScriptedOutput() }],
  });
  const { status } = await toTheEnd(pipeline, pipeline.pipeline.run());
  expect([status, aborted, pipeline.metric("output_proc_records_total")]).toEqual([0, true, 12]);
});

test("a stop ends inputs, flushes filters, drains outputs and closes, in that order", async () => {
  const happened: string[] = [];
  const pipeline = new TestPipeline({
    inputs: [(ctx) => ({
      async run(signal) {
        await idleInput().run(signal);
        happened.push("input ends");
        ctx.emit(numbers(1, 1));
      },
      close: () => void happened.push("input closes"),
    })],
    filters: [{
      create: () => ({
        process: (batch) => batch,
        flush() {
          happened.push("filter flushes");
          return [numbers(2, 1)];
        },
        close: () => void happened.push("filter closes"),
      }),
    }],
    outputs: [{
      output: Object.assign(new ScriptedOutput((text) => void happened.push(`sends ${text}`)), {
        close: () => void happened.push("output closes"),
      }),
    }],
  });
  const running = pipeline.pipeline.run();
  pipeline.pipeline.requestStop();
  await toTheEnd(pipeline, running);
  expect(happened).toEqual([
    "input ends",
    "filter flushes",
    "sends 1 2",
    "input closes",
    "filter closes",
    "output closes",
  ]);
});

test("a stop cuts the pauses between attempts, and gives up after the grace, acking nothing", async () => {
  const output = new ScriptedOutput(() => {
    throw new Error("down");
  });
  const pipeline = new TestPipeline({ outputs: [{ output }], graceMs: 3000 });
  const running = pipeline.pipeline.run();
  let acked = false;
  pipeline.emit(numbers(1, 4), () => void (acked = true));
  await pipeline.advance(1100);
  const attempts = output.attempts.length;
  pipeline.pipeline.requestStop(7);
  await pipeline.settle();
  const { status, ms } = await toTheEnd(pipeline, running);
  expect([status, acked]).toEqual([7, false]);
  expect(output.attempts.length).toBeGreaterThan(attempts);
  expect(ms).toBeLessThanOrEqual(3300);
  expect(pipeline.messages.join()).toContain("Stopped with 4 records not delivered by output.0");
});

test("after its inputs have ended the pipeline waits as long as something is still delivered", async () => {
  // Slower than the grace in all, but never silent for so long.
  const output = new ScriptedOutput((): Promise<void> => pipeline.clock.sleep(800));
  const pipeline: TestPipeline = new TestPipeline({
    inputs: [counting(20)],
    outputs: [{ output }],
    graceMs: 1000,
    payloadBytes: 5,
  });
  const { ms } = await toTheEnd(pipeline, pipeline.pipeline.run());
  expect(output.delivered.join(" ")).toBe(Array.from({ length: 40 }, (_, i) => i).join(" "));
  expect(ms).toBeGreaterThan(5000);
});

test("nothing that hangs keeps the pipeline from stopping", async () => {
  const never = () => new Promise<never>(() => undefined);
  const pipeline = new TestPipeline({
    inputs: [() => ({ run: never, close: never })],
    filters: [{ create: () => ({ process: (batch) => batch, close: never }) }],
    outputs: [{ output: Object.assign(new ScriptedOutput(never), { close: never }) }],
    graceMs: 1000,
  });
  const running = pipeline.pipeline.run();
  pipeline.emit(numbers(1, 1));
  await pipeline.advance(1100);
  pipeline.pipeline.requestStop();
  const { status, ms } = await toTheEnd(pipeline, running);
  expect(status).toBe(0);
  expect(ms).toBeLessThan(10_000);
});

test("an output that throws when it closes does not keep the others from closing", async () => {
  const first = Object.assign(new ScriptedOutput(), {
    close() {
      throw new Error("cannot close the file");
    },
  });
  const second = new ScriptedOutput();
  const pipeline = new TestPipeline({ outputs: [{ output: first }, { output: second }] });
  const running = pipeline.pipeline.run();
  pipeline.pipeline.requestStop();
  await toTheEnd(pipeline, running);
  expect(second.closed).toBe(1);
  expect(pipeline.messages.join()).toContain("cannot close the file");
});

test("an input that waits for room does not hang when the pipeline is stopped", async () => {
  const output = new ScriptedOutput(() => new Promise(() => undefined));
  let ended = false;
  const pipeline = new TestPipeline({
    inputs: [(ctx) => ({
      async run(signal) {
        for (let i = 0; !signal.aborted; i++) await ctx.emit(numbers(i, 2));
        ended = true;
      },
    })],
    outputs: [{ output, queueBytes: 10 }],
    payloadBytes: 5,
  });
  const running = pipeline.pipeline.run();
  await pipeline.advance(200);
  pipeline.pipeline.requestStop();
  await toTheEnd(pipeline, running);
  expect(ended).toBe(true);
});

test("an input is paused above mem_buf_limit and goes on when its batches are safe", async () => {
  let open = () => {};
  const output = new ScriptedOutput(() => new Promise<void>((resolve) => (open = resolve)));
  const pipeline = new TestPipeline({ outputs: [{ output }], payloadBytes: 5, memBufLimit: 40 });
  expect(pipeline.emit(numbers(10, 2))).toBeUndefined();
  let resolved = false;
  const wait = pipeline.emit(numbers(20, 2))!.then(() => void (resolved = true));
  await pipeline.advance(2000);
  expect([resolved, pipeline.metric("input_pending_bytes")]).toEqual([false, 40]);
  open();
  await wait;
  expect(pipeline.metric("input_pending_bytes")).toBe(20);
});

test("mem_buf_limit sends what waits to grow, instead of waiting for the flush interval", async () => {
  const output = new ScriptedOutput();
  const pipeline = new TestPipeline({ outputs: [{ output }], memBufLimit: 40 });
  expect(pipeline.emit(numbers(10, 2))).toBeUndefined();
  // Time stands still here: a wait for the flush timer would never end.
  await pipeline.emit(numbers(20, 2));
  expect(pipeline.metric("input_pending_bytes")).toBe(0);
});

test("an input that throws is started again, with pauses that grow", async () => {
  const startedMs: number[] = [];
  const pipeline: TestPipeline = new TestPipeline({
    inputs: [() => ({
      async run(signal) {
        startedMs.push(pipeline.clock.nowMs());
        if (startedMs.length < 4) throw new Error("cannot bind");
        await idleInput().run(signal);
      },
    })],
    outputs: [{ output: new ScriptedOutput() }],
  });
  const running = pipeline.pipeline.run();
  await pipeline.advance(20_000);
  expect(startedMs.length).toBe(4);
  const gaps = startedMs.slice(1).map((at, i) => at - startedMs[i]!);
  gaps.forEach((gap, i) => {
    expect(gap).toBeGreaterThanOrEqual(500 * 2 ** i);
    expect(gap).toBeLessThanOrEqual(1000 * 2 ** i + 50);
  });
  pipeline.pipeline.requestStop();
  await toTheEnd(pipeline, running);
});

test("the books balance: what came in was delivered, filtered or dropped, each record once", async () => {
  let sent = 0;
  const output = new ScriptedOutput((_, { attempt }) => {
    sent++;
    if (sent % 7 === 3 && attempt === 1) throw new Error("passing");
  });
  output.encode = (batch, into) => {
    for (const { body } of batch.records) {
      if (Number(body.n) % 31 === 0) into.drop(1, "too_large");
      else into.text(String(body.n), 1);
    }
  };
  const pipeline = new TestPipeline({
    inputs: [counting(200), counting(100)],
    filters: [{
      create: () => ({
        process: (batch) => batch.with(batch.records.filter(({ body }) => Number(body.n) % 5 > 0)),
      }),
    }],
    outputs: [{ output }],
    payloadBytes: 50,
  });
  await toTheEnd(pipeline, pipeline.pipeline.run());
  const came = pipeline.metric("input_records_total");
  expect(came).toBe(600);
  expect(came).toBe(
    pipeline.metric("output_proc_records_total") + pipeline.metric("filter_drop_records_total") +
      pipeline.metric("dropped_records_total"),
  );
  expect(pipeline.metric("output_queue_records")).toBe(0);
  const numbersSent = output.delivered.flatMap((text) => text.split(" ")).length;
  expect(numbersSent).toBe(pipeline.metric("output_proc_records_total"));
});

test("an input may say while it runs that the pipeline ends with it", async () => {
  const pipeline = new TestPipeline({
    inputs: [(ctx) => ({
      async run() {
        await ctx.clock.sleep(100);
        ctx.stopWhenDone();
      },
    })],
    outputs: [{ output: new ScriptedOutput() }],
  });
  const { status } = await toTheEnd(pipeline, pipeline.pipeline.run());
  expect(status).toBe(0);
});

test("a stop that is asked for after the inputs have ended sets the grace as deadline", async () => {
  const output = new ScriptedOutput((): Promise<void> => pipeline.clock.sleep(800));
  const pipeline: TestPipeline = new TestPipeline({
    inputs: [counting(200)],
    outputs: [{ output }],
    graceMs: 1000,
    payloadBytes: 5,
  });
  const running = pipeline.pipeline.run();
  await pipeline.advance(5000);
  pipeline.pipeline.requestStop();
  const { status, ms } = await toTheEnd(pipeline, running);
  expect(status).toBe(0);
  expect(ms).toBeLessThan(2000);
});

test("what a filter holds is not cut off at the end because an output is full", async () => {
  const output = new ScriptedOutput((): Promise<void> => pipeline.clock.sleep(800));
  const flushing = (from: number) => ({
    create: () => ({
      process: (batch: Batch) => batch,
      flush: () => [10, 20, 30].map((n) => numbers(from + n, 2)),
    }),
  });
  const pipeline: TestPipeline = new TestPipeline({
    inputs: [counting(5)],
    filters: [flushing(100), flushing(200)],
    outputs: [{ output, queueBytes: 10 }],
    graceMs: 1000,
    payloadBytes: 5,
  });
  await toTheEnd(pipeline, pipeline.pipeline.run());
  const sent = output.delivered.flatMap((text) => text.split(" ")).map(Number);
  expect(sent.filter((n) => n >= 100)).toEqual([
    ...[110, 111, 120, 121, 130, 131],
    ...[210, 211, 220, 221, 230, 231],
  ]);
});

test("an input that fails after a long time of work is started again soon", async () => {
  const startedMs: number[] = [];
  const pipeline: TestPipeline = new TestPipeline({
    inputs: [(ctx) => ({
      async run(signal) {
        startedMs.push(pipeline.clock.nowMs());
        if (startedMs.length > 5) await ctx.clock.sleep(120_000, signal);
        throw new Error("connection lost");
      },
    })],
    outputs: [{ output: new ScriptedOutput() }],
  });
  const running = pipeline.pipeline.run();
  await pipeline.advance(200_000);
  const last = startedMs.length - 1;
  expect(startedMs[last]! - startedMs[last - 1]!).toBeLessThan(121_100);
  pipeline.pipeline.requestStop();
  await toTheEnd(pipeline, running);
});
