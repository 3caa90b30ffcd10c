import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { builtins } from "../../loader/registry.ts";
import type { PluginKind } from "../../sdk/registry.ts";
import { UsageError } from "../arguments.ts";
import { type CommandIo, EXIT } from "../command-io.ts";
import { readTypes } from "./embedded.ts";
import filterConfig from "./templates/filter-config.txt" with { type: "text" };
import filterTest from "./templates/filter-test.txt" with { type: "text" };
import filter from "./templates/filter.txt" with { type: "text" };
import inputConfig from "./templates/input-config.txt" with { type: "text" };
import inputTest from "./templates/input-test.txt" with { type: "text" };
import input from "./templates/input.txt" with { type: "text" };
import outputConfig from "./templates/output-config.txt" with { type: "text" };
import outputTest from "./templates/output-test.txt" with { type: "text" };
import output from "./templates/output.txt" with { type: "text" };
import parserConfig from "./templates/parser-config.txt" with { type: "text" };
import parserTest from "./templates/parser-test.txt" with { type: "text" };
import parser from "./templates/parser.txt" with { type: "text" };
import tsconfig from "./templates/tsconfig.txt" with { type: "text" };
import { TYPES_FILE } from "./types.ts";

const TEMPLATES: Readonly<Record<PluginKind, { plugin: string; test: string; config: string }>> = {
  input: { plugin: input, test: inputTest, config: inputConfig },
  filter: { plugin: filter, test: filterTest, config: filterConfig },
  output: { plugin: output, test: outputTest, config: outputConfig },
  parser: { plugin: parser, test: parserTest, config: parserConfig },
};

const MAX_NAME_LENGTH = 64;

interface NewRequest {
  readonly kind: PluginKind;
  readonly plugin: string;
  readonly folder: string;
}

/** `logcollector plugin new KIND NAME`: writes what runs at once, and never over a file that is there. */
export async function newPlugin(request: NewRequest, io: CommandIo): Promise<number> {
  const { kind, plugin, folder } = request;
  checkName(kind, plugin);
  const { own, shared } = await filesOf(request);
  const taken = own.filter(({ name }) => existsSync(join(folder, name)));
  if (taken.length > 0) {
    io.stderr(
      `logcollector: ${join(folder, taken[0]!.name)} exists and is not overwritten: ` +
        `take another name, or another folder with --dir\n`,
    );
    return EXIT.failed;
  }
  const kept = shared.filter(({ name }) => existsSync(join(folder, name)));
  const files = [...own, ...shared.filter((file) => !kept.includes(file))];
  const problem = writeAll(folder, files);
  if (problem !== undefined) {
    io.stderr(`logcollector: ${problem}\n`);
    return EXIT.failed;
  }
  const rows = [
    ...files.map(({ name, what }) => `  ${join(folder, name).padEnd(32)}  ${what}`),
    ...kept.map(({ name, what }) =>
      `  ${join(folder, name).padEnd(32)}  ${what} (was there, kept)`
    ),
  ];
  const config = own.find(({ name }) => name.endsWith(".yaml"))!.name;
  io.stdout(
    `New ${kind} "${plugin}"\n${rows.join("\n")}\n\nNext
  logcollector plugin test ${join(folder, `${plugin}.test.ts`)}
  logcollector -c ${join(folder, config)}
`,
  );
  return EXIT.ok;
}

interface NewFile {
  readonly name: string;
  readonly text: string;
  readonly what: string;
}

/** The files of this plugin alone, and those that all plugins in a folder share. */
async function filesOf(
  { kind, plugin, folder }: NewRequest,
): Promise<{ own: NewFile[]; shared: NewFile[] }> {
  const template = TEMPLATES[kind];
  const config = existsSync(join(folder, "config.yaml")) ? `${plugin}.yaml` : "config.yaml";
  const fill = (text: string) =>
    text.replaceAll("NAME", plugin).replaceAll("CONFIG", join(folder, config));
  return {
    own: [
      { name: `${plugin}.ts`, text: fill(template.plugin), what: "the plugin: start here" },
      { name: `${plugin}.test.ts`, text: fill(template.test), what: "its tests" },
      { name: config, text: fill(template.config), what: "a configuration to try it with" },
    ],
    shared: [
      { name: "tsconfig.json", text: tsconfig, what: "for editors" },
      { name: TYPES_FILE, text: await readTypes(), what: "types for editors" },
    ],
  };
}

/** Writes all files or none; gives what went wrong. */
function writeAll(folder: string, files: readonly NewFile[]): string | undefined {
  const written: string[] = [];
  try {
    mkdirSync(folder, { recursive: true });
    for (const { name, text } of files) {
      const path = join(folder, name);
      writeFileSync(path, text, { flag: "wx" });
      written.push(path);
    }
    return undefined;
  } catch (error) {
    for (const path of written) rmSync(path, { force: true });
    return `cannot write to ${folder}: ${(error as Error).message}`;
  }
}

function checkName(kind: PluginKind, name: string): void {
  if (!/^[a-z][a-z0-9_]*$/.test(name) || name.length > MAX_NAME_LENGTH) {
    const better = name.toLowerCase().replace(/[^a-z0-9]+/g, "_").replace(/^[^a-z]+|_+$/g, "")
      .slice(0, MAX_NAME_LENGTH);
    throw new UsageError(
      `"${name}" is no name for a plugin: take lower-case letters, digits and _` +
        (better === "" ? "" : `, such as "${better}"`),
    );
  }
  if (builtins.names(kind).includes(name)) {
    throw new UsageError(`there is a builtin ${kind} "${name}" already: take another name`);
  }
}
