import { expect, test } from "bun:test";
import { Batch, type Filter, type FilterContext } from "logcollector/plugin";
import { numbers, ScriptedOutput, TestPipeline } from "../support/test-pipeline.ts";

/** A filter from a function of the batch. */
function filter(process: Filter["process"], match?: string) {
  return { ...(match === undefined ? {} : { match }), create: () => ({ process }) };
}

/** Writes down which filter saw which records under which tag. */
function tracing(seen: string[], name: string, match?: string) {
  return filter((batch) => {
    seen.push(`${name} ${batch.tag} ${batch.records.map(({ body }) => body.n).join(",")}`);
    return batch;
  }, match);
}

test("filters work in their order on the tags that they match", async () => {
  const seen: string[] = [];
  const output = new ScriptedOutput();
  const pipeline = new TestPipeline({
    filters: [tracing(seen, "a"), tracing(seen, "x", "x.*"), tracing(seen, "b")],
    outputs: [{ output }],
  });
  pipeline.emit(numbers(1, 2));
  pipeline.emit(numbers(3, 1, "x.y"));
  await pipeline.advance(1000);
  expect(seen).toEqual(["a test 1,2", "b test 1,2", "a x.y 3", "x x.y 3", "b x.y 3"]);
  expect(output.delivered).toEqual(["1 2 3"]);
});

test("an empty batch goes no further and is acked", () => {
  const seen: string[] = [];
  const pipeline = new TestPipeline({
    filters: [filter((batch) => batch.with([])), tracing(seen, "after")],
    outputs: [{ output: new ScriptedOutput() }],
  });
  let acked = false;
  pipeline.emit(numbers(1, 2), () => void (acked = true));
  expect([seen, acked]).toEqual([[], true]);
  expect(pipeline.metric("filter_drop_records_total")).toBe(2);
});

test("a batch under a new tag goes through all filters again, except the one that made it", async () => {
  const seen: string[] = [];
  const retag = filter((batch) => {
    seen.push(`retag ${batch.tag}`);
    return [batch.with(batch.records.slice(0, 1)), batch.retag("new", batch.records.slice(1))];
  });
  const output = new ScriptedOutput();
  const pipeline = new TestPipeline({
    filters: [tracing(seen, "a"), retag, tracing(seen, "b")],
    outputs: [{ output, match: "new" }],
  });
  let acked = false;
  pipeline.emit(numbers(1, 3), () => void (acked = true));
  expect(seen).toEqual(["a test 1,2,3", "retag test", "b test 1", "a new 2,3", "b new 2,3"]);
  await pipeline.advance(1000);
  expect([output.delivered, acked]).toEqual([["2 3"], true]);
});

test("records that two filters re-tag in a circle are dropped, counted and acked", () => {
  const circle = (to: string, match: string) =>
    filter((batch) => batch.retag(to, batch.records), match);
  const pipeline = new TestPipeline({
    filters: [circle("a", "b"), circle("b", "a")],
    outputs: [{ output: new ScriptedOutput() }],
  });
  let acked = false;
  pipeline.emit(numbers(1, 4, "a"), () => void (acked = true));
  expect(acked).toBe(true);
  expect(pipeline.metric("retag_loop_records_total")).toBe(4);
});

test("a filter that takes its time keeps the order, and the ack waits for it", async () => {
  const doors: (() => void)[] = [];
  const slow = filter((batch) => new Promise((resolve) => doors.push(() => resolve(batch))));
  const output = new ScriptedOutput();
  const pipeline = new TestPipeline({ filters: [slow], outputs: [{ output }] });
  let acked = 0;
  const run = (async () => {
    for (const i of [10, 20, 30]) await pipeline.emit(numbers(i, 2), () => void acked++);
  })();
  for (let i = 0; i < 3; i++) {
    await pipeline.settle();
    expect([doors.length, acked]).toEqual([i + 1, 0]);
    doors[i]!();
  }
  await run;
  await pipeline.advance(1000);
  expect(output.delivered).toEqual(["10 11 20 21 30 31"]);
  expect(acked).toBe(3);
});

for (
  const [name, fail] of [
    ["throws", () => {
      throw new Error("bad record");
    }],
    ["rejects", () => Promise.reject(new Error("bad record"))],
  ] as const
) {
  test(`fault 50: a filter that ${name} costs that batch, counted and acked, and no other`, async () => {
    const failing = filter((batch) => batch.records[0]!.body.n === 20 ? fail() : batch);
    const output = new ScriptedOutput();
    const pipeline = new TestPipeline({ filters: [failing], outputs: [{ output }] });
    let acked = 0;
    for (const i of [10, 20, 30]) await pipeline.emit(numbers(i, 2), () => void acked++);
    await pipeline.advance(1000);
    expect(output.delivered).toEqual(["10 11 30 31"]);
    expect(acked).toBe(3);
    expect(pipeline.metric("dropped_records_total", { reason: "filter_error" })).toBe(2);
    expect(pipeline.messages.join()).toContain("bad record");
  });
}

test("a filter may hold a batch back and emit its records later: then it is acked", async () => {
  const held: { batch: Batch; release: () => void }[] = [];
  let context!: FilterContext;
  const holding = {
    create(ctx: FilterContext): Filter {
      context = ctx;
      return {
        process(batch) {
          held.push({ batch: batch.with(batch.records.slice()), release: ctx.hold() });
          return batch.with([]);
        },
      };
    },
  };
  const seen: string[] = [];
  const output = new ScriptedOutput();
  const pipeline = new TestPipeline({
    filters: [tracing(seen, "a"), holding, tracing(seen, "b")],
    outputs: [{ output }],
  });
  let acked = false;
  pipeline.emit(numbers(1, 2), () => void (acked = true));
  await pipeline.advance(2000);
  expect([acked, seen]).toEqual([false, ["a test 1,2"]]);
  const [{ batch, release }] = held as [typeof held[number]];
  context.emit(batch, release);
  expect(acked).toBe(false);
  await pipeline.advance(1000);
  expect(acked).toBe(true);
  expect(seen.slice(1)).toEqual(["a test 1,2", "b test 1,2"]);
  expect(output.delivered).toEqual(["1 2"]);
  expect(() => context.hold()).toThrow("only valid in process()");
});

test("records under a tag that no output matches are counted and acked", () => {
  const pipeline = new TestPipeline({
    outputs: [{ output: new ScriptedOutput(), match: "other" }],
  });
  let acked = false;
  pipeline.emit(numbers(1, 3), () => void (acked = true));
  expect(acked).toBe(true);
  expect(pipeline.metric("unrouted_records_total")).toBe(3);
});

test("a rejected record is counted as rejected and not as filtered too", async () => {
  const rejecting = {
    create: (ctx: FilterContext): Filter => ({
      process(batch) {
        const kept = batch.records.filter((record) => {
          const n = Number(record.body.n);
          if (n === 2) ctx.reject(record, new Error("no level"));
          if (n === 9) throw new Error("broken");
          return n > 2;
        });
        return batch.with(kept);
      },
    }),
  };
  const pipeline = new TestPipeline({
    filters: [rejecting],
    outputs: [{ output: new ScriptedOutput() }],
  });
  pipeline.emit(numbers(1, 4));
  expect(pipeline.metric("dropped_records_total", { reason: "rejected" })).toBe(1);
  expect(pipeline.metric("filter_drop_records_total")).toBe(1);
  pipeline.emit(numbers(2, 8));
  expect(pipeline.metric("dropped_records_total", { reason: "rejected" })).toBe(2);
  expect(pipeline.metric("dropped_records_total", { reason: "filter_error" })).toBe(7);
});

test.each(
  [
    ["pass", 3, "error: Passed on a batch of 3 records at which the filter failed: broken"],
    ["drop", 0, "warn: Dropped a batch of 3 records: broken"],
    ["reject", 0, "error: Dropped a batch of 3 records: broken"],
  ] as const,
)("on_error %s says what becomes of the records", async (onError, kept, message) => {
  let released = 0;
  const failing = {
    onError,
    create: (ctx: FilterContext): Filter => ({
      process() {
        ctx.hold();
        throw new Error("broken");
      },
    }),
  };
  const output = new ScriptedOutput();
  const pipeline = new TestPipeline({ filters: [failing], outputs: [{ output }] });
  pipeline.emit(numbers(1, 3), () => void released++);
  await pipeline.advance(1000);
  expect(output.delivered.join(" ").split(" ").filter(Boolean)).toHaveLength(kept);
  expect(pipeline.messages).toEqual([message]);
  expect(pipeline.metric("dropped_records_total", { reason: "filter_error" })).toBe(3 - kept);
  // What the failed call held is let go of with it.
  expect(released).toBe(1);
});

test("a filter whose promise gives no batch costs its batch, not its input", async () => {
  const wrong = filter(() => Promise.resolve(undefined as unknown as Batch));
  const pipeline = new TestPipeline({
    filters: [wrong],
    outputs: [{ output: new ScriptedOutput() }],
  });
  let acked = false;
  await pipeline.emit(numbers(1, 3), () => void (acked = true));
  expect(acked).toBe(true);
  expect(pipeline.metric("dropped_records_total", { reason: "filter_error" })).toBe(3);
});

test("a filter may hold its batch after another one led back to it", () => {
  const contexts: FilterContext[] = [];
  let holds = 0;
  const emitting = (to: string): { create: (ctx: FilterContext) => Filter } => ({
    create(ctx) {
      contexts.push(ctx);
      return {
        process(batch) {
          if (batch.tag === "test" || batch.tag === "one") {
            ctx.emit(Batch.of(to, numbers(9, 1).records));
          }
          ctx.hold();
          holds++;
          return batch;
        },
      };
    },
  });
  const pipeline = new TestPipeline({
    filters: [emitting("one"), emitting("two")],
    outputs: [{ output: new ScriptedOutput() }],
  });
  pipeline.emit(numbers(1, 1));
  expect(pipeline.metric("dropped_records_total")).toBe(0);
  expect(holds).toBeGreaterThan(3);
});

test("an ack of a filter that throws costs no other ack, and the output goes on", async () => {
  let context!: FilterContext;
  const output = new ScriptedOutput();
  const pipeline = new TestPipeline({
    filters: [{
      create(ctx) {
        context = ctx;
        return { process: (batch) => batch };
      },
    }],
    outputs: [{ output }],
  });
  context.emit(numbers(1, 1), () => {
    throw new Error("cannot let go");
  });
  let acked = false;
  pipeline.emit(numbers(2, 1), () => void (acked = true));
  await pipeline.advance(1000);
  expect([output.delivered, acked]).toEqual([["1 2"], true]);
  expect(pipeline.messages).toEqual(["error: Cannot take an ack: cannot let go"]);
});

test("a filter that borrows gets lines that still are the reader's bytes, all others their own", () => {
  const seen: (boolean | undefined)[] = [];
  const looking = (borrows: boolean) => ({
    create: () => ({
      borrows,
      process(batch: Batch) {
        seen.push(batch.raw && batch.raw.bytes !== undefined);
        return batch;
      },
    }),
  });
  const pipeline = new TestPipeline({
    filters: [looking(true), looking(false), looking(true)],
    outputs: [{ output: new ScriptedOutput() }],
  });
  const bytes = Buffer.from("1\n2");
  pipeline.emit(Batch.ofLines("test", { key: "n", sec: 1, nsec: 0, bytes, count: 2 }));
  expect(seen).toEqual([true, false, false]);
});
