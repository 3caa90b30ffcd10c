import { expect, test } from "bun:test";
import { copyFileSync, writeFileSync } from "node:fs";
import { Collector } from "../support/binary.ts";
import { TempFolder } from "../support/temp-folder.ts";

/** Runs one JSON line through a pipeline with this filter and these plugins. */
async function runWith(
  folder: TempFolder,
  plugins: string,
  filter: string,
  lines: string,
): Promise<Collector> {
  writeFileSync(
    folder.at("config.yaml"),
    `plugins: ${plugins}
pipeline:
  inputs:
    - {name: stdin, tag: t}
  filters:
    - {match: '*', ${filter}}
  outputs:
    - {name: stdout, format: json_lines, json_date_key: off, match: '*'}
`,
  );
  return await Collector.run(["-c", folder.at("config.yaml")], { stdin: lines });
}

test("a builtin copied out of the tree works as a user's plugin", async () => {
  using folder = new TempFolder();
  copyFileSync("plugins/filters/grep.ts", folder.at("grep.ts"));
  const run = await runWith(
    folder,
    "[./grep.ts]",
    "name: grep, regex: level ^err",
    '{"level":"error"}\n{"level":"info"}\n',
  );
  expect(run.records).toEqual([{ level: "error" }]);
  expect(run.messages.join("\n")).toMatch(/Loaded filter "grep" from .* in place of the builtin/);
});

test("a plugin may use zod, TypeScript and files of its own, and be found by a pattern", async () => {
  using folder = new TempFolder();
  writeFileSync(folder.at("double.ts"), "export enum Factor { Two = 2 }\n");
  writeFileSync(
    folder.at("my-plugin.ts"),
    `import { defineFilter, field, perRecord } from "logcollector/plugin";
import * as z from "zod";
import { Factor } from "./double.ts";
export const twice = defineFilter({
  name: "twice",
  summary: "Doubles a number",
  config: z.object({ key: field.text().describe("Field with the number") }),
  create: ({ key }, ctx) => perRecord(ctx, (record) => {
    if (typeof record.body[key] !== "number") throw new Error("no number in " + key);
    record.body[key] = record.body[key] * Factor.Two;
    return record;
  }),
});
`,
  );
  const run = await runWith(folder, "my-*.ts", "name: twice, key: n", '{"n":21}\n{"n":"x"}\n');
  expect(run.records).toEqual([{ n: 42 }]);
  expect(run.messages.join("\n")).toContain("twice.0: Rejected a record: no number in n");
});

test("an unknown option of a user's plugin is reported like a builtin's", async () => {
  using folder = new TempFolder();
  copyFileSync("plugins/filters/grep.ts", folder.at("grep.ts"));
  const run = await runWith(folder, "./grep.ts", "name: grep, regexx: a b", "");
  expect(run.status).toBe(2);
  expect(run.stderr).toContain('unknown option "regexx" of filter "grep": did you mean "regex"?');
});

test.each([
  ["./missing.ts", "it does not exist"],
  ["./plugin.so", "Go plugins are not supported in this version"],
  ["./throws.ts", "boom at the top"],
  ["./empty.ts", "it exports no plugin"],
  ["./none-*.ts", "no plugin matches ./none-*.ts"],
])("plugin %s that cannot be loaded is one clear line", async (path, reason) => {
  using folder = new TempFolder();
  writeFileSync(folder.at("throws.ts"), 'throw new Error("boom at the top");\n');
  writeFileSync(folder.at("empty.ts"), "export const nothing = 1;\n");
  const run = await runWith(folder, `["${path}"]`, "name: grep", "");
  expect(run.status).toBe(2);
  expect(run.stderr.trimEnd().split("\n")).toHaveLength(1);
  expect(run.stderr).toMatch(/^\S+config\.yaml:1:11: /);
  expect(run.stderr).toContain(reason);
});

test("two plugins of one kind and name are a mistake", async () => {
  using folder = new TempFolder();
  copyFileSync("plugins/filters/grep.ts", folder.at("a.ts"));
  copyFileSync("plugins/filters/grep.ts", folder.at("b.ts"));
  const run = await runWith(folder, "[a.ts, b.ts]", "name: grep", "");
  expect(run.status).toBe(2);
  expect(run.stderr).toContain('filter "grep" of');
  expect(run.stderr).toContain("is already defined in");
});
