import { expect, setDefaultTimeout, test } from "bun:test";
import { Batch } from "logcollector/plugin";
import { numbers } from "../../support/test-pipeline.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { WorkerPipeline } from "./worker-pipeline.ts";

// What ends a test that waits in vain are the deadlines of what it waits for.
setDefaultTimeout(60_000);

/** A filter whose `process(batch, ctx, config)` has this body. */
const filter = (body: string, more = "") =>
  `${more}
export default defineFilter({
  name: "own",
  summary: "A test",
  config: z.object({ key: z.string().optional() }),
  create: (config, ctx) => ({ process(batch) { ${body} } }),
});
`;

test("batches pass an isolated filter in order, with every kind of value", async () => {
  using folder = new TempFolder();
  await using pipeline = await WorkerPipeline.start(folder, {
    code: filter("for (const r of batch.records) r.body.seen = config.key; return batch;"),
    options: { key: "yes" },
  });
  for (let i = 0; i < 10; i++) await pipeline.input.emit(numbers(i * 10, 10));
  const unusual = {
    big: 2n ** 62n,
    bytes: new Uint8Array([1, 2, 3]),
    nothing: null,
    list: [1, "a", null, { deep: true }],
    real: 1.5,
    text: "ä\u0000€",
  };
  const records = [{ sec: 5, nsec: 6, body: { ...unusual }, metadata: { level: 3 } }];
  await pipeline.input.emit(Batch.of("test", records, { stream: "s", bytes: 9 }));
  await pipeline.untilOut(101);
  expect(pipeline.out.slice(0, 100).map(({ n }) => n)).toEqual(
    Array.from({ length: 100 }, (_, i) => i),
  );
  expect(pipeline.out[0]).toEqual({ n: 0, seen: "yes" });
  expect(pipeline.out[100]).toEqual({ ...unusual, seen: "yes" });
  const last = pipeline.outBatches.at(-1)!.records.at(-1)!;
  expect([last.sec, last.nsec, last.metadata]).toEqual([5, 6, { level: 3 }]);
});

test("a filter may return nothing, another tag, or several batches", async () => {
  using folder = new TempFolder();
  await using pipeline = await WorkerPipeline.start(folder, {
    code: filter(`
      const n = batch.records[0].body.n;
      if (n === 1) return batch.with([]);
      if (n === 2) return batch.retag("other");
      return [batch, batch.retag("copy", batch.records.map((r) => ({ ...r, body: { n: 99 } })))];
    `),
  });
  for (let i = 1; i <= 3; i++) await pipeline.input.emit(numbers(i, 1));
  await pipeline.untilOut(3);
  const byTag = pipeline.outBatches.flatMap(({ tag, records }) =>
    records.map(({ body }) => `${tag} ${body["n"]}`)
  );
  expect(byTag.sort()).toEqual(["copy 99", "other 2", "test 3"]);
  expect(pipeline.metric("filter_drop_records_total")).toBe(1);
});

test("lines that the filter does not look into stay lines", async () => {
  using folder = new TempFolder();
  await using pipeline = await WorkerPipeline.start(folder, { code: filter("return batch;") });
  await pipeline.input.emit(
    Batch.ofLines("test", { key: "log", lines: ["a", "b"], sec: 1, nsec: 0 }, { stream: "s" }),
  );
  await pipeline.untilOut(2);
  expect(pipeline.out).toEqual([{ log: "a" }, { log: "b" }]);
});

test("a throw costs its own batch, and a rejected record itself", async () => {
  using folder = new TempFolder();
  await using pipeline = await WorkerPipeline.start(folder, {
    code: filter(`
      if (batch.records[0].body.n === 10) throw new Error("not ten");
      return perRecord(ctx, (r) => { if (r.body.n === 3) throw new Error("not three"); return r; })
        .process(batch);
    `),
  });
  for (let i = 0; i < 3; i++) await pipeline.input.emit(numbers(i * 5, 5));
  await pipeline.untilOut(9);
  expect(pipeline.out.map(({ n }) => n)).toEqual([0, 1, 2, 4, 5, 6, 7, 8, 9]);
  expect(pipeline.metric("dropped_records_total", { reason: "rejected" })).toBe(1);
  expect(pipeline.metric("dropped_records_total", { reason: "filter_error" })).toBe(5);
  expect(pipeline.messages.join("\n")).toMatch(/Rejected a record: not three \(.*own\.ts:\d+/);
  expect(pipeline.messages.join("\n")).toMatch(/Dropped a batch of 5 records: not ten/);
  expect(pipeline.metric("plugin_restarts_total")).toBe(0);
});

test("what a filter holds back and emits is acked when it is safe, and flushed at the end", async () => {
  using folder = new TempFolder();
  await using pipeline = await WorkerPipeline.start(folder, {
    code: `
export default defineFilter({
  name: "own", summary: "Holds every batch until the next", config: z.object({}),
  create(config, ctx) {
    let held;
    return {
      process(batch) {
        const before = held;
        held = { batch, release: ctx.hold() };
        if (before) ctx.emit(before.batch, before.release);
        return batch.with([]);
      },
      async flush() { await null; return held ? [held.batch] : []; },
    };
  },
});`,
  });
  const acks: number[] = [];
  for (let i = 0; i < 3; i++) {
    await pipeline.input.emit(numbers(i, 1), () => void acks.push(i));
  }
  await pipeline.untilOut(2);
  await pipeline.until(() => acks.length === 2, "two acks");
  expect(acks).toEqual([0, 1]);
  await pipeline.stop();
  expect(pipeline.out.map(({ n }) => n)).toEqual([0, 1, 2]);
  expect(acks).toEqual([0, 1, 2]);
});

test("logs and metrics of the plugin come out as its own", async () => {
  using folder = new TempFolder();
  await using pipeline = await WorkerPipeline.start(folder, {
    code: filter(`
      ctx.log.warn("seen " + batch.length, { n: batch.length });
      ctx.metrics.counter("own_total", "Own", { a: "b" }).value += batch.length;
      ctx.metrics.gauge("own_size", "Size").value = batch.length;
      return batch;
    `),
  });
  await pipeline.input.emit(numbers(0, 3));
  await pipeline.input.emit(numbers(3, 2));
  expect(pipeline.messages).toContain("warn: seen 3");
  expect(pipeline.metric("own_total", { a: "b", name: "own" })).toBe(5);
  expect(pipeline.metric("own_size")).toBe(2);
  expect(pipeline.metric("plugin_memory_bytes")).toBeGreaterThan(0);
});
