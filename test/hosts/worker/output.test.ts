import { expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { Batch } from "logcollector/plugin";
import { batchesOf, encodedDeliveryOf } from "../../../src/hosts/worker/delivery-text.ts";
import { numbers } from "../../support/test-pipeline.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { WorkerPipeline } from "./worker-pipeline.ts";

// What ends a test that waits in vain are the deadlines of what it waits for.
setDefaultTimeout(60_000);

const HEAD = `
import { appendFileSync, existsSync, writeFileSync } from "node:fs";
const first = (path) => { if (existsSync(path)) return false; writeFileSync(path, ""); return true; };
`;

/** An output that appends numbers to a file; `write` may do something before. */
const simple = (more = "") =>
  `${HEAD}
export default defineOutput({
  name: "own", summary: "Writes numbers", config: z.object({ file: z.string() }),
  create: (config, ctx) => ({
    async open() { appendFileSync(config.file, "open\\n"); },
    async write(batch, signal) {
      const numbers = batch.records.map((r) => r.body.n);
      ${more}
      for (const n of numbers) appendFileSync(config.file, batch.tag + " " + n + "\\n");
    },
    close() { appendFileSync(config.file, "close\\n"); },
  }),
});`;

/** The same in two steps, one payload for even numbers and one for odd ones. */
const encoded = (more = "") =>
  `${HEAD}
export default defineOutput({
  name: "own", summary: "Writes numbers", config: z.object({ file: z.string() }),
  create: (config, ctx) => ({
    framing: { prefix: "[", separator: ",", suffix: "]" },
    encode(batch, into) {
      for (const { body } of batch.records) {
        if (body.n === 7) { into.drop(1, "unlucky"); continue; }
        if (body.n === 8) continue;
        into.partition(body.n % 2 === 0 ? "even" : "odd");
        into.text(String(body.n), 1);
      }
    },
    async seal(bytes) { return Buffer.from(Buffer.from(bytes).toString() + "!"); },
    async send(payload, signal) {
      const text = Buffer.from(payload.bytes).toString();
      ${more}
      appendFileSync(config.file, payload.partition + " " + payload.records + " " + text + "\\n");
    },
  }),
});`;

async function run(
  folder: TempFolder,
  code: string,
  emit: (pipeline: WorkerPipeline) => Promise<void>,
): Promise<{ lines: string[]; pipeline: WorkerPipeline }> {
  const pipeline = await WorkerPipeline.start(folder, {
    code,
    options: { file: folder.at("out") },
    isolation: { timeoutMs: () => 1500 },
  });
  await emit(pipeline);
  await pipeline.drained();
  await pipeline.stop();
  return { pipeline, lines: readFileSync(folder.at("out"), "utf8").split("\n").filter(Boolean) };
}

const numbersTo = (n: number) => Array.from({ length: n }, (_, i) => `test ${i}`);

async function emit30(pipeline: WorkerPipeline): Promise<void> {
  for (let i = 0; i < 3; i++) await pipeline.input.emit(numbers(i * 10, 10));
}

test("a simple output writes in its worker", async () => {
  using folder = new TempFolder();
  const { lines, pipeline } = await run(folder, simple(), emit30);
  expect(lines).toEqual(["open", ...numbersTo(30), "close"]);
  expect(pipeline.metric("output_proc_records_total")).toBe(30);
});

test("every kind of value arrives", async () => {
  using folder = new TempFolder();
  const code = simple(
    'appendFileSync(config.file, Bun.inspect(batch.records, { depth: 9 }).replace(/\\s+/g, " ") + "\\n");',
  );
  const body = { n: 1, big: 2n ** 62n, bytes: new Uint8Array([1, 2]), none: null };
  const { lines } = await run(folder, code, async ({ input }) => {
    await input.emit(Batch.of("test", [{ sec: 5, nsec: 6, body, metadata: { a: 1 } }]));
  });
  expect(lines[1]).toContain("big: 4611686018427387904n");
  expect(lines[1]).toContain("Uint8Array(2) [ 1, 2 ]");
  expect(lines[1]).toContain("sec: 5, nsec: 6,");
  expect(lines[1]).toContain("metadata: { a: 1, }");
});

test.each([
  ["process.exit", "process.exit(0)"],
  ["a busy loop", "while (true)"],
])("after %s the same records are written by the next worker", async (_, bad) => {
  using folder = new TempFolder();
  const code = simple(`if (numbers.includes(15) && first(config.file + ".mark")) ${bad};`);
  const { lines, pipeline } = await run(folder, code, emit30);
  expect(lines.filter((line) => line.startsWith("test"))).toEqual(numbersTo(30));
  expect(pipeline.metric("plugin_restarts_total", { kind: "output" })).toBe(1);
  expect(pipeline.metric("output_dropped_records_total")).toBe(0);
});

test("records that end the worker each time are dropped and counted", async () => {
  using folder = new TempFolder();
  const code = simple("if (numbers.includes(15)) process.exit(0);");
  const { pipeline } = await run(folder, code, emit30);
  expect(pipeline.metric("dropped_records_total", { reason: "plugin_failed" })).toBe(30);
  expect(pipeline.messages.join("\n")).toMatch(
    /Dropped 30 records: the plugin's worker failed 3 times: it ended itself/,
  );
});

test.each([
  ["an ordinary error", 'new Error("not now")', 30, {}],
  ["PermanentError", 'new sdk.PermanentError("never")', 0, { refused: 30 }],
  ["ThrottledError", 'new sdk.ThrottledError("slow down", 20)', 30, {}],
])("%s means the same as inline", async (_, error, delivered, dropped) => {
  using folder = new TempFolder();
  const code = simple(`if (first(config.file + ".mark")) throw ${error};`);
  const { pipeline } = await run(folder, code, emit30);
  expect(pipeline.metric("output_proc_records_total")).toBe(delivered);
  expect(pipeline.drops()).toEqual(dropped);
  expect(pipeline.metric("plugin_restarts_total")).toBe(0);
});

test("an encoded output encodes, partitions, frames, seals and sends in its worker", async () => {
  using folder = new TempFolder();
  const { lines, pipeline } = await run(folder, encoded(), async ({ input }) => {
    await input.emit(numbers(0, 5));
    await input.emit(numbers(5, 5));
  });
  expect(lines).toEqual(["even 4 [0,2,4,6]!", "odd 4 [1,3,5,9]!"]);
  expect(pipeline.metric("output_proc_records_total")).toBe(8);
  expect(pipeline.drops()).toEqual({ unlucky: 1, not_encoded: 1 });
});

test("of a delivery only what failed is sent again, and only what is refused is dropped", async () => {
  using folder = new TempFolder();
  const code = encoded(`
    if (payload.partition === "odd" && first(config.file + ".mark")) throw new Error("not now");
    if (payload.partition === "odd" && payload.attempt === 2) {
      throw new sdk.PartialError("half", Buffer.from("[3]!"), 1, 1);
    }
    if (payload.partition === "even") throw new sdk.PermanentError("no even ones");`);
  const { lines, pipeline } = await run(folder, code, async ({ input }) => {
    await input.emit(numbers(0, 4));
  });
  expect(lines).toEqual(["odd 1 [3]!"]);
  expect(pipeline.drops()).toEqual({ refused: 3 });
  expect(pipeline.metric("output_proc_records_total")).toBe(1);
});

/** What a letter holds of the plugin's own payloads. */
function inside({ bytes }: { readonly bytes: Uint8Array }): string[] {
  return encodedDeliveryOf(bytes)!.payloads.map(({ partition, records, bytes: own }) =>
    `${partition} ${records} ${Buffer.from(own)}`
  );
}

async function letters(more: string) {
  using folder = new TempFolder();
  await using pipeline = await WorkerPipeline.start(folder, {
    code: encoded(more),
    options: { file: folder.at("out") },
    keep: true,
  });
  await pipeline.input.emit(numbers(0, 9));
  await pipeline.drained();
  const path = folder.at("out");
  return { pipeline, lines: existsSync(path) ? readFileSync(path, "utf8").split("\n") : [] };
}

test("what a plugin refuses of a payload becomes dead letters, each with its message", async () => {
  const { pipeline, lines } = await letters(`
    if (payload.partition === "odd") {
      const part = (text, message) => ({ bytes: Buffer.from(text), records: 1, message });
      throw new sdk.PartialError("some are bad", new Uint8Array(), 0, 3, {
        refusedParts: [part("[1]!", "one is bad"), part("[3]!")],
      });
    }`);
  expect(lines[0]).toBe("even 4 [0,2,4,6]!");
  expect(pipeline.letters.map((letter) => [inside(letter), letter.message, letter.reason])).toEqual(
    [
      [["odd 1 [1]!"], "one is bad", "refused"],
      [["odd 1 [3]!"], "some are bad", "refused"],
    ],
  );
  expect(pipeline.letters.map(({ records, format }) => [records, format])).toEqual([
    [1, "isolated"],
    [1, "isolated"],
  ]);
  // What it left out, and of the refused what it could not tell apart.
  expect(pipeline.drops()).toEqual({ unlucky: 1, not_encoded: 1, refused: 1 });
  expect(pipeline.metric("output_dead_lettered_records_total")).toBe(2);
  expect(pipeline.messages.join("\n")).toContain("Kept 2 records as a dead letter: some are bad");
});

test("a payload that is refused whole becomes a dead letter, and the others are delivered", async () => {
  const { pipeline, lines } = await letters(`
    if (payload.partition === "even") throw new sdk.PermanentError("no even ones");`);
  expect(lines[0]).toBe("odd 3 [1,3,5]!");
  expect(pipeline.letters.map((letter) => [inside(letter), letter.message])).toEqual([
    [["even 4 [0,2,4,6]!"], "no even ones"],
  ]);
  expect(pipeline.drops()).toEqual({ unlucky: 1, not_encoded: 1 });
});

test("what is refused at a later attempt becomes a letter without what was delivered before", async () => {
  const { pipeline, lines } = await letters(`
    if (payload.partition === "odd" && payload.attempt === 1) throw new Error("not now");
    if (payload.partition === "odd") throw new sdk.PermanentError("no odd ones");`);
  expect(lines[0]).toBe("even 4 [0,2,4,6]!");
  expect(pipeline.letters.map((letter) => [inside(letter), letter.records, letter.message]))
    .toEqual(
      [[["odd 3 [1,3,5]!"], 3, "no odd ones"]],
    );
  expect(pipeline.drops()).toEqual({ unlucky: 1, not_encoded: 1 });
});

test("of a delivery in part only the rest is sent by the next worker", async () => {
  const { pipeline, lines } = await letters(`
    if (payload.partition === "odd" && payload.attempt === 1) throw new Error("not now");
    if (payload.partition === "odd" && first(config.file + ".mark")) process.exit(0);`);
  expect(lines.filter(Boolean)).toEqual(["even 4 [0,2,4,6]!", "odd 3 [1,3,5]!"]);
  expect(pipeline.letters).toEqual([]);
  expect(pipeline.metric("plugin_restarts_total")).toBe(1);
});

test("more than 64 MiB of refused records are counted only", async () => {
  const { pipeline } = await letters(`
    if (payload.partition === "odd") {
      const part = (size) => ({ bytes: new Uint8Array(size), records: 1 });
      throw new sdk.PartialError("bad", new Uint8Array(), 0, 3, {
        refusedParts: [part(1), part(64 * 1024 * 1024), part(2)],
      });
    }`);
  expect(
    pipeline.letters.map((letter) => encodedDeliveryOf(letter.bytes)!.payloads[0]!.bytes.length),
  )
    .toEqual([1, 2]);
  expect(pipeline.drops()).toEqual({ unlucky: 1, not_encoded: 1, refused: 1 });
});

test("records that end the worker each time become a dead letter with this reason", async () => {
  const { pipeline } = await letters("process.exit(0);");
  expect(pipeline.letters.map(({ records, reason }) => [records, reason])).toEqual([
    [9, "plugin_failed"],
  ]);
  const [batch] = batchesOf(pipeline.letters[0]!.bytes, "test");
  expect(batch!.records.map(({ body }) => body.n)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
});

test("a simple output that says what it refused, and that nothing is left, is not asked again", async () => {
  using folder = new TempFolder();
  const code = simple('throw new sdk.PartialError("2 are bad", new Uint8Array(), 0, 2);');
  const { pipeline } = await run(folder, code, emit30);
  expect(pipeline.drops()).toEqual({ refused: 2 });
  expect(pipeline.metric("output_proc_records_total")).toBe(28);
});
