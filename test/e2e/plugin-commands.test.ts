import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { Collector } from "../support/binary.ts";
import { eventually } from "../support/eventually.ts";
import { TempFolder } from "../support/temp-folder.ts";

// What ends a test that waits in vain are the deadlines of what it waits for.
setDefaultTimeout(60_000);

/** A machine without Bun, Node or anything else; files that the program leaves behind show in the folder. */
function bare(folder: TempFolder) {
  mkdirSync(folder.at("tmp"), { recursive: true });
  return {
    cwd: folder.path,
    env: { PATH: "/nonexistent", HOME: folder.path, TMPDIR: folder.at("tmp") },
  };
}

async function plugin(folder: TempFolder, ...args: string[]): Promise<Collector> {
  return await Collector.run(["plugin", ...args], bare(folder));
}

const PLUGIN = `import { defineFilter, field } from "logcollector/plugin";
import * as z from "zod";
export default defineFilter({
  name: "mine",
  summary: "Does nothing",
  config: z.object({ key: field.text().default("k").describe("A key") }),
  create: () => ({ process: (batch) => batch }),
});
`;

describe.each(["input", "filter", "output", "parser"])("plugin new %s", (kind) => {
  const name = `my_${kind}`;

  test("writes what passes its tests, checks and runs at once", async () => {
    using folder = new TempFolder();
    const made = await plugin(folder, "new", kind, name, "--dir", "sub");
    expect([made.status, made.stderr]).toEqual([0, ""]);
    expect(readdirSync(folder.at("sub")).sort()).toEqual([
      "config.yaml",
      "logcollector-sdk.d.ts",
      `${name}.test.ts`,
      `${name}.ts`,
      "tsconfig.json",
    ]);

    const tested = await plugin(folder, "test", "sub");
    expect(tested.stderr).toMatch(/\d\d pass\n +0 fail/);
    expect(tested.status).toBe(0);
    expect(readdirSync(folder.at("tmp"))).toEqual([]);

    const checked = await plugin(folder, "check", `sub/${name}.ts`);
    expect([checked.status, checked.stderr]).toEqual([0, ""]);
    expect(checked.stdout).toContain(`${name} (${kind}): `);
    expect(checked.stdout).toContain("1 plugin, 0 problems");

    const listed = await plugin(folder, "list", "-c", "sub/config.yaml");
    expect(listed.stdout).toContain(`  ${kind} ${name}  sub/${name}.ts\n`);

    await using run = new Collector(["-c", "sub/config.yaml"], bare(folder));
    if (kind === "output") {
      const path = folder.at("my_output.log");
      await eventually(() => existsSync(path) && readFileSync(path, "utf8").includes("it works"));
    } else {
      await run.untilRecords(1);
      expect(JSON.stringify(run.records[0])).toContain("it works");
    }
    expect(await run.stop()).toBe(0);
    expect(run.log.filter(({ level }) => level === "error" || level === "warn")).toEqual([]);
  });
});

test("plugin new never writes over a file, and keeps what plugins of a folder share", async () => {
  using folder = new TempFolder();
  expect((await plugin(folder, "new", "filter", "one")).status).toBe(0);
  writeFileSync(folder.at("tsconfig.json"), "{}");
  const second = await plugin(folder, "new", "filter", "two");
  expect(second.stdout).toContain("was there, kept");
  expect(readFileSync(folder.at("tsconfig.json"), "utf8")).toBe("{}");
  expect(readFileSync(folder.at("config.yaml"), "utf8")).toContain("./one.ts");
  expect(readFileSync(folder.at("two.yaml"), "utf8")).toContain("./two.ts");

  writeFileSync(folder.at("one.ts"), "mine");
  const again = await plugin(folder, "new", "input", "one");
  expect([again.status, again.stderr.split("\n")]).toEqual([1, [
    "logcollector: one.ts exists and is not overwritten: take another name, or another folder with --dir",
    "",
  ]]);
  expect(readFileSync(folder.at("one.ts"), "utf8")).toBe("mine");
  writeFileSync(folder.at("file"), "");
  const nowhere = await plugin(folder, "new", "input", "three", "--dir", "file/sub");
  expect(nowhere.status).toBe(1);
  expect(nowhere.stderr).toMatch(/^logcollector: cannot write to file\/sub: .*\n$/);
});

test.each([
  ["", '"plugin" needs a command, one of new, test, check, list, types, help'],
  ["nwe", 'unknown command "plugin nwe": did you mean "new"?'],
  ["new", '"plugin new" needs a kind and a name'],
  ["new fitler x", 'unknown kind "fitler": did you mean "filter"?'],
  ["new filter", '"plugin new filter" needs a name'],
  ["new filter a b", 'unexpected "b" behind "plugin new filter a"'],
  [
    "new filter My-Name",
    '"My-Name" is no name for a plugin: take lower-case letters, digits and _, such as "my_name"',
  ],
  ["new filter ../x", '"../x" is no name for a plugin'],
  ["new filter grep", 'there is a builtin filter "grep" already'],
  ["new filter x --dir", "--dir needs a value"],
  ["check", '"plugin check" needs a file or folder'],
  ["check missing.ts", "cannot check missing.ts: it does not exist"],
  ["test missing", "cannot test missing: it does not exist"],
  ["list --dir x", 'unknown option --dir of "plugin list"'],
  ["list -c missing.yaml", "missing.yaml"],
])("plugin %s is refused with one clear line", async (args, message) => {
  using folder = new TempFolder();
  const run = await plugin(folder, ...args.split(" ").filter(Boolean));
  expect(run.status).toBe(2);
  expect(run.stderr).toContain(message);
  expect(run.stderr.trimEnd().split("\n")).toHaveLength(1);
  expect(readdirSync(folder.path)).toEqual(["tmp"]);
});

test("plugin --help and logcollector --help tell of the commands", async () => {
  using folder = new TempFolder();
  expect((await plugin(folder, "--help")).stdout).toContain("logcollector plugin test [PATH]");
  expect((await Collector.run(["--help"])).stdout).toContain("logcollector plugin --help");
});

test("plugin test passes the status of failing tests on, and says when there are none", async () => {
  using folder = new TempFolder();
  const none = await plugin(folder, "test");
  expect([none.status, none.stderr]).toEqual([
    1,
    "logcollector: found no test in this folder: the name of a file with tests ends in .test.ts\n",
  ]);
  writeFileSync(
    folder.at("bad.test.ts"),
    'import { expect, test } from "bun:test";\ntest("bad", () => {\n  expect(1).toBe(2);\n});\n',
  );
  mkdirSync(folder.at("node_modules"));
  writeFileSync(folder.at("node_modules/other.test.ts"), "throw new Error('not mine');\n");
  const bad = await plugin(folder, "test");
  expect(bad.status).toBe(1);
  expect(bad.stderr).toContain("(fail) bad");
  expect(bad.stderr).toContain("bad.test.ts:3");
  expect(bad.stderr).not.toContain("not mine");
  expect(readdirSync(folder.at("tmp"))).toEqual([]);
});

test("plugin test shows the place in the plugin where it throws", async () => {
  using folder = new TempFolder();
  writeFileSync(
    folder.at("mine.ts"),
    PLUGIN.replace("(batch) => batch", "(batch) => { throw new Error('boom'); }"),
  );
  writeFileSync(
    folder.at("mine.test.ts"),
    `import { test } from "bun:test";
import { testFilter } from "logcollector/testing";
import mine from "./mine.ts";
test("feeds", () => testFilter(mine).feed([{}]));
`,
  );
  const run = await plugin(folder, "test", "mine.ts");
  expect(run.status).toBe(1);
  expect(run.stderr).toContain("boom");
  expect(run.stderr).toMatch(/mine\.ts:7/);
});

test("what a test of plugins starts is not a runtime, and the classes are the plugin's own", async () => {
  using folder = new TempFolder();
  writeFileSync(folder.at("mine.ts"), PLUGIN);
  writeFileSync(
    folder.at("mine.test.ts"),
    `import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { ConfigError } from "logcollector/plugin";
import { testFilter } from "logcollector/testing";
import { ZodObject } from "zod";
import mine from "./mine.ts";
test("started processes", () => {
  expect(process.env.BUN_BE_BUN).toBeUndefined();
  const echo = ["/bin/sh", "-c", "echo [$BUN_BE_BUN]"];
  expect(Bun.spawnSync(echo).stdout.toString()).toBe("[]\\n");
  expect(Bun.spawnSync({ cmd: echo }).stdout.toString()).toBe("[]\\n");
  expect(spawnSync(echo[0]!, echo.slice(1)).stdout.toString()).toBe("[]\\n");
  expect(Bun.spawnSync([process.execPath, "--version"]).stdout.toString()).toContain("logcollector");
});
test("classes", () => {
  expect(mine.config).toBeInstanceOf(ZodObject);
  expect(() => testFilter(mine, { nope: 1 })).toThrow(ConfigError);
});
`,
  );
  const run = await plugin(folder, "test", "mine.test.ts");
  expect(run.stderr).toContain("2 pass");
  expect(run.status).toBe(0);
});

test("plugin check reports what loads badly, and what would trouble users", async () => {
  using folder = new TempFolder();
  mkdirSync(folder.at("plugins"));
  writeFileSync(folder.at("plugins/good.ts"), PLUGIN.replace('"mine"', '"grep"'));
  writeFileSync(folder.at("plugins/helper.ts"), "export const help = 1;\n");
  writeFileSync(folder.at("plugins/good.test.ts"), "throw new Error('a test is no plugin');\n");
  const good = await plugin(folder, "check", "plugins");
  expect([good.status, good.stderr]).toEqual([0, ""]);
  expect(good.stdout).toContain("plugins/good.ts, in place of the builtin filter\n");

  writeFileSync(folder.at("plugins/bare.ts"), PLUGIN.replace('.describe("A key")', ""));
  writeFileSync(folder.at("plugins/twin.ts"), PLUGIN);
  writeFileSync(folder.at("plugins/throws.ts"), "\nthrow new Error('boom');\n");
  const bad = await plugin(folder, "check", "plugins");
  expect(bad.status).toBe(1);
  const lines = bad.stderr.trimEnd().split("\n");
  expect(lines).toHaveLength(3);
  expect(lines[0]).toBe(
    'plugins/bare.ts: filter "mine": option "key" has no description: add .describe("…")',
  );
  expect(lines[1]).toMatch(/^Cannot load plugins\/throws\.ts: .*boom/);
  expect(lines[2]).toBe('plugins/twin.ts: filter "mine" is already defined in plugins/bare.ts');
  expect(bad.stdout).toContain("3 plugins, 3 problems\n");

  expect((await plugin(folder, "check", "plugins/helper.ts")).stderr)
    .toMatch(/^Cannot load plugins\/helper\.ts: it exports no plugin/);
});

test("plugin list shows the builtins, and what a configuration cannot load", async () => {
  using folder = new TempFolder();
  const all = await plugin(folder, "list");
  expect([all.status, all.stderr]).toEqual([0, ""]);
  expect(all.stdout).toMatch(/Filters\n(.*\n)* {2}grep /);
  writeFileSync(folder.at("config.yaml"), "plugins: [./missing.ts]\n");
  const bad = await plugin(folder, "list", "-c", "config.yaml");
  expect(bad.status).toBe(2);
  expect(bad.stderr).toMatch(/^config\.yaml:1:11: .*missing\.ts: it does not exist\n$/);
});

test("plugin types writes the types again in place of older ones", async () => {
  using folder = new TempFolder();
  writeFileSync(folder.at("logcollector-sdk.d.ts"), "old");
  const run = await plugin(folder, "types");
  expect([run.status, run.stdout]).toEqual([0, "Updated logcollector-sdk.d.ts\n"]);
  expect(readFileSync(folder.at("logcollector-sdk.d.ts"), "utf8"))
    .toContain('declare module "logcollector/testing"');
});

test("the options of a parser's plugin are its own, checked like all others", async () => {
  using folder = new TempFolder();
  await plugin(folder, "new", "parser", "pieces");
  const config = readFileSync(folder.at("config.yaml"), "utf8");
  writeFileSync(
    folder.at("config.yaml"),
    config.replace("format: pieces", 'format: pieces\n    separator: ":"\n    fields: h, m, rest'),
  );
  await using run = new Collector(["-c", "config.yaml"], bare(folder));
  await run.untilRecords(1);
  expect(run.records[0]).toMatchObject({ h: "12", m: "00", rest: "01 | info | it works" });
  await run.stop();
  writeFileSync(
    folder.at("config.yaml"),
    config.replace("format: pieces", "format: pieces\n    seperator: x"),
  );
  const wrong = await Collector.run(["-c", "config.yaml"], bare(folder));
  expect([wrong.status, wrong.stderr]).toEqual([
    2,
    'config.yaml:7:5: unknown option "seperator" of parser "my_pieces": did you mean "separator"?\n',
  ]);
});

test("the plugin and the test of the guide work as they stand there", async () => {
  using folder = new TempFolder();
  const guide = readFileSync("docs/plugin-development.md", "utf8");
  const [mask, tidy, tests] = [...guide.matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => code!);
  writeFileSync(folder.at("mask.ts"), mask!);
  writeFileSync(folder.at("mask.test.ts"), tests!);
  const run = await plugin(folder, "test");
  expect(run.stderr).toMatch(/\d\d pass\n +0 fail/);
  const [config] = /```yaml\n(.*?)```/s.exec(guide)!.slice(1);
  writeFileSync(folder.at("app.log"), '{"email":"a@b.c","n":1}\n');
  writeFileSync(
    folder.at("config.yaml"),
    config!.replace("/var/log/app.log", "app.log, exit_on_eof: on, read_from_head: on"),
  );
  const collector = await Collector.run(["-c", "config.yaml"], bare(folder));
  expect(collector.records).toMatchObject([{ email: "***", n: 1 }]);

  writeFileSync(folder.at("tidy.ts"), tidy!);
  writeFileSync(folder.at("app.log"), '{"level":"debug"}\n{"level":"info","msg":"hello"}\n');
  writeFileSync(
    folder.at("config.yaml"),
    readFileSync(folder.at("config.yaml"), "utf8")
      .replace("./mask.ts", "./tidy.ts").replace(
        /filters: .*/,
        'filters: [{ name: tidy, match: "*" }]',
      ),
  );
  const tidied = await Collector.run(["-c", "config.yaml"], bare(folder));
  expect(tidied.records).toMatchObject([{ level: "info", message: "hello", team: "payments" }]);
});
