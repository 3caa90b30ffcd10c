import dummy from "../../plugins/inputs/dummy.ts";
import execInput from "../../plugins/inputs/exec.ts";
import stdinInput from "../../plugins/inputs/stdin.ts";
import tail from "../../plugins/inputs/tail.ts";
import checklist from "../../plugins/filters/checklist.ts";
import expect from "../../plugins/filters/expect.ts";
import grep from "../../plugins/filters/grep.ts";
import modify from "../../plugins/filters/modify/mod.ts";
import multilineFilter from "../../plugins/filters/multiline/mod.ts";
import nest from "../../plugins/filters/nest.ts";
import parserFilter from "../../plugins/filters/parser.ts";
import recordModifier from "../../plugins/filters/record_modifier.ts";
import rewriteTag from "../../plugins/filters/rewrite_tag.ts";
import stdoutFilter from "../../plugins/filters/stdout.ts";
import sysinfo from "../../plugins/filters/sysinfo.ts";
import throttle from "../../plugins/filters/throttle.ts";
import typeConverter from "../../plugins/filters/type_converter/mod.ts";
import fileOutput from "../../plugins/outputs/file.ts";
import httpOutput from "../../plugins/outputs/http.ts";
import nullOutput from "../../plugins/outputs/null.ts";
import stdoutOutput from "../../plugins/outputs/stdout.ts";
import jsonParser from "../../plugins/parsers/json.ts";
import logfmtParser from "../../plugins/parsers/logfmt.ts";
import ltsvParser from "../../plugins/parsers/ltsv.ts";
import regexParser from "../../plugins/parsers/regex.ts";
import type { PluginDefinition } from "../sdk/define.ts";
import type { DefinitionOf, PluginKind, PluginRegistry } from "../sdk/registry.ts";

export type { PluginRegistry } from "../sdk/registry.ts";

const BUILTINS: readonly PluginDefinition[] = [
  dummy,
  execInput,
  stdinInput,
  tail,
  checklist,
  expect,
  grep,
  modify,
  multilineFilter,
  nest,
  parserFilter,
  recordModifier,
  rewriteTag,
  stdoutFilter,
  sysinfo,
  throttle,
  typeConverter,
  fileOutput,
  httpOutput,
  nullOutput,
  stdoutOutput,
  jsonParser,
  logfmtParser,
  ltsvParser,
  regexParser,
];

/** A registry of these plugins. Two of one kind and name are a mistake of the program's. */
export function registryOf(plugins: readonly PluginDefinition[]): PluginRegistry {
  const found = new Map<string, PluginDefinition>();
  for (const plugin of plugins) {
    const key = `${plugin.kind} ${plugin.name}`;
    if (found.has(key)) throw new Error(`Cannot register ${key}: the name is taken`);
    found.set(key, plugin);
  }
  return {
    find: <K extends PluginKind>(kind: K, name: string) =>
      found.get(`${kind} ${name.toLowerCase()}`) as DefinitionOf<K> | undefined,
    list: <K extends PluginKind>(kind: K) =>
      [...found.values()].filter((plugin) => plugin.kind === kind) as unknown as DefinitionOf<K>[],
  };
}

/** Every plugin that comes with the collector. */
export const builtins: PluginRegistry = registryOf(BUILTINS);
