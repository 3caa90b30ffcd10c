import { expect, setDefaultTimeout, test } from "bun:test";
import { TempFolder } from "../../support/temp-folder.ts";
import { WorkerPipeline } from "./worker-pipeline.ts";

// What ends a test that waits in vain are the deadlines of what it waits for.
setDefaultTimeout(60_000);

/** An input that counts up in a file which only acks move on. `more` runs before each batch. */
const counter = (more = "") => `
import { existsSync, readFileSync, writeFileSync } from "node:fs";
export default defineInput({
  name: "own", summary: "Counts", config: z.object({ state: z.string(), mark: z.string() }),
  create: (config, ctx) => ({
    async run(signal) {
      let n = existsSync(config.state) ? Number(readFileSync(config.state, "utf8")) : 0;
      for (; n < 100 && !signal.aborted; n += 10) {
        ${more}
        const records = Array.from({ length: 10 }, (_, i) => ({ sec: 1, nsec: 0, body: { n: n + i } }));
        const next = n + 10;
        await ctx.emit(Batch.of(ctx.tag, records), () => writeFileSync(config.state, String(next)));
        await ctx.breathe();
      }
      ctx.stopWhenDone();
    },
  }),
});
`;

const numbersTo = (n: number) => Array.from({ length: n }, (_, i) => i);

test("an isolated input emits in order, is acked, and may end the pipeline", async () => {
  using folder = new TempFolder();
  const pipeline = await WorkerPipeline.start(folder, {
    code: counter(),
    options: { state: folder.at("state"), mark: "" },
  });
  expect(await pipeline.ended()).toBe(0);
  expect(pipeline.out.map(({ n }) => n)).toEqual(numbersTo(100));
  expect(pipeline.outBatches[0]!.tag).toBe("test");
});

test.each([
  ["process.exit(0)", /ended itself with process\.exit\(0\)/],
  ["while (true)", /gave no answer within 1.5 s/],
])("an input that comes to %s starts again where its acks are", async (bad, why) => {
  using folder = new TempFolder();
  const mark = folder.at("mark");
  const pipeline = await WorkerPipeline.start(folder, {
    code: counter(`
      if (n === 50 && !existsSync(config.mark)) {
        while (!existsSync(config.state) || readFileSync(config.state, "utf8") !== "50") {
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
        writeFileSync(config.mark, "");
        ${bad};
      }`),
    options: { state: folder.at("state"), mark },
    isolation: { timeoutMs: () => 1500 },
  });
  expect(await pipeline.ended()).toBe(0);
  expect(pipeline.out.map(({ n }) => n)).toEqual(numbersTo(100));
  expect(pipeline.messages.join("\n")).toMatch(why);
  expect(pipeline.messages.join("\n")).toContain("error: Input failed: its worker");
});

test("an input returns when it is asked to stop", async () => {
  using folder = new TempFolder();
  const pipeline = await WorkerPipeline.start(folder, {
    code: `
export default defineInput({
  name: "own", summary: "Waits", config: z.object({}),
  create: (config, ctx) => ({
    run: (signal) => new Promise((end) => {
      ctx.log.info("runs");
      signal.addEventListener("abort", () => { ctx.log.info("ends"); end(); });
    }),
    close() { ctx.log.info("closes"); },
  }),
});`,
  });
  await pipeline.until(() => pipeline.messages.includes("info: runs"), "it runs");
  await pipeline.stop();
  expect(pipeline.messages).toEqual(["info: runs", "info: ends", "info: closes"]);
});

test("an input that never waits is held back while nothing is delivered", async () => {
  using folder = new TempFolder();
  await using pipeline = await WorkerPipeline.start(folder, {
    code: `
export default defineInput({
  name: "own", summary: "Floods", config: z.object({}),
  create: (config, ctx) => ({
    async run(signal) {
      const text = "x".repeat(1000);
      while (!signal.aborted) {
        ctx.metrics.counter("made_total", "Made").value++;
        const records = Array.from({ length: 100 }, () => ({ sec: 1, nsec: 0, body: { text } }));
        await ctx.emit(Batch.of(ctx.tag, records));
      }
    },
  }),
});`,
    isolation: { timeoutMs: () => 1500 },
    stuck: true,
  });
  await pipeline.until(() => pipeline.metric("input_records_total") >= 1000, "the queue is full");
  const pings = pipeline.metric("made_total");
  await pipeline.until(() => pipeline.metric("made_total") > pings, "an answer to a ping");
  expect(pipeline.metric("made_total")).toBeLessThan(30);
  expect(pipeline.metric("plugin_restarts_total")).toBe(0);
});
