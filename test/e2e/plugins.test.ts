import { expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { Collector } from "../support/binary.ts";
import { TempFolder } from "../support/temp-folder.ts";

// What ends a test that waits in vain are the deadlines of what it waits for.
setDefaultTimeout(60_000);

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

const MARK = (name: string, mark: string) =>
  `import { defineFilter, perRecord } from "logcollector/plugin";
import * as z from "zod";
export default defineFilter({
  name: "${name}", summary: "Marks", config: z.object({}),
  create: (_, ctx) => perRecord(ctx, (record) => { record.body.mark = ${mark}; return record; }),
});
`;

test("a folder of plugins is loaded, without tests, hidden files and other modules", async () => {
  using folder = new TempFolder();
  mkdirSync(folder.at("plugins"));
  writeFileSync(
    folder.at("plugins/mark.ts"),
    `import { one } from "./one.js";\n${MARK("mark", "one")}`,
  );
  writeFileSync(folder.at("plugins/one.js"), "export const one = 1;\n");
  writeFileSync(folder.at("plugins/mark.test.ts"), "throw new Error('a test');\n");
  writeFileSync(folder.at("plugins/_draft.ts"), "throw new Error('a draft');\n");
  const run = await runWith(folder, "./plugins", "name: mark", "{}\n");
  expect(run.stderr).not.toContain("Error");
  expect(run.records).toEqual([{ mark: 1 }]);
});

test("a plugin may use packages that are installed beside it", async () => {
  using folder = new TempFolder();
  mkdirSync(folder.at("node_modules/shout"), { recursive: true });
  writeFileSync(
    folder.at("node_modules/shout/package.json"),
    '{"name":"shout","version":"1.0.0","main":"index.js"}',
  );
  writeFileSync(folder.at("node_modules/shout/index.js"), "exports.shout = (x) => x + '!';\n");
  writeFileSync(
    folder.at("a.ts"),
    `import { shout } from "shout";\n${MARK("mark", "shout('hey')")}`,
  );
  const run = await runWith(folder, "./a.ts", "name: mark", "{}\n");
  expect(run.records).toEqual([{ mark: "hey!" }]);
});

test.each([
  ["const x: number = ;", /Unexpected ; \(.*bad\.ts:1:19\)/],
  ["type A = string;\n\nnull!.x;", /null is not an object .*\(.*bad\.ts:3:/],
  ['import "./gone.ts";', /Cannot find module/],
  ['import "left-pad";', /install it into a node_modules folder/],
  ['import { nope } from "logcollector/plugin"; nope();', /this version has no nope/],
  ["", /it exports nothing/],
  ["export default {name: 'x'};", /it exports no plugin: write "export default defineFilter/],
  [MARK("mark", "1").replace("z.object({})", "{}"), /has no schema for its options/],
  [
    MARK("mark", "1").replace("name:", "apiVersion: 99, name:"),
    /version 99 .*update the collector/,
  ],
  [MARK("my mark", "1"), /has no usable name/],
])("a mistake in a plugin is one line with its place: %p", async (code, reason) => {
  using folder = new TempFolder();
  writeFileSync(folder.at("bad.ts"), `${code}\n`);
  const run = await runWith(folder, "./bad.ts", "name: mark", "");
  expect(run.status).toBe(2);
  expect(run.stderr.trimEnd().split("\n")).toHaveLength(1);
  expect(run.stderr).toMatch(/config\.yaml:1:10: Cannot load .*bad\.ts: /);
  expect(run.stderr).toMatch(reason);
});

test("a plugin that everybody may change is refused unless that is allowed", async () => {
  using folder = new TempFolder();
  writeFileSync(folder.at("a.ts"), MARK("mark", "1"));
  chmodSync(folder.at("a.ts"), 0o666);
  const refused = await runWith(folder, "./a.ts", "name: mark", "{}\n");
  expect(refused.status).toBe(2);
  expect(refused.stderr).toContain("everybody may write to");
  const allowed = await runWith(
    folder,
    "[{path: ./a.ts, allow_world_writable: on}]",
    "name: mark",
    "{}\n",
  );
  expect(allowed.records).toEqual([{ mark: 1 }]);
  chmodSync(folder.at("a.ts"), 0o644);
  chmodSync(folder.path, 0o777);
  const inFolder = await runWith(folder, "./a.ts", "name: mark", "{}\n");
  expect(inFolder.status).toBe(2);
});

test("a pinned plugin is loaded only with the digest that was pinned", async () => {
  using folder = new TempFolder();
  writeFileSync(folder.at("a.ts"), MARK("mark", "1"));
  const digest = new Bun.CryptoHasher("sha256").update(MARK("mark", "1")).digest("hex");
  const right = await runWith(
    folder,
    `[{path: ./a.ts, sha256: ${digest}}]`,
    "name: mark",
    "{}\n",
  );
  expect(right.records).toEqual([{ mark: 1 }]);
  writeFileSync(folder.at("a.ts"), MARK("mark", "2"));
  const wrong = await runWith(folder, `[{path: ./a.ts, sha256: ${digest}}]`, "name: mark", "");
  expect(wrong.status).toBe(2);
  expect(wrong.stderr).toContain("its SHA-256 digest is");
  const odd = await runWith(
    folder,
    "[{path: ./a.ts, sha256: abc, isolaton: worker}]",
    "name: mark",
    "",
  );
  expect(odd.stderr).toContain("expected 64 hexadecimal digits");
  expect(odd.stderr).toContain('did you mean "isolation"?');
});

test("--no-plugins runs none, neither files nor scripts", async () => {
  using folder = new TempFolder();
  writeFileSync(folder.at("a.ts"), "throw new Error('ran');\n");
  const options = (filter: string) =>
    `plugins: ./a.ts
pipeline:
  inputs: [{name: stdin}]
  filters: [{match: '*', ${filter}}]
  outputs: [{name: stdout, match: '*'}]
`;
  writeFileSync(folder.at("config.yaml"), options("name: grep, regex: a b"));
  const clean = await Collector.run(["-c", folder.at("config.yaml"), "--no-plugins"]);
  expect(clean.status).toBe(0);
  writeFileSync(folder.at("config.yaml"), options("name: script, code: '(r) => r'"));
  const script = await Collector.run(["-c", folder.at("config.yaml"), "--no-plugins"]);
  expect(script.status).toBe(2);
  expect(script.stderr).toContain("which --no-plugins forbids");
});

test("a plugin may be named on the command line", async () => {
  using folder = new TempFolder();
  writeFileSync(folder.at("a.ts"), MARK("mark", "1"));
  const run = await Collector.run(
    ["-e", "a.ts", "-i", "stdin", "-F", "mark", "-m", "*", "-o", "stdout"].concat(
      ["-p", "format=json_lines", "-p", "json_date_key=off", "-m", "*"],
    ),
    { cwd: folder.path, stdin: "{}\n" },
  );
  expect(run.records).toEqual([{ mark: 1 }]);
});

test("a script's errors name the line of the configuration", async () => {
  using folder = new TempFolder();
  const config = (statement: string) =>
    `pipeline:
  inputs: [{name: stdin}]
  filters:
    - name: script
      match: '*'
      code: |
        (record: { [key: string]: unknown }, { tag }) => {
          record.where = \`\${tag} on \${record.host}\`;
          ${statement}
        }
  outputs: [{name: stdout, format: json_lines, json_date_key: off, match: '*'}]
`;
  writeFileSync(folder.at("config.yaml"), config("return record;"));
  const good = await Collector.run(["-c", folder.at("config.yaml")], { stdin: '{"host":"h"}\n' });
  expect(good.records).toEqual([{ host: "h", where: "stdin.0 on h" }]);
  writeFileSync(folder.at("config.yaml"), config("return record.a.b;"));
  const thrown = await Collector.run(["-c", folder.at("config.yaml")], { stdin: "{}\n" });
  expect(thrown.messages.join("\n")).toMatch(/Rejected a record: .*config\.yaml:9:/);
  writeFileSync(folder.at("config.yaml"), config("return record +;"));
  const wrong = await Collector.run(["-c", folder.at("config.yaml")]);
  expect(wrong.status).toBe(2);
  expect(wrong.stderr).toMatch(/:6:13: option "code" of filter "script": .*config\.yaml:9:/);
});
