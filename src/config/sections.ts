import { suggestion } from "../lib/closest.ts";
import type { PipelineKind } from "./common-options.ts";
import type { ConfigNode, MapEntry, MapNode, ScalarNode } from "./node.ts";
import type { Problems } from "./problem.ts";

/** What all files of a configuration say, by section and in the order of reading. */
export interface Sections {
  readonly service: MapNode[];
  readonly env: EnvSetting[];
  readonly parsers: MapNode[];
  readonly multilineParsers: MapNode[];
  /** Paths of the user's own plugins, or maps with a path. */
  readonly pluginEntries: ConfigNode[];
  readonly plugins: Record<PipelineKind, MapNode[]>;
}
export interface EnvSetting {
  readonly name: string;
  readonly value: ScalarNode;
  /** The value is the content of this file. */
  readonly isFile: boolean;
}

export function emptySections(): Sections {
  return {
    service: [],
    env: [],
    parsers: [],
    multilineParsers: [],
    pluginEntries: [],
    plugins: { input: [], filter: [], output: [] },
  };
}

const SECTIONS = [
  "service",
  "env",
  "includes",
  "plugins",
  "parsers",
  "multiline_parsers",
  "pipeline",
];
const REFUSED = new Set([
  "processors",
  "upstream_servers",
  "stream_processor",
  "streams",
  "customs",
  "routes",
]);
const PIPELINE: Readonly<Record<string, PipelineKind>> = {
  inputs: "input",
  filters: "filter",
  outputs: "output",
};

export function notSupported(name: string): string {
  return `"${name}" is not supported in this version`;
}

/** Sorts one file's sections into `into`. `include` is called for each path under `includes`. */
export function readSections(
  file: MapNode,
  into: Sections,
  problems: Problems,
  include: (path: ScalarNode) => void,
): void {
  let hasService = false;
  // Variables first, so that an include can use one wherever the section stands.
  const isEnv = (entry: MapEntry): boolean => entry.key.toLowerCase() === "env";
  const entries = [...file.entries.filter(isEnv), ...file.entries.filter((entry) => !isEnv(entry))];
  for (const entry of entries) {
    const name = entry.key.toLowerCase();
    // As in Fluent Bit the lists of a file go on where they are repeated; the service is one.
    if (name === "service" && hasService) {
      problems.add(entry.at, `section "${entry.key}" is repeated`);
    }
    hasService ||= name === "service";
    if (isEmpty(entry.value)) continue;
    if (name === "service") into.service.push(...mapIn(entry, problems));
    else if (name === "env") into.env.push(...envSettings(entry, problems));
    else if (name === "includes") { for (const path of textsIn(entry, problems)) include(path); }
    else if (name === "plugins") into.pluginEntries.push(...itemsIn(entry.value));
    else if (name === "parsers") into.parsers.push(...mapsIn(entry, problems));
    else if (name === "multiline_parsers") into.multilineParsers.push(...mapsIn(entry, problems));
    else if (name === "pipeline") readPipeline(entry, into, problems);
    else if (REFUSED.has(name)) problems.add(entry.at, notSupported(entry.key));
    // Fluent Bit reads "extensions" and ignores it: it is where other tools keep their own things.
    else if (name !== "extensions" && !name.startsWith("x-")) {
      const hint = suggestion(name, SECTIONS) || misplaced(name);
      problems.add(entry.at, `unknown section "${entry.key}"${hint}`);
    }
  }
}

function misplaced(name: string): string {
  return name in PIPELINE ? `: it belongs under "pipeline"` : "";
}

function readPipeline(pipeline: MapEntry, into: Sections, problems: Problems): void {
  for (const entry of mapOf(pipeline, problems)) {
    const name = entry.key.toLowerCase();
    const kind = PIPELINE[name];
    if (kind !== undefined) {
      if (!isEmpty(entry.value)) into.plugins[kind].push(...mapsIn(entry, problems));
    } else if (REFUSED.has(name)) problems.add(entry.at, notSupported(entry.key));
    else {
      const hint = suggestion(name, Object.keys(PIPELINE));
      problems.add(entry.at, `unknown part "${entry.key}" of "pipeline"${hint}`);
    }
  }
}

/** A map of names and values, or a list of `{name, value}` and `{name, uri}`. */
function envSettings(entry: MapEntry, problems: Problems): EnvSetting[] {
  if (entry.value.kind === "list") {
    return mapsIn(entry, problems).flatMap((item) => envItem(item, problems));
  }
  return mapOf(entry, problems).flatMap(({ key, at, value }) => {
    if (value.kind === "scalar") {
      return [{ name: key, value, isFile: value.text.startsWith("file://") }];
    }
    problems.add(at, `variable "${key}" must be text`);
    return [];
  });
}

function envItem(item: MapNode, problems: Problems): EnvSetting[] {
  const known = new Map<string, ConfigNode>();
  for (const { key, at, value } of item.entries) {
    const option = key.toLowerCase();
    if (!["name", "value", "uri", "refresh_interval"].includes(option)) {
      problems.add(
        at,
        `unknown option "${key}" of "env"${suggestion(option, ["name", "value", "uri"])}`,
      );
    } else if (known.has(option)) problems.add(at, `option "${key}" of "env" is repeated`);
    known.set(option, value);
    if (option === "refresh_interval") {
      problems.warn(
        at,
        `"refresh_interval" has no effect in this version: the file is read at the start`,
      );
    }
  }
  const name = known.get("name");
  const uri = known.get("uri");
  const value = uri ?? known.get("value");
  if (name?.kind !== "scalar" || value?.kind !== "scalar") {
    problems.add(item.at, `an entry of "env" needs a name, and a value or uri`);
    return [];
  }
  return [{
    name: name.text,
    value,
    isFile: uri !== undefined || value.text.startsWith("file://"),
  }];
}

function isEmpty(node: ConfigNode): boolean {
  return node.kind === "scalar" && (node.text === "" || /^(null|~)$/i.test(node.text));
}

function mapOf(entry: MapEntry, problems: Problems): readonly MapEntry[] {
  if (entry.value.kind === "map") return entry.value.entries;
  problems.add(entry.value.at, `"${entry.key}" must be a map of names and values`);
  return [];
}

function mapIn(entry: MapEntry, problems: Problems): MapNode[] {
  if (entry.value.kind === "map") return [entry.value];
  mapOf(entry, problems);
  return [];
}

function mapsIn(entry: MapEntry, problems: Problems): MapNode[] {
  if (entry.value.kind !== "list") {
    problems.add(entry.value.at, `"${entry.key}" must be a list: begin each entry with "- name:"`);
    return [];
  }
  return entry.value.items.flatMap((item) => {
    if (item.kind === "map") return [item];
    problems.add(item.at, `an entry of "${entry.key}" must be a map that begins with "name:"`);
    return [];
  });
}

function itemsIn(value: ConfigNode): readonly ConfigNode[] {
  return value.kind === "list" ? value.items : [value];
}

function textsIn(entry: MapEntry, problems: Problems): ScalarNode[] {
  return itemsIn(entry.value).flatMap((item) => {
    if (item.kind === "scalar") return [item];
    problems.add(item.at, `an entry of "${entry.key}" must be text`);
    return [];
  });
}
