import { expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { Collector } from "../support/binary.ts";
import { TempFolder } from "../support/temp-folder.ts";

// Every change is noticed within a second or so.
setDefaultTimeout(60_000);

const FILTER = (mark: string, extra = "") =>
  `import { defineFilter, field, perRecord } from "logcollector/plugin";
import * as z from "zod";
${extra}
export default defineFilter({
  name: "mark",
  summary: "Marks records",
  config: z.object({ key: field.text().default("mark").describe("Field") }),
  create: ({ key }, ctx) => perRecord(ctx, (record) => {
    record.body[key] = ${mark};
    return record;
  }),
});
`;

const CONFIG = (plugins: string, rest = "filters: [{name: mark, match: '*', key: m}]") =>
  `service: {hot_reload: on, flush: 0.05}
plugins: ${plugins}
pipeline:
  inputs: [{name: dummy, rate: 100, dummy: '{"n":1}'}]
  ${rest}
  outputs: [{name: stdout, format: json_lines, json_date_key: off, match: '*'}]
`;

test("a changed plugin is taken into use between two batches, a broken one is not", async () => {
  using folder = new TempFolder();
  writeFileSync(folder.at("mark.ts"), FILTER('"one"'));
  writeFileSync(folder.at("config.yaml"), CONFIG("./mark.ts"));
  await using run = new Collector(["-c", folder.at("config.yaml")]);
  await run.untilPrinted('{"n":1,"m":"one"}');
  writeFileSync(folder.at("mark.ts"), FILTER('"two"'));
  await run.untilPrinted('{"n":1,"m":"two"}');
  await run.untilLog(/Loaded filter .* again from .*mark\.ts/);
  writeFileSync(folder.at("mark.ts"), FILTER('"three" +;'));
  await run.untilLog(/mark\.ts: Unexpected ; \(.*mark\.ts:9:\d+\); the old version goes on/);
  writeFileSync(folder.at("mark.ts"), FILTER('"four"'));
  await run.untilPrinted('{"n":1,"m":"four"}');
  expect(run.stdout).not.toContain("three");
  expect(await run.stop()).toBe(0);
});

test("a change of a module that a plugin imports counts, and so does a ConfigMap's swapped link", async () => {
  using folder = new TempFolder();
  for (const version of ["one", "two"]) {
    mkdirSync(folder.at(`..${version}`));
    writeFileSync(folder.at(`..${version}/word.ts`), `export const word = "${version}";\n`);
    writeFileSync(
      folder.at(`..${version}/mark.ts`),
      FILTER("word", 'import { word } from "./word.ts";'),
    );
  }
  symlinkSync("..one", folder.at("..data"));
  for (const name of ["word.ts", "mark.ts"]) symlinkSync(`..data/${name}`, folder.at(name));
  writeFileSync(folder.at("config.yaml"), CONFIG("./mark.ts"));
  await using run = new Collector(["-c", folder.at("config.yaml")]);
  await run.untilPrinted('{"n":1,"m":"one"}');
  symlinkSync("..two", folder.at("..next"));
  renameSync(folder.at("..next"), folder.at("..data"));
  await run.untilPrinted('{"n":1,"m":"two"}');
  writeFileSync(folder.at("..two/word.ts"), 'export const word = "three";\n');
  await run.untilPrinted('{"n":1,"m":"three"}');
});

test("inputs, outputs and parsers are exchanged too", async () => {
  using folder = new TempFolder();
  const plugins = (version: string) =>
    `import { Batch, defineInput, defineOutput, defineParser } from "logcollector/plugin";
import * as z from "zod";
export const source = defineInput({
  name: "source", summary: "s", config: z.object({}),
  create: (_, ctx) => ({
    async run(signal) {
      const parser = ctx.parser("words");
      for (let n = 0; !signal.aborted; n++) {
        const { sec, nsec } = ctx.clock.wall();
        const record = parser.parse("${version} " + n, sec, nsec);
        await ctx.emit(Batch.of(ctx.tag, [record]));
        await ctx.clock.sleep(5, signal);
      }
    },
  }),
});
export const words = defineParser({
  name: "words", summary: "w", config: z.object({}),
  create: () => ({ parse: (line) => ({ "parsed by ${version}": line }) }),
});
export const sink = defineOutput({
  name: "sink", summary: "s", config: z.object({}),
  create: () => ({
    async write(batch) {
      for (const { body } of batch.records) console.log("${version}", JSON.stringify(body));
    },
  }),
});
`;
  writeFileSync(folder.at("all.ts"), plugins("old"));
  writeFileSync(
    folder.at("config.yaml"),
    `service: {hot_reload: on, flush: 0.05}
plugins: [./all.ts]
parsers: [{name: words, format: words}]
pipeline:
  inputs: [{name: source}]
  outputs: [{name: sink, match: '*'}]
`,
  );
  await using run = new Collector(["-c", folder.at("config.yaml")]);
  await run.untilPrinted(/^old \{"parsed by old":"old 1"\}/m);
  writeFileSync(folder.at("all.ts"), plugins("new"));
  await run.untilPrinted(/^new \{"parsed by new":"new 1"\}/m);
  expect(await run.stop()).toBe(0);
});
