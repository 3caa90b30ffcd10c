import { describe, expect, test } from "bun:test";
import { Batch, type Checkpoint, type FilterContext, PermanentError } from "logcollector/plugin";
import type { Filter, Input, InputContext } from "logcollector/plugin";
import type { CheckpointFile, SavedPosition } from "../../src/engine/checkpoint-file.ts";
import type { DeadLetter } from "../../src/engine/spec.ts";
import {
  idleInput,
  numbers,
  ScriptedOutput,
  TestPipeline,
  type TestPipelineOptions,
} from "../support/test-pipeline.ts";

const KEEP_INPUT = { input: ["input.0"] };

/** A pipeline that runs, with what its `run` returns in the end. */
async function started(options: TestPipelineOptions) {
  const pipeline = new TestPipeline(options);
  const ended = pipeline.pipeline.run();
  await pipeline.settle();
  return { pipeline, ended };
}

/** Waits for something that needs the clock to move. */
async function whileTimePasses<T>(pipeline: TestPipeline, work: Promise<T>): Promise<T> {
  let isOver = false;
  void work.finally(() => (isOver = true));
  for (let i = 0; i < 200 && !isOver; i++) await pipeline.advance(100);
  return await work;
}

async function stop(pipeline: TestPipeline, ended: Promise<number>): Promise<void> {
  pipeline.pipeline.requestStop();
  await whileTimePasses(pipeline, ended);
  expect(pipeline.imbalances).toEqual([]);
}

const all = (outputs: readonly ScriptedOutput[]): number[] =>
  outputs.flatMap(({ delivered }) => delivered.flatMap((text) => text.split(" ").map(Number)));
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

describe("a reload of outputs", () => {
  test("adds one, while the input and the output that stay are not touched", async () => {
    const [first, second] = [new ScriptedOutput(), new ScriptedOutput()];
    const { pipeline, ended } = await started({ outputs: [{ output: first }] });
    pipeline.emit(numbers(0, 3));
    expect(
      await pipeline.reload({ outputs: [{ output: first }, { output: second }] }, {
        unchanged: { ...KEEP_INPUT, output: ["output.0"] },
      }),
    ).toEqual([]);
    expect(pipeline.inputs).toHaveLength(1);
    pipeline.emit(numbers(3, 2));
    await pipeline.advance(1000);
    expect([first.delivered, second.delivered]).toEqual([["0 1 2 3 4"], ["3 4"]]);
    expect(first.closed).toBe(0);
    await stop(pipeline, ended);
  });

  test("delivers what waits for one that is removed, and closes it", async () => {
    const [kept, removed] = [new ScriptedOutput(), new ScriptedOutput()];
    const { pipeline, ended } = await started({ outputs: [{ output: kept }, { output: removed }] });
    const acked: string[] = [];
    pipeline.emit(numbers(0, 2), () => acked.push("0 1"));
    await pipeline.reload({ outputs: [{ output: kept }] }, {
      unchanged: { ...KEEP_INPUT, output: ["output.0"] },
    });
    pipeline.emit(numbers(2, 2));
    await pipeline.settle();
    expect([removed.delivered, removed.closed]).toEqual([["0 1"], 1]);
    await pipeline.advance(1000);
    expect([kept.delivered, acked]).toEqual([["0 1 2 3"], ["0 1"]]);
    await stop(pipeline, ended);
  });

  for (const kept of [false, true]) {
    test(`gives up what a removed one does not take within grace, ${kept ? "as dead letters" : "with an error"}`, async () => {
      const letters: DeadLetter[] = [];
      const removed = new ScriptedOutput(() => {
        throw new Error("away");
      });
      const keep = (letter: DeadLetter) => Promise.resolve(void letters.push(letter));
      const options = kept ? { keep } : {};
      const { pipeline, ended } = await started({ ...options, outputs: [{ output: removed }] });
      const acked: string[] = [];
      pipeline.emit(numbers(0, 2), () => acked.push("first"));
      await pipeline.advance(1000);
      pipeline.emit(numbers(2, 1), () => acked.push("second"));
      await pipeline.reload({ ...options, outputs: [] }, { unchanged: KEEP_INPUT });
      await pipeline.advance(4900);
      expect(acked).toEqual([]);
      await pipeline.advance(200);
      expect(acked).toEqual(["first", "second"]);
      if (kept) {
        expect(
          letters.map(({ bytes, ...letter }) => [Buffer.from(bytes).toString(), letter.reason]),
        )
          .toEqual([["0 1", "output_removed"], ["2", "output_removed"]]);
      } else {
        expect(pipeline.metric("dropped_records_total", { reason: "output_removed" })).toBe(3);
        expect(pipeline.messages).toContain(
          "error: Dropped 2 records: the output was taken out by a reload, and they were not delivered within 5 s",
        );
      }
      expect(removed.closed).toBe(1);
      await stop(pipeline, ended);
    });
  }

  test("hands what waits in memory to a changed one, in order, with the attempt under way once", async () => {
    const gate = Promise.withResolvers<void>();
    const before = new ScriptedOutput(() => gate.promise);
    const after = new ScriptedOutput();
    const { pipeline, ended } = await started({ outputs: [{ output: before }], payloadBytes: 5 });
    for (let i = 0; i < 4; i++) pipeline.emit(numbers(i * 2, 2));
    await pipeline.settle();
    expect(before.attempts).toEqual(["0 1"]);
    const reloading = pipeline.reload({ outputs: [{ output: after }], payloadBytes: 5 }, {
      unchanged: KEEP_INPUT,
      replaces: { output: { "output.0": "output.0" } },
    });
    await pipeline.settle();
    pipeline.emit(numbers(8, 2));
    expect(after.attempts).toEqual([]);
    gate.resolve();
    expect(await whileTimePasses(pipeline, reloading)).toEqual([]);
    await pipeline.advance(1000);
    expect(all([before, after])).toEqual(upTo(10));
    expect([before.delivered, before.closed]).toEqual([["0 1"], 1]);
    await stop(pipeline, ended);
  });

  test("gives what a hanging attempt of the old one held to the changed one", async () => {
    const before = new ScriptedOutput(() => new Promise(() => undefined));
    const after = new ScriptedOutput();
    const { pipeline, ended } = await started({ outputs: [{ output: before }], graceMs: 3000 });
    pipeline.emit(numbers(0, 2));
    await pipeline.advance(1000);
    const reloading = pipeline.reload({ outputs: [{ output: after }] }, {
      unchanged: KEEP_INPUT,
      replaces: { output: { "output.0": "output.0" } },
    });
    expect(await whileTimePasses(pipeline, reloading)).toEqual([]);
    await pipeline.advance(1000);
    expect(after.delivered).toEqual(["0 1"]);
    await stop(pipeline, ended);
  });

  test("moves what waits to an output of another name, and the books with it", async () => {
    let isAway = true;
    const before = new ScriptedOutput(() => {
      if (isAway) throw new Error("away");
    });
    const after = new ScriptedOutput();
    const { pipeline, ended } = await started({ outputs: [{ output: before }] });
    pipeline.emit(numbers(0, 2));
    await pipeline.advance(1000);
    const reloading = pipeline.reload({ outputs: [{ id: "renamed", output: after }] }, {
      unchanged: KEEP_INPUT,
      replaces: { output: { renamed: "output.0" } },
    });
    expect(await whileTimePasses(pipeline, reloading)).toEqual([]);
    isAway = false;
    await pipeline.advance(100);
    expect([before.delivered, after.delivered]).toEqual([[], ["0 1"]]);
    expect(pipeline.metric("output_queue_records")).toBe(0);
    await stop(pipeline, ended);
  });

  test("goes on with one that comes back before its grace is over", async () => {
    const before = new ScriptedOutput(() => {
      throw new Error("away");
    });
    const after = new ScriptedOutput();
    const { pipeline, ended } = await started({ outputs: [{ output: before }] });
    pipeline.emit(numbers(0, 2));
    await pipeline.advance(1000);
    await pipeline.reload({ outputs: [] }, { unchanged: KEEP_INPUT });
    await pipeline.advance(2000);
    const reloading = pipeline.reload({ outputs: [{ output: after }] }, { unchanged: KEEP_INPUT });
    expect(await whileTimePasses(pipeline, reloading)).toEqual([]);
    await pipeline.advance(10_000);
    expect(after.delivered).toEqual(["0 1"]);
    expect(pipeline.metric("dropped_records_total")).toBe(0);
    await stop(pipeline, ended);
  });

  test("goes on with one whose grace ends while its successor is being set up", async () => {
    const before = new ScriptedOutput(() => {
      throw new Error("away");
    });
    const ready = Promise.withResolvers<void>();
    const after = new ScriptedOutput();
    const slow = Object.assign(after, { prepare: () => ready.promise });
    const { pipeline, ended } = await started({ outputs: [{ output: before }] });
    pipeline.emit(numbers(0, 2));
    await pipeline.advance(1000);
    await pipeline.reload({ outputs: [] }, { unchanged: KEEP_INPUT });
    const reloading = pipeline.reload({ outputs: [{ output: slow }] }, { unchanged: KEEP_INPUT });
    await pipeline.advance(10_000);
    ready.resolve();
    expect(await whileTimePasses(pipeline, reloading)).toEqual([]);
    await pipeline.advance(1000);
    expect(after.delivered).toEqual(["0 1"]);
    expect(pipeline.metric("dropped_records_total")).toBe(0);
    await stop(pipeline, ended);
  });

  test("takes up another flush interval and other pauses without touching anybody", async () => {
    let isAway = true;
    const output = new ScriptedOutput(() => {
      if (isAway) throw new Error("away");
    });
    const { pipeline, ended } = await started({ outputs: [{ output }] });
    await pipeline.reload({ outputs: [{ output }], flushMs: 100 }, {
      unchanged: { ...KEEP_INPUT, output: ["output.0"] },
    });
    pipeline.emit(numbers(0, 2));
    await pipeline.advance(100);
    expect(output.attempts).toEqual(["0 1"]);
    isAway = false;
    await pipeline.advance(1000);
    expect([output.delivered, output.closed]).toEqual([["0 1"], 0]);
    await stop(pipeline, ended);
  });

  test("lets an input go on that waits for room in a removed one", async () => {
    const full = new ScriptedOutput(() => new Promise(() => undefined));
    const other = new ScriptedOutput();
    const { pipeline, ended } = await started({ outputs: [{ output: full, queueBytes: 4 }] });
    let isThrough = false;
    void pipeline.emit(numbers(0, 9))?.then(() => (isThrough = true));
    await pipeline.settle();
    expect(isThrough).toBe(false);
    await pipeline.reload({ outputs: [{ id: "other", output: other }] }, {
      unchanged: KEEP_INPUT,
    });
    await pipeline.settle();
    expect(isThrough).toBe(true);
    await whileTimePasses(pipeline, pipeline.clock.sleep(8000));
    await stop(pipeline, ended);
  });
});

describe("a reload that fails", () => {
  const broken = (message: string) => () => {
    throw new Error(message);
  };

  test("in what plugins are made of changes nothing, and says everything that is wrong", async () => {
    const [output, never] = [new ScriptedOutput(), new ScriptedOutput()];
    const { pipeline, ended } = await started({ outputs: [{ output }] });
    expect(
      await pipeline.reload({
        inputs: [broken("no such file")],
        filters: [{ create: broken("no such field") }],
        outputs: [{ output }, { output: never }, { output: broken("no such host") }],
      }, { unchanged: { output: ["output.0"] } }),
    ).toEqual([
      "output output.2: no such host",
      "filter filter.0: no such field",
      "input input.0: no such file",
    ]);
    expect(never.closed).toBe(1);
    pipeline.emit(numbers(0, 2));
    await pipeline.advance(1000);
    expect([output.delivered, never.delivered]).toEqual([["0 1"], []]);
    await stop(pipeline, ended);
  });

  test("while a plugin sets itself up elsewhere changes nothing either", async () => {
    const output = new ScriptedOutput();
    const { pipeline, ended } = await started({ outputs: [{ output }] });
    const problems = await pipeline.reload({
      filters: [{
        create: (): Filter =>
          ({
            process: (batch: Batch) => batch,
            prepare: () => Promise.reject(new Error("its thread died")),
          }) as Filter,
      }],
      outputs: [{ output }],
    }, { unchanged: { ...KEEP_INPUT, output: ["output.0"] } });
    expect(problems).toEqual(["filter filter.0: its thread died"]);
    await stop(pipeline, ended);
  });
});

/** Holds each batch back until the next one of its stream comes, as one that joins lines does. */
function oneBehind(ctx: FilterContext, log: string[] = []): Filter {
  let held: { batch: Batch; release: () => void } | undefined;
  return {
    process(batch) {
      const before = held;
      held = { batch: batch.with(batch.records), release: ctx.hold() };
      if (before !== undefined) void ctx.emit(before.batch, before.release);
      return batch.with([]);
    },
    flush: () => held === undefined ? [] : [held.batch],
    close: () => void log.push("closed"),
  };
}

describe("a reload of filters", () => {
  test("sends what a changed one holds back before anything that comes after", async () => {
    const output = new ScriptedOutput();
    const log: string[] = [];
    const options = (tag: string): TestPipelineOptions => ({
      filters: [{ create: (ctx) => oneBehind(ctx, log) }, {
        id: "last",
        create: () => ({
          process: (batch) => batch,
        }),
      }],
      outputs: [{ output }],
      // Only so that the two differ for the reader.
      payloadBytes: tag.length * 1000,
    });
    const { pipeline, ended } = await started(options("a"));
    const acked: number[] = [];
    const emit = (n: number) => pipeline.emit(numbers(n, 1), () => acked.push(n));
    for (const n of [0, 1, 2]) emit(n);
    await pipeline.reload(options("b"), {
      unchanged: { ...KEEP_INPUT, filter: ["last"], output: ["output.0"] },
      replaces: { filter: { "filter.0": "filter.0" } },
    });
    expect(log).toEqual(["closed"]);
    for (const n of [3, 4]) emit(n);
    await pipeline.advance(1000);
    expect(all([output])).toEqual([0, 1, 2, 3]);
    expect(acked).toEqual([0, 1, 2, 3]);
    await stop(pipeline, ended);
    expect(all([output])).toEqual(upTo(5));
  });

  test("waits for batches inside one that takes its time, and lets nothing pass them", async () => {
    const output = new ScriptedOutput();
    const inside: (() => void)[] = [];
    const slow = (): Filter => ({
      process: (batch) => new Promise((resolve) => inside.push(() => resolve(batch))),
    });
    const { pipeline, ended } = await started({
      filters: [{ create: slow }],
      outputs: [{ output }],
    });
    void pipeline.emit(numbers(0, 1));
    const reloading = pipeline.reload({ outputs: [{ output }] }, {
      unchanged: { ...KEEP_INPUT, output: ["output.0"] },
    });
    await pipeline.settle();
    void pipeline.emit(numbers(1, 1));
    expect(pipeline.imbalances).toEqual([]);
    inside[0]!();
    expect(await reloading).toEqual([]);
    await pipeline.advance(1000);
    expect(all([output])).toEqual([0, 1]);
    await stop(pipeline, ended);
  });

  test("does not wait longer than a second for one that hangs", async () => {
    const output = new ScriptedOutput();
    let finish: (() => void) | undefined;
    const { pipeline, ended } = await started({
      filters: [{
        create: () => ({
          process: (batch) => new Promise((resolve) => finish = () => resolve(batch)),
        }),
      }],
      outputs: [{ output }],
    });
    void pipeline.emit(numbers(0, 1));
    const reloading = pipeline.reload({ outputs: [{ output }] }, {
      unchanged: { ...KEEP_INPUT, output: ["output.0"] },
    });
    await pipeline.settle();
    void pipeline.emit(numbers(1, 1));
    await pipeline.advance(1000);
    expect(await reloading).toEqual([]);
    await pipeline.advance(1000);
    expect(all([output])).toEqual([1]);
    finish!();
    await pipeline.advance(1000);
    expect(all([output])).toEqual([1, 0]);
    await stop(pipeline, ended);
  });
});

/** Emits the numbers from its position on, up to a number and then no further, one a batch. */
function counter(end: () => number, from: string[] = []): (ctx: InputContext) => Input {
  return (ctx) => {
    const positions = ctx.checkpoints({ path: "positions" });
    return {
      async run(signal) {
        const start = positions.saved.get("s") ?? "0";
        from.push(start);
        for (let n = Number(start); !signal.aborted; n++) {
          while (n >= end() && !signal.aborted) await ctx.clock.sleep(10, signal);
          if (signal.aborted) return;
          const checkpoint: Checkpoint = { position: () => String(n + 1) };
          await ctx.emit(numbers(n, 1), checkpoint);
        }
      },
    };
  };
}

/** A file of positions in memory. */
class FakeFile implements CheckpointFile {
  saved = new Map<string, SavedPosition>();
  isOpen = false;
  open(): this {
    this.isOpen = true;
    return this;
  }
  commit(changed: ReadonlyMap<string, SavedPosition>): void {
    if (!this.isOpen) throw new Error("The file is closed");
    for (const [stream, position] of changed) this.saved.set(stream, position);
  }
  close(): void {
    this.isOpen = false;
  }
}

describe("a reload of inputs", () => {
  for (const file of [undefined, new FakeFile()]) {
    const where = file === undefined ? "in memory" : "in a file";
    test(`lets a changed one go on behind what it emitted, positions ${where}`, async () => {
      let isAway = true;
      const output = new ScriptedOutput(() => {
        if (isAway) throw new Error("away");
      });
      let end = 3;
      const from: string[] = [];
      const openCheckpoints = () => file?.open();
      const options = {
        inputs: [counter(() => end, from)],
        outputs: [{ output }],
        openCheckpoints,
      };
      const { pipeline, ended } = await started(options);
      await pipeline.advance(1000);
      expect(output.attempts).toEqual(["0 1 2"]);
      const reloading = pipeline.reload(options, {
        unchanged: { output: ["output.0"] },
        replaces: { input: { "input.0": "input.0" } },
      });
      expect(await whileTimePasses(pipeline, reloading)).toEqual([]);
      end = 5;
      await pipeline.advance(1000);
      expect(from).toEqual(["0", "3"]);
      // What is not delivered is not saved.
      expect(file?.saved.get("s")?.position).toBeUndefined();
      isAway = false;
      await pipeline.advance(2000);
      expect(all([output])).toEqual(upTo(5));
      if (file !== undefined) expect(file.saved.get("s")?.position).toBe("5");
      await stop(pipeline, ended);
    });
  }

  test("keeps positions in order when a later batch is safe before what the old one emitted", async () => {
    const file = new FakeFile();
    let end = 1;
    const stuck = new ScriptedOutput(() => new Promise(() => undefined));
    const quick = new ScriptedOutput();
    const inputs = [counter(() => end)];
    const openCheckpoints = () => file.open();
    const { pipeline, ended } = await started({
      inputs,
      openCheckpoints,
      outputs: [{ output: stuck }],
    });
    await pipeline.advance(1000);
    await pipeline.reload({ inputs, openCheckpoints, outputs: [{ id: "quick", output: quick }] }, {
      replaces: { input: { "input.0": "input.0" } },
    });
    end = 2;
    await pipeline.advance(2000);
    expect(quick.delivered).toEqual(["1"]);
    expect(file.saved.size).toBe(0);
    // The removed output is given up, and with it what it held.
    await whileTimePasses(pipeline, pipeline.clock.sleep(10_000));
    expect(file.saved.get("s")?.position).toBe("2");
    await stop(pipeline, ended);
  });

  test("keeps the positions of a removed one moving until all is safe, and then closes them", async () => {
    const file = new FakeFile();
    let isAway = true;
    const output = new ScriptedOutput(() => {
      if (isAway) throw new Error("away");
    });
    const { pipeline, ended } = await started({
      inputs: [idleInput, { id: "counter", create: counter(() => 2) }],
      openCheckpoints: ({ id }) => id === "counter" ? file.open() : undefined,
      outputs: [{ output }],
    });
    await pipeline.advance(1000);
    await pipeline.reload({ inputs: [idleInput], outputs: [{ output }] }, {
      unchanged: { input: ["input.0"], output: ["output.0"] },
    });
    expect([file.isOpen, file.saved.size]).toEqual([true, 0]);
    isAway = false;
    await pipeline.advance(2000);
    expect([file.isOpen, file.saved.get("s")?.position]).toEqual([false, "2"]);
    await stop(pipeline, ended);
  });

  test("starts one that is back behind what is still on its way from it", async () => {
    const output = new ScriptedOutput(() => new Promise(() => undefined));
    const from: string[] = [];
    const inputs = [idleInput, { id: "counter", create: counter(() => 2, from) }];
    const { pipeline, ended } = await started({ inputs, outputs: [{ output }] });
    const unchanged = { input: ["input.0"], output: ["output.0"] };
    await pipeline.advance(1000);
    await pipeline.reload({ inputs: [idleInput], outputs: [{ output }] }, { unchanged });
    await pipeline.reload({ inputs, outputs: [{ output }] }, { unchanged });
    await pipeline.settle();
    expect(from).toEqual(["0", "2"]);
    await stop(pipeline, ended);
  });

  test("leaves one behind that does not stop in time, and takes nothing more from it", async () => {
    const output = new ScriptedOutput();
    let refused: unknown;
    const stubborn = (ctx: InputContext): Input => ({
      async run() {
        await ctx.clock.sleep(20_000);
        try {
          void ctx.emit(numbers(7, 1));
        } catch (error) {
          refused = (error as Error).message;
        }
      },
    });
    const { pipeline, ended } = await started({ inputs: [stubborn], outputs: [{ output }] });
    const reloading = pipeline.reload({
      inputs: [{ id: "other", create: idleInput }],
      outputs: [{ output }],
    }, {
      unchanged: { output: ["output.0"] },
    });
    expect(await whileTimePasses(pipeline, reloading)).toEqual([]);
    expect(pipeline.messages).toContain(
      "warn: Cannot stop input.0: it takes longer than 5000 ms; it is left behind",
    );
    await whileTimePasses(pipeline, pipeline.clock.sleep(20_000));
    expect(refused).toBe("Cannot emit: input input.0 was stopped by a reload");
    await stop(pipeline, ended);
    expect(output.delivered).toEqual([]);
  });

  test("does not end the pipeline when the only one that would have ended goes", async () => {
    const ending = (ctx: InputContext): Input => {
      ctx.stopWhenDone();
      return idleInput();
    };
    const output = new ScriptedOutput();
    const { pipeline, ended } = await started({
      inputs: [idleInput, { id: "ending", create: ending }],
      outputs: [{ output }],
    });
    const unchanged = { input: ["input.0"], output: ["output.0"] };
    await pipeline.reload({ inputs: [idleInput], outputs: [{ output }] }, { unchanged });
    let isOver = false;
    void ended.then(() => (isOver = true));
    await pipeline.advance(1000);
    expect(isOver).toBe(false);
    // And one that comes and ends does.
    const short = (ctx: InputContext): Input => {
      ctx.stopWhenDone();
      return { run: async () => void await ctx.emit(numbers(1, 1)) };
    };
    await pipeline.reload({
      inputs: [idleInput, { id: "short", create: short }],
      outputs: [{ output }],
    }, { unchanged });
    expect(await whileTimePasses(pipeline, ended)).toBe(0);
    expect(output.delivered).toEqual(["1"]);
  });
});

describe("a reload and a stop", () => {
  test("a stop while a plugin is being set up abandons the reload", async () => {
    const output = new ScriptedOutput();
    const { pipeline, ended } = await started({ outputs: [{ output }] });
    const endless = {
      process: (batch: Batch) => batch,
      prepare: () => new Promise<void>(() => undefined),
    } as Filter;
    const reloading = pipeline.reload({
      filters: [{ create: () => endless }],
      outputs: [{ output }],
    }, {
      unchanged: { ...KEEP_INPUT, output: ["output.0"] },
    });
    await pipeline.settle();
    pipeline.emit(numbers(0, 1));
    pipeline.pipeline.requestStop();
    expect(await whileTimePasses(pipeline, reloading)).toEqual(["stopping"]);
    await whileTimePasses(pipeline, ended);
    expect(output.delivered).toEqual(["0"]);
  });

  test("a stop while an input is being exchanged loses nothing", async () => {
    const output = new ScriptedOutput();
    const slow = (ctx: InputContext): Input => ({
      async run(signal) {
        await ctx.clock.sleep(1e6, signal);
        await ctx.clock.sleep(500);
        await ctx.emit(numbers(0, 1));
      },
    });
    let runs = 0;
    const next = (): Input => ({ run: () => Promise.resolve(void runs++) });
    const { pipeline, ended } = await started({ inputs: [slow], outputs: [{ output }] });
    const reloading = pipeline.reload({ inputs: [next], outputs: [{ output }] }, {
      unchanged: { output: ["output.0"] },
      replaces: { input: { "input.0": "input.0" } },
    });
    await pipeline.settle();
    await stop(pipeline, ended);
    expect(await reloading).toEqual([]);
    expect([output.delivered, runs]).toEqual([["0"], 0]);
  });

  test("a stop while a changed output waits for the old one's attempt delivers all", async () => {
    const before = new ScriptedOutput(() => pipeline.clock.sleep(2000));
    const after = new ScriptedOutput();
    const { pipeline, ended }: { pipeline: TestPipeline; ended: Promise<number> } = await started({
      outputs: [{ output: before }],
      payloadBytes: 5,
    });
    for (let i = 0; i < 3; i++) pipeline.emit(numbers(i * 2, 2));
    await pipeline.settle();
    const reloading = pipeline.reload({ outputs: [{ output: after }], payloadBytes: 5 }, {
      unchanged: KEEP_INPUT,
      replaces: { output: { "output.0": "output.0" } },
    });
    await pipeline.settle();
    await stop(pipeline, ended);
    expect(await reloading).toEqual([]);
    expect(all([before, after])).toEqual(upTo(6));
  });

  test("a refused record of an output that is removed meanwhile is dropped once", async () => {
    const output = new ScriptedOutput(() => {
      throw new PermanentError("no");
    });
    const { pipeline, ended } = await started({ outputs: [{ output }] });
    pipeline.emit(numbers(0, 2));
    await pipeline.reload({ outputs: [] }, { unchanged: KEEP_INPUT });
    await pipeline.settle();
    expect(pipeline.metric("dropped_records_total", { reason: "refused" })).toBe(2);
    await stop(pipeline, ended);
  });
});
