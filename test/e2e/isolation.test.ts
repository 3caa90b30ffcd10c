import { expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { Collector } from "../support/binary.ts";
import { TempFolder } from "../support/temp-folder.ts";

// What ends a test that waits in vain are the deadlines of what it waits for.
setDefaultTimeout(60_000);

const PLUGIN = `
import { Batch, ConfigError, defineFilter, defineInput, defineOutput, defineParser, field } from "logcollector/plugin";
import { appendFileSync, existsSync, writeFileSync } from "node:fs";
import * as z from "zod";

const bad = {
  none() {},
  loop() { while (true); },
  exit() { process.exit(0); },
  throw() { setTimeout(() => { throw new Error("later"); }, 1); return new Promise(() => {}); },
  reject() { void Promise.reject(new Error("alone")); return new Promise(() => {}); },
  hang() { return new Promise(() => {}); },
  hog() { const all = []; for (;;) all.push({ n: all.length, text: "x" + all.length }); },
};
const config = z.object({
  bad: field.oneOf(...Object.keys(bad)).default("none").describe("What to do"),
  at: field.int().default(500).describe("At which line"),
  mark: field.text().optional().describe("Do it only as long as this file is not there"),
  file: field.text().optional().describe("Where an output writes"),
});
function maybe({ bad: what, at, mark }, lines) {
  if (!lines.includes(String(at)) || (mark && existsSync(mark))) return undefined;
  if (mark) writeFileSync(mark, "");
  return bad[what]();
}
export const filter = defineFilter({
  name: "own", summary: "A filter that goes wrong", config,
  create: (options, ctx) => {
    if (options.at < 0) throw new ConfigError("must not be negative", "at");
    return {
      process(batch) {
        const lines = batch.records.map((r) => r.body.log);
        for (const r of batch.records) r.body.seen = true;
        const waits = maybe(options, lines);
        return waits ? waits.then(() => batch) : batch;
      },
    };
  },
});
export const output = defineOutput({
  name: "own", summary: "An output that goes wrong", config,
  create: (options) => ({
    async write(batch) {
      const lines = batch.records.map((r) => r.body.log);
      await maybe(options, lines);
      appendFileSync(options.file, lines.join("\\n") + "\\n");
    },
  }),
});
export const input = defineInput({
  name: "own", summary: "Counts to 1000", config,
  create: (options, ctx) => ({
    async run() {
      for (let n = 1; n <= 1000; n++) {
        await maybe(options, [String(n)]);
        await ctx.emit(Batch.of(ctx.tag, [{ sec: 1, nsec: 0, body: { log: String(n) } }]));
      }
      ctx.stopWhenDone();
    },
  }),
});
`;

const LINES = Array.from({ length: 1000 }, (_, i) => String(i + 1));

function setUp(folder: TempFolder, filter: string, more = ""): string {
  writeFileSync(folder.at("own.ts"), PLUGIN);
  writeFileSync(folder.at("in.txt"), `${LINES.join("\n")}\n`);
  writeFileSync(
    folder.at("config.yaml"),
    `service: {flush: 0.1, plugin_timeout: 1.5}
plugins: [{path: ./own.ts, isolation: worker, memory_limit: 64M}]
pipeline:
  inputs:
    - {name: tail, path: ${folder.at("in.txt")}, tag: t, read_from_head: on, exit_on_eof: on}
${more}  filters:
    - {name: own, match: t, ${filter}}
  outputs:
    - {name: stdout, format: json_lines, json_date_key: off, match: t}
`,
  );
  return folder.at("config.yaml");
}

test.each([
  ["none", undefined],
  ["loop", "gave no answer within 1.5 s"],
  ["exit", "ended itself with process.exit(0)"],
  ["throw", "threw outside a call: later ("],
  ["reject", "threw outside a call: alone ("],
  ["hang", "gave no answer within 1.5 s"],
  ["hog", "more than its memory_limit of 64M"],
])("an isolated filter that comes to %s loses no record, and keeps the order", async (bad, why) => {
  using folder = new TempFolder();
  const config = setUp(folder, `bad: ${bad}, mark: ${folder.at("mark")}`);
  const run = await Collector.run(["-c", config]);
  expect(run.status).toBe(0);
  expect(run.records).toEqual(LINES.map((log) => ({ log, seen: true })));
  if (why === undefined) expect(run.stderr).not.toContain("plugin_failed");
  else expect(run.stderr).toContain(why);
});

test("a batch that always ends the worker is dropped and counted, and the others go on", async () => {
  using folder = new TempFolder();
  const config = setUp(folder, "bad: exit");
  await using run = new Collector(["-c", config]);
  await run.exit();
  expect(run.records).toEqual([]);
  expect(run.stderr).toContain(
    "Dropped a batch of 1000 records: the plugin's worker failed 3 times at it: it ended itself with " +
      "process.exit(0)",
  );
  expect(run.status).toBe(0);
});

test("isolated inputs and outputs work too", async () => {
  using folder = new TempFolder();
  writeFileSync(folder.at("own.ts"), PLUGIN);
  writeFileSync(
    folder.at("config.yaml"),
    `service: {flush: 0.1, plugin_timeout: 1.5}
plugins: [{path: ./own.ts, isolation: worker}]
pipeline:
  inputs: [{name: own, tag: t}]
  outputs: [{name: own, match: t, file: ${folder.at("out.txt")}, bad: loop, mark: ${
      folder.at("mark")
    }}]
`,
  );
  const run = await Collector.run(["-c", folder.at("config.yaml")]);
  expect(run.status).toBe(0);
  expect(await Bun.file(folder.at("out.txt")).text()).toBe(`${LINES.join("\n")}\n`);
  expect(run.messages.join("\n")).toContain('The worker of output "own" of');
});

test("other streams go on while a worker hangs, and a stop is not held up", async () => {
  using folder = new TempFolder();
  const config = setUp(folder, "bad: hang", "    - {name: dummy, tag: other}\n");
  writeFileSync(
    config,
    (await Bun.file(config).text()).replace("match: t}", "match: '*'}").replace(
      "plugin_timeout: 1.5",
      "grace: 1, plugin_timeout: 600",
    ),
  );
  await using run = new Collector(["-c", config]);
  await run.untilRecords(2);
  expect(run.records[0]).toEqual({ message: "dummy" });
  expect(await run.stop()).toBe(0);
  expect(run.stderr).toContain("Stopped with 1000 records that the plugin had not processed");
});

test("what create says is reported at the option, before anything starts", async () => {
  using folder = new TempFolder();
  const run = await Collector.run(["-c", setUp(folder, "at: -1")]);
  expect(run.status).toBe(2);
  expect(run.stderr).toMatch(
    /^\S+config\.yaml:7:\d+: option "at" of filter "own": must not be negative\n$/,
  );
  expect(run.records).toEqual([]);
});

test("an unknown option, and a parser in a worker, are one clear line", async () => {
  using folder = new TempFolder();
  const wrong = await Collector.run(["-c", setUp(folder, "badd: exit")]);
  expect(wrong.stderr).toContain('unknown option "badd" of filter "own": did you mean "bad"?');
  writeFileSync(
    folder.at("own.ts"),
    `import { defineParser } from "logcollector/plugin";
import * as z from "zod";
export default defineParser({
  name: "own", summary: "A parser", config: z.object({}), create: () => ({ parse: () => null }),
});`,
  );
  const run = await Collector.run(["-c", folder.at("config.yaml")]);
  expect(run.status).toBe(2);
  expect(run.stderr).toMatch(
    /config\.yaml:2:\d+: Cannot load \S+own\.ts: parser "own" is called for each line and cannot run in a worker: use "isolation: inline"\n$/,
  );
});
