import * as z from "zod";
import * as field from "../sdk/fields.ts";
import { besideFile, type ConfigFiles, isGlob } from "./files.ts";
import type { ConfigNode, ScalarNode } from "./node.ts";
import { checkOptions } from "./option-group.ts";
import { formatPosition, type Position, type Problems } from "./problem.ts";
import type { Variables } from "./variables.ts";

/** What an entry of `plugins` may say besides its path. */
export const pluginEntrySchema = z.object({
  path: field.text().describe("File, folder or pattern, relative to the configuration file"),
  isolation: field.oneOf("inline", "worker").default("inline").describe(
    "worker runs the plugin in a thread of its own, which is watched and started again",
  ),
  sha256: field.custom("64 hexadecimal digits", parseDigest).optional().describe(
    "The file must have this SHA-256 digest",
  ),
  memory_limit: field.size({ min: 16 * 1024 * 1024 }).default(256 * 1024 * 1024).describe(
    "Memory of the plugin's thread above which it is started again; needs isolation: worker",
  ),
  allow_world_writable: field.bool().default(false).describe(
    "Load the plugin although every user of the machine may change it",
  ),
});

export type PluginEntry = z.output<typeof pluginEntrySchema>;

/** One file of the user's own plugins, and where the configuration names it. */
export interface PluginFile extends PluginEntry {
  readonly at: Position;
  /** It was found in a folder: a file without a plugin is then no mistake. */
  readonly mayBeEmpty: boolean;
  /** The configuration names a folder or a pattern, not the file itself. */
  readonly wasFound: boolean;
}

/** Files in a folder that can be plugins; a test beside one is none. */
const PLUGIN_NAME = /^[^._].*\.(?:ts|js|mjs|so)$/;
const NO_PLUGIN_NAME = /\.(?:test|spec|d)\.(?:ts|js|mjs)$/;

/** The files that the entries of `plugins` name, each once. */
export function pluginFiles(
  nodes: readonly ConfigNode[],
  variables: Variables,
  files: ConfigFiles,
  problems: Problems,
): PluginFile[] {
  const found = new Map<string, PluginFile>();
  for (const node of nodes) {
    const entry = readEntry(variables.expandNode(node, problems), problems);
    if (entry === undefined) continue;
    for (const file of filesOf(entry, files, problems)) {
      const earlier = found.get(file.path);
      if (earlier === undefined) found.set(file.path, file);
      else if (differ(earlier, file)) {
        problems.add(
          file.at,
          `plugin ${file.path} is named with other options at ${formatPosition(earlier.at)}`,
        );
      }
    }
  }
  return [...found.values()];
}

interface Entry extends PluginEntry {
  readonly at: Position;
}

/** Text alone is the path. */
function readEntry(node: ConfigNode, problems: Problems): Entry | undefined {
  if (node.kind === "list") {
    problems.add(node.at, `an entry of "plugins" must be a path, or a map with "path:"`);
    return undefined;
  }
  const map = node.kind === "map"
    ? node
    : { kind: "map" as const, at: node.at, entries: [pathOf(node)] };
  const { outputs } = checkOptions(map, {
    owner: "plugin",
    schemas: [pluginEntrySchema],
    advice: `its options are ${Object.keys(pluginEntrySchema.shape).join(", ")}`,
  }, problems);
  if (outputs === undefined) return undefined;
  return { ...outputs[0] as PluginEntry, at: map.at };
}

function pathOf(node: ScalarNode) {
  return { key: "path", at: node.at, value: node };
}

function filesOf(entry: Entry, files: ConfigFiles, problems: Problems): PluginFile[] {
  const path = besideFile(entry.at.file, entry.path);
  if (!isGlob(path)) {
    const names = files.list(path);
    if (names === undefined) return [{ ...entry, path, mayBeEmpty: false, wasFound: false }];
    const paths = names.filter((name) => PLUGIN_NAME.test(name) && !NO_PLUGIN_NAME.test(name))
      .map((name) => `${path.replace(/\/$/, "")}/${name}`);
    return several(entry, paths, "folder", problems).map((each) => ({
      ...entry,
      path: each,
      mayBeEmpty: true,
      wasFound: true,
    }));
  }
  const paths = files.glob(path).filter((each) => !NO_PLUGIN_NAME.test(each));
  return several(entry, paths, "pattern", problems).map((each) => ({
    ...entry,
    path: each,
    mayBeEmpty: false,
    wasFound: true,
  }));
}

function several(
  entry: Entry,
  paths: readonly string[],
  what: "folder" | "pattern",
  problems: Problems,
): readonly string[] {
  if (paths.length === 0) {
    problems.add(
      entry.at,
      what === "pattern"
        ? `no plugin matches ${entry.path}`
        : `folder ${entry.path} holds no plugin: files that end in .ts, .js, .mjs or .so`,
    );
  }
  if (entry.sha256 === undefined || paths.length === 0) return paths;
  problems.add(entry.at, `sha256 is for one file, and ${entry.path} is a ${what}`);
  return [];
}

function differ(a: PluginFile, b: PluginFile): boolean {
  return a.isolation !== b.isolation || a.sha256 !== b.sha256 || a.memory_limit !== b.memory_limit;
}

function parseDigest(text: string): string {
  if (/^[0-9a-f]{64}$/i.test(text)) return text.toLowerCase();
  throw new RangeError(
    `expected 64 hexadecimal digits, as "sha256sum FILE" prints them, got ${JSON.stringify(text)}`,
  );
}
