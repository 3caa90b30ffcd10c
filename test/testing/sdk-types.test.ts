import { expect, setDefaultTimeout, test } from "bun:test";
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { TempFolder } from "../support/temp-folder.ts";

// Compilers take their time on a busy machine.
setDefaultTimeout(60_000);

const KINDS = ["input", "filter", "output", "parser"];
const TEMPLATES = "src/cli/plugin/templates";
const BIN = resolve("node_modules/.bin");

/** What every plugin's folder begins with, for each kind a plugin and its tests. */
function writePlugins(folder: TempFolder): void {
  for (const kind of KINDS) {
    for (
      const [template, name] of [[kind, `my_${kind}.ts`], [`${kind}-test`, `my_${kind}.test.ts`]]
    ) {
      const text = readFileSync(`${TEMPLATES}/${template}.txt`, "utf8");
      writeFileSync(folder.at(name!), text.replaceAll("NAME", `my_${kind}`));
    }
  }
  writeFileSync(folder.at("tsconfig.json"), readFileSync(`${TEMPLATES}/tsconfig.txt`));
}

/** The folder as npm would have installed the package there, with its dependencies and nothing else of ours. */
function installSdk(folder: TempFolder): void {
  mkdirSync(folder.at("node_modules/@types"), { recursive: true });
  cpSync("dist/sdk", folder.at("node_modules/logcollector"), { recursive: true });
  link(folder, "zod", "@types/node", "undici-types");
}

function link(folder: TempFolder, ...names: string[]): void {
  for (const name of names) {
    symlinkSync(resolve("node_modules", name), folder.at(`node_modules/${name}`));
  }
}

/** Where the author also installed the types of the runtime. */
function installRuntimeTypes(folder: TempFolder): void {
  link(folder, "@types/bun", "bun-types");
  const config = readFileSync(folder.at("tsconfig.json"), "utf8");
  writeFileSync(folder.at("tsconfig.json"), config.replace('"types": []', '"types": ["bun"]'));
}

function run(folder: TempFolder, command: string, ...args: string[]): string {
  const { stdout, stderr, exitCode } = Bun.spawnSync([`${BIN}/${command}`, ...args], {
    cwd: folder.path,
    env: { ...process.env, NO_COLOR: "1" },
  });
  return exitCode === 0 ? "" : `${stdout}${stderr}`;
}

const MISTAKE = `import { defineFilter, field } from "logcollector/plugin";
import { testFilter } from "logcollector/testing";
import * as z from "zod";
const plugin = defineFilter({
  name: "wrong",
  summary: "Is wrong",
  config: z.object({ size: field.size().describe("A size") }),
  create({ size }) {
    const text: string = size;
    return { process: (batch) => batch.with([{ sec: text }]) };
  },
});
const held: string = testFilter(plugin).held;
console.log(held);
`;

const MISTAKES = [
  /wrong\.ts\(9,11\).*'number'.*'string'/,
  /wrong\.ts\(10,\d+\).*'string'.*'number'/,
  /wrong\.ts\(13,7\)/,
];

test("plugins and their tests check against the package of types", () => {
  using folder = new TempFolder();
  writePlugins(folder);
  installSdk(folder);
  installRuntimeTypes(folder);
  expect(run(folder, "tsc", "-p", ".")).toBe("");
  writeFileSync(folder.at("wrong.ts"), MISTAKE);
  const problems = run(folder, "tsc", "-p", ".");
  for (const mistake of MISTAKES) expect(problems).toMatch(mistake);
});

test("plugins and their tests check against the one file of types, with nothing installed", () => {
  using folder = new TempFolder();
  writePlugins(folder);
  cpSync("dist/embedded/logcollector-sdk.d.ts.txt", folder.at("logcollector-sdk.d.ts"));
  expect(run(folder, "tsc", "-p", ".")).toBe("");
  writeFileSync(folder.at("wrong.ts"), MISTAKE);
  const problems = run(folder, "tsc", "-p", ".");
  for (const mistake of MISTAKES) expect(problems).toMatch(mistake);
});

test("plugins check in Deno against the package of types", () => {
  using folder = new TempFolder();
  writePlugins(folder);
  installSdk(folder);
  writeFileSync(folder.at("deno.json"), '{"nodeModulesDir": "manual"}');
  expect(run(folder, "deno", "check", ...KINDS.map((kind) => `my_${kind}.ts`))).toBe("");
  writeFileSync(folder.at("wrong.ts"), MISTAKE);
  expect(run(folder, "deno", "check", "wrong.ts")).toContain("TS2322");
});

test("the package names its version and its dependencies, and holds types alone", () => {
  const own = JSON.parse(readFileSync("dist/sdk/package.json", "utf8"));
  const ours = JSON.parse(readFileSync("package.json", "utf8"));
  expect(own).toMatchObject({
    name: "logcollector",
    version: ours.version,
    dependencies: { "zod": ours.dependencies.zod, "@types/node": expect.any(String) },
  });
  const files = [...new Bun.Glob("**/*").scanSync("dist/sdk")];
  expect(files.filter((file) => !file.endsWith(".d.ts")).sort()).toEqual([
    "LICENSE",
    "README.md",
    "package.json",
  ]);
  for (const { types } of Object.values(own.exports as Record<string, { types: string }>)) {
    expect(files).toContain(types.slice(2));
  }
});
