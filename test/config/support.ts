import { defineFilter, defineInput, defineOutput, field } from "logcollector/plugin";
import * as z from "zod";
import type { ConfigFiles } from "../../src/config/files.ts";
import { type ConfigRequest, loadConfig } from "../../src/config/load-config.ts";
import type { LoadedConfig } from "../../src/config/loaded-config.ts";
import { formatProblem } from "../../src/config/problem.ts";
import type { PluginDefinition } from "../../src/sdk/define.ts";
import type { PluginRegistry } from "../../src/sdk/registry.ts";

/** Plugins that exist for these tests alone, so that they do not change with the real ones. */
const tail = defineInput({
  name: "tail",
  summary: "Reads lines of files.",
  config: z.object({
    path: field.list().describe("Files to read"),
    key: field.text().default("log").describe("Field of the line"),
    buffer_max_size: field.size({ min: 16 }).default(32_768).describe("Longest line"),
    refresh_interval: field.duration().default(1000).describe("Pause between two searches"),
    read_from_head: field.bool().default(false).describe("Start at the beginning"),
    "multiline.parser": field.list().default([]).describe("Multiline parsers"),
  }),
  optionAliases: { buffer_max: "buffer_max_size" },
  create: () => ({ run: () => Promise.resolve() }),
});
const dummy = defineInput({
  name: "dummy",
  summary: "Makes records.",
  config: z.object({ rate: z.number().default(1).describe("Records a second") }),
  create: () => ({ run: () => Promise.resolve() }),
});
const grep = defineFilter({
  name: "grep",
  summary: "Keeps some records.",
  config: z.object({
    regex: field.repeated(field.words("key", "regex")).default([]).describe("Keep"),
    exclude: field.repeated(field.words("key", "regex")).default([]).describe("Drop"),
    pattern: field.pattern().optional().describe("One regex"),
    logical_op: field.oneOf("legacy", "and", "or").default("legacy").describe("How rules combine"),
  }),
  create: () => ({ process: (batch) => batch }),
});
const stdout = defineOutput({
  name: "stdout",
  summary: "Prints records.",
  config: z.object({
    format: field.oneOf("msgpack", "json_lines").default("msgpack").describe("Form"),
  }),
  create: () => ({ write: () => Promise.resolve() }),
});
const http = defineOutput({
  name: "http",
  summary: "Posts records.",
  config: z.object({
    host: field.text().default("127.0.0.1").describe("Host"),
    port: field.int({ min: 1, max: 65535 }).default(80).describe("Port"),
    http_passwd: field.text().refine((text) => text.length < 5, "too long: keep it short")
      .optional()
      .describe("Password"),
    header: field.repeated(field.words("name", "value")).default([]).describe("Headers"),
  }),
  create: () => ({ write: () => Promise.resolve() }),
});

const definitions: PluginDefinition[] = [tail, dummy, grep, stdout, http];
export const registry = {
  names: (kind) => definitions.filter((one) => one.kind === kind).map(({ name }) => name),
  find: (kind, name) =>
    definitions.find((one) => one.kind === kind && one.name === name.toLowerCase()),
  list: (kind) => definitions.filter((one) => one.kind === kind),
} as PluginRegistry;

export const parserSchemas = {
  parser: z.object({
    name: field.text().describe("Name"),
    format: field.oneOf("json", "regex").describe("Format"),
    regex: field.pattern().optional().describe("Expression"),
  }),
  multiline: z.object({
    name: field.text().describe("Name"),
    type: field.oneOf("regex").default("regex").describe("Type"),
    rules: z.array(
      z.object({ state: field.text(), regex: field.pattern(), next_state: field.text() }),
    )
      .default([]).describe("Rules"),
  }),
};

/** A file system of texts. */
export function filesOf(texts: Readonly<Record<string, string>>): ConfigFiles {
  return {
    read(path) {
      const text = texts[path];
      if (text === undefined) throw Object.assign(new Error("no such file"), { code: "ENOENT" });
      return text;
    },
    exists: (path) => path in texts,
    glob: (pattern) =>
      Object.keys(texts).filter((path) => new Bun.Glob(pattern).match(path)).sort(),
    list: (folder) => {
      const names = Object.keys(texts).filter((path) => path.startsWith(`${folder}/`))
        .map((path) => path.slice(folder.length + 1));
      return names.length === 0 ? undefined : names.sort();
    },
  };
}

export interface Loading extends Partial<Omit<ConfigRequest, "files">> {
  readonly others?: Readonly<Record<string, string>>;
}

function request(yaml: string, { others = {}, ...rest }: Loading): ConfigRequest {
  return {
    path: "config.yaml",
    registry,
    parserSchemas,
    env: {},
    hostname: "box",
    ...rest,
    files: filesOf({ "config.yaml": yaml, ...others }),
  };
}

/** The configuration, which must be right. */
export function load(yaml: string, loading: Loading = {}): LoadedConfig {
  const result = loadConfig(request(yaml, loading));
  if ("errors" in result) throw new Error(result.errors.map(formatProblem).join("\n"));
  return result.config;
}

/** The lines that the user sees for a configuration that is wrong. */
export function mistakes(yaml: string, loading: Loading = {}): string[] {
  const result = loadConfig(request(yaml, loading));
  return "errors" in result ? result.errors.map(formatProblem) : [];
}

/** A pipeline with these options of its input `tail`, one a line. */
export function tailWith(...options: string[]): string {
  const lines = options.map((option) => `      ${option}\n`).join("");
  return `pipeline:\n  inputs:\n    - name: tail\n${lines}  outputs:\n    - name: stdout\n`;
}
