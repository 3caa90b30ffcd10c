import { closest, suggestion } from "../lib/closest.ts";
import { rawOptions, rememberRawOptions } from "../sdk/raw-options.ts";
import type { DefinitionOf, PluginRegistry } from "../sdk/registry.ts";
import { COMMON_OPTIONS, isRefusedOption, type PipelineKind } from "./common-options.ts";
import type { AnyInstance, InstanceOf, LoadedConfig } from "./loaded-config.ts";
import { entryOf, type MapNode } from "./node.ts";
import { checkOptions } from "./option-group.ts";
import { formatPosition, type Problems } from "./problem.ts";
import { rememberSource } from "./problem-of.ts";
import type { Sections } from "./sections.ts";

type Instances = Pick<LoadedConfig, "inputs" | "filters" | "outputs">;

/** Makes the instances of a pipeline, reporting every mistake. What is wrong is left out. */
export function pluginInstances(
  sections: Sections,
  registry: PluginRegistry,
  problems: Problems,
): Instances {
  const { plugins } = sections;
  const inputs = instancesOf("input", plugins.input, registry, problems);
  const filters = instancesOf("filter", plugins.filter, registry, problems);
  const outputs = instancesOf("output", plugins.output, registry, problems);
  const onlyPair = plugins.input.length === 1 && plugins.output.length === 1;
  return {
    inputs,
    filters,
    outputs: outputs.map((output) => withMatch(output, onlyPair, problems)),
  };
}

function instancesOf<K extends PipelineKind>(
  kind: K,
  maps: readonly MapNode[],
  registry: PluginRegistry,
  problems: Problems,
): InstanceOf[K][] {
  const instances: InstanceOf[K][] = [];
  const counts = new Map<string, number>();
  const ids = new Map<string, string>();
  for (const map of maps) {
    const definition = definitionOf(kind, map, registry, problems);
    if (definition === undefined) continue;
    const number = counts.get(definition.name) ?? 0;
    counts.set(definition.name, number + 1);
    checkAlias(kind, map, ids, problems);
    const instance = instanceOf(kind, map, definition, `${definition.name}.${number}`, problems);
    if (kind === "filter") requireMatch(map, definition.name, instance !== undefined, problems);
    if (instance !== undefined) instances.push(instance as InstanceOf[K]);
  }
  return instances;
}

function definitionOf<K extends PipelineKind>(
  kind: K,
  map: MapNode,
  registry: PluginRegistry,
  problems: Problems,
): DefinitionOf<K> | undefined {
  const name = entryOf(map, "name");
  if (name?.value.kind !== "scalar" || name.value.text === "") {
    problems.add(
      map.at,
      `the ${kind} has no plugin: add "name:" with one of those that "logcollector plugins" lists`,
    );
    return undefined;
  }
  const definition = registry.find(kind, name.value.text);
  if (definition === undefined) {
    const names = registry.names(kind);
    const shown = name.value.secret ? "***" : name.value.text;
    const hint = name.value.secret ? "" : suggestion(name.value.text, names);
    problems.add(name.value.at, `unknown ${kind} "${shown}"${hint}`);
  }
  return definition;
}

function checkAlias(
  kind: PipelineKind,
  map: MapNode,
  ids: Map<string, string>,
  problems: Problems,
): void {
  const alias = entryOf(map, "alias");
  if (alias?.value.kind !== "scalar") return;
  const { text, secret, at } = alias.value;
  const earlier = ids.get(text);
  if (earlier === undefined) ids.set(text, formatPosition(at));
  else {
    problems.add(
      at,
      `alias "${secret ? "***" : text}" is already the name of the ${kind} at ${earlier}`,
    );
  }
}

/** `right` is false when other options are wrong: a misspelt `match` is reported as that. */
function requireMatch(map: MapNode, name: string, right: boolean, problems: Problems): void {
  const keys = map.entries.map((entry) => entry.key.toLowerCase());
  if (keys.includes("match") || keys.includes("match_regex")) return;
  if (!right && keys.some((key) => closest(key, ["match", "match_regex"]) !== undefined)) return;
  problems.add(map.at, `filter "${name}" has no match: add "match: '*'" for all records`);
}

function instanceOf(
  kind: PipelineKind,
  map: MapNode,
  definition: DefinitionOf<PipelineKind>,
  numbered: string,
  problems: Problems,
): AnyInstance | undefined {
  const owner = `${kind} "${definition.name}"`;
  const checked = checkOptions(map, {
    owner,
    schemas: [definition.config, COMMON_OPTIONS[kind]],
    aliases: definition.optionAliases,
    others: ["name"],
    refused: (option) => isRefusedOption(kind, option) && !(option in definition.config.shape),
    advice: `"logcollector plugins ${definition.name}" lists its options`,
  }, problems);
  if (checked.outputs === undefined) return undefined;
  const [config, given] = checked.outputs as [unknown, { alias?: string; tag?: string }];
  const common = kind === "input" ? { ...given, tag: given.tag ?? numbered } : given;
  rememberRawOptions(common, rawOptions(given));
  const position = formatPosition(map.at);
  const instance = { definition, id: given.alias ?? numbered, config, common, position };
  rememberSource(instance, { owner, map, given: checked.given });
  return instance as unknown as AnyInstance;
}

/** One input and one output belong together. Any other output without a rule gets nothing, which deserves a word. */
function withMatch(
  output: InstanceOf["output"],
  onlyPair: boolean,
  problems: Problems,
): InstanceOf["output"] {
  const { match, match_regex } = output.common;
  if (match !== undefined || match_regex !== undefined) return output;
  // In place, because problemOf knows the instance by its identity.
  if (onlyPair) output.common.match = "*";
  else {
    problems.warnings.push(
      `${output.position}: output "${output.id}" has no match and gets no records: add "match: '*'" for all of them`,
    );
  }
  return output;
}
