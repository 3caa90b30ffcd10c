import { expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { numbers } from "../../support/test-pipeline.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { WorkerPipeline, type WorkerPipelineOptions } from "./worker-pipeline.ts";

// What ends a test that waits in vain are the deadlines of what it waits for.
setDefaultTimeout(60_000);

/** A filter that does something bad at record 25, the first time only when there is a `mark`. */
const badAt25 = (bad: string) => `
import { existsSync, writeFileSync } from "node:fs";
export default defineFilter({
  name: "own", summary: "A test", config: z.object({ mark: z.string().optional() }),
  create: (config, ctx) => ({
    process(batch) {
      if (!batch.records.some((r) => r.body.n === 25)) return batch;
      if (config.mark !== undefined) {
        if (existsSync(config.mark)) return batch;
        writeFileSync(config.mark, "");
      }
      ${bad}
    },
  }),
});
`;

/** Where a worker must be given up. Longer than it takes to start one on a busy machine. */
const SHORT = { timeoutMs: () => 1500 };

const BAD: readonly [string, string, RegExp, NonNullable<WorkerPipelineOptions["isolation"]>][] = [
  ["a busy loop", "while (true);", /gave no answer within 1.5 s/, SHORT],
  [
    "a promise that never resolves",
    "return new Promise(() => {});",
    /gave no answer within 1.5 s/,
    SHORT,
  ],
  ["process.exit", "process.exit(0);", /ended itself with process\.exit\(0\)/, {}],
  [
    "a throw outside the call",
    'setTimeout(() => { throw new Error("later"); }, 1); return new Promise(() => {});',
    /threw outside a call: later .*own\.ts:\d+/,
    {},
  ],
  [
    "a rejection that nobody catches",
    'Promise.reject(new Error("alone")); return new Promise(() => {});',
    /threw outside a call: alone/,
    {},
  ],
  [
    "a memory hog that never returns",
    "const hog = []; for (let i = 0; ; i++) { hog.push(new Uint8Array(1e5).fill(1)); Bun.sleepSync(1); }",
    /uses \d+M, more than its memory_limit of 64M/,
    { memoryLimitBytes: 64e6 },
  ],
];

test.each(BAD)("after %s nothing is lost and the order is kept", async (_, bad, why, isolation) => {
  using folder = new TempFolder();
  await using pipeline = await WorkerPipeline.start(folder, {
    code: badAt25(bad),
    options: { mark: folder.at("mark") },
    isolation,
  });
  for (let i = 0; i < 5; i++) await pipeline.input.emit(numbers(i * 10, 10));
  await pipeline.untilOut(50);
  expect(pipeline.out.map(({ n }) => n)).toEqual(Array.from({ length: 50 }, (_, i) => i));
  expect(existsSync(folder.at("mark"))).toBe(true);
  expect(pipeline.messages.join("\n")).toMatch(why);
  expect(pipeline.messages.join("\n")).toContain('The worker of filter "own" of');
  expect(pipeline.metric("plugin_restarts_total", { kind: "filter" })).toBe(1);
});

test.each([
  ["a busy loop", "while (true);", SHORT],
  ["process.exit", "process.exit(3);", {}],
])("a batch that always ends in %s is dropped after three attempts", async (_, bad, isolation) => {
  using folder = new TempFolder();
  await using pipeline = await WorkerPipeline.start(folder, {
    code: badAt25(bad),
    isolation,
  });
  let acks = 0;
  for (let i = 0; i < 5; i++) await pipeline.input.emit(numbers(i * 10, 10), () => void acks++);
  await pipeline.untilOut(40);
  await pipeline.until(() => acks === 5, "five acks");
  expect(pipeline.out.map(({ n }) => n)).toEqual(
    Array.from({ length: 50 }, (_, i) => i).filter((n) => n < 20 || n >= 30),
  );
  expect(pipeline.metric("dropped_records_total", { reason: "plugin_failed" })).toBe(10);
  expect(pipeline.messages.join("\n")).toMatch(
    /error: Dropped a batch of 10 records: the plugin's worker failed 3 times at it: it /,
  );
  expect(pipeline.metric("plugin_restarts_total")).toBe(3);
});

test("with on_error: pass the batch that ends the worker goes on as it was", async () => {
  using folder = new TempFolder();
  await using pipeline = await WorkerPipeline.start(folder, {
    code: badAt25("process.exit(1);"),
    onError: "pass",
  });
  for (let i = 0; i < 5; i++) await pipeline.input.emit(numbers(i * 10, 10));
  await pipeline.untilOut(50);
  expect(pipeline.out.map(({ n }) => n)).toEqual(Array.from({ length: 50 }, (_, i) => i));
});

test("memory that a filter keeps costs a restart between two batches, and no batch", async () => {
  using folder = new TempFolder();
  await using pipeline = await WorkerPipeline.start(folder, {
    code: `
const kept = [];
export default defineFilter({
  name: "own", summary: "Keeps all", config: z.object({}),
  create: () => ({ process(batch) { kept.push(new Uint8Array(5e6).fill(1)); return batch; } }),
});`,
    isolation: { memoryLimitBytes: 32e6 },
  });
  for (let i = 0; i < 20; i++) await pipeline.input.emit(numbers(i, 1));
  await pipeline.untilOut(20);
  expect(pipeline.out.map(({ n }) => n)).toEqual(Array.from({ length: 20 }, (_, i) => i));
  expect(pipeline.metric("plugin_restarts_total")).toBeGreaterThanOrEqual(1);
  expect(pipeline.metric("dropped_records_total")).toBe(0);
  expect(pipeline.messages.join("\n")).toMatch(
    /uses \d+M, more than its memory_limit of 32M/,
  );
});

test("what a filter holds back is given to the next worker", async () => {
  using folder = new TempFolder();
  await using pipeline = await WorkerPipeline.start(folder, {
    code: `
import { existsSync, writeFileSync } from "node:fs";
export default defineFilter({
  name: "own", summary: "Passes even numbers, holds odd ones until 100", config: z.object({ mark: z.string() }),
  create(config, ctx) {
    let held = [];
    const releases = [];
    return {
      process(batch) {
        if (batch.records[0].body.n === 50 && !existsSync(config.mark)) {
          writeFileSync(config.mark, "");
          process.exit(0);
        }
        if (batch.records[0].body.n === 100) {
          const all = held;
          held = [];
          let left = 1;
          ctx.emit(batch.with(all), () => releases.forEach((release) => release()));
          return batch;
        }
        releases.push(ctx.hold());
        held.push(...batch.records.filter((r) => r.body.n % 2 === 1));
        return batch.with(batch.records.filter((r) => r.body.n % 2 === 0));
      },
    };
  },
});`,
    options: { mark: folder.at("mark") },
  });
  const acks: number[] = [];
  for (let i = 0; i <= 10; i++) {
    await pipeline.input.emit(numbers(i * 10, 10), () => void acks.push(i));
  }
  await pipeline.untilOut(110);
  await pipeline.until(() => acks.length === 11, "eleven acks");
  const sorted = pipeline.out.map(({ n }) => n as number).sort((a, b) => a - b);
  expect(sorted).toEqual(Array.from({ length: 110 }, (_, i) => i));
  expect(acks).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

test("held records that end the worker again and again are given up", async () => {
  using folder = new TempFolder();
  await using pipeline = await WorkerPipeline.start(folder, {
    code: `
export default defineFilter({
  name: "own", summary: "Dies of what it holds", config: z.object({}),
  create: (config, ctx) => ({
    process(batch) {
      ctx.hold();
      setTimeout(() => process.exit(0), 1);
      return batch.with([]);
    },
  }),
});`,
  });
  let acks = 0;
  await pipeline.input.emit(numbers(0, 10), () => void acks++);
  await pipeline.until(() => acks === 1, "the ack");
  expect(pipeline.metric("dropped_records_total", { reason: "plugin_failed" })).toBe(10);
});

test("a process call that waits for room in the pipeline does not hang", async () => {
  using folder = new TempFolder();
  await using pipeline = await WorkerPipeline.start(folder, {
    code: `
export default defineFilter({
  name: "own", summary: "Re-tags by emitting", config: z.object({}),
  create: (config, ctx) => ({
    async process(batch) {
      for (const record of batch.records) await ctx.emit(batch.retag("x", [record]));
      return batch.with([]);
    },
  }),
});`,
    isolation: SHORT,
  });
  for (let i = 0; i < 5; i++) await pipeline.input.emit(numbers(i * 10, 10));
  await pipeline.untilOut(50);
  expect(pipeline.out.map(({ n }) => n)).toEqual(Array.from({ length: 50 }, (_, i) => i));
  expect(pipeline.metric("plugin_restarts_total")).toBe(0);
});
