import type { PluginDefinition } from "../sdk/define.ts";
import type { DefinitionOf, PluginKind, PluginRegistry } from "../sdk/registry.ts";

export type { PluginRegistry } from "../sdk/registry.ts";

type Load = () => { readonly default: unknown };

/**
 * Every plugin that comes with the collector. A module is loaded when its plugin is first asked for: the
 * option schemas of all of them together would take as much memory as a whole running pipeline.
 */
const BUILTINS: Readonly<Record<PluginKind, Readonly<Record<string, Load>>>> = {
  input: {
    dummy: () => require("../../plugins/inputs/dummy.ts"),
    exec: () => require("../../plugins/inputs/exec.ts"),
    kubernetes_events: () => require("../../plugins/inputs/kubernetes_events.ts"),
    stdin: () => require("../../plugins/inputs/stdin.ts"),
    systemd: () => require("../../plugins/inputs/systemd.ts"),
    tail: () => require("../../plugins/inputs/tail.ts"),
  },
  filter: {
    checklist: () => require("../../plugins/filters/checklist.ts"),
    expect: () => require("../../plugins/filters/expect.ts"),
    grep: () => require("../../plugins/filters/grep.ts"),
    kubernetes: () => require("../../plugins/filters/kubernetes/mod.ts"),
    modify: () => require("../../plugins/filters/modify/mod.ts"),
    multiline: () => require("../../plugins/filters/multiline/mod.ts"),
    nest: () => require("../../plugins/filters/nest.ts"),
    parser: () => require("../../plugins/filters/parser.ts"),
    record_modifier: () => require("../../plugins/filters/record_modifier.ts"),
    rewrite_tag: () => require("../../plugins/filters/rewrite_tag.ts"),
    script: () => require("../../plugins/filters/script.ts"),
    stdout: () => require("../../plugins/filters/stdout.ts"),
    sysinfo: () => require("../../plugins/filters/sysinfo.ts"),
    throttle: () => require("../../plugins/filters/throttle.ts"),
    type_converter: () => require("../../plugins/filters/type_converter/mod.ts"),
  },
  output: {
    es: () => require("../../plugins/outputs/es/mod.ts"),
    file: () => require("../../plugins/outputs/file.ts"),
    forward: () => require("../../plugins/outputs/forward.ts"),
    http: () => require("../../plugins/outputs/http.ts"),
    null: () => require("../../plugins/outputs/null.ts"),
    opensearch: () => require("../../plugins/outputs/es/opensearch.ts"),
    stdout: () => require("../../plugins/outputs/stdout.ts"),
  },
  parser: {
    json: () => require("../../plugins/parsers/json.ts"),
    logfmt: () => require("../../plugins/parsers/logfmt.ts"),
    ltsv: () => require("../../plugins/parsers/ltsv.ts"),
    regex: () => require("../../plugins/parsers/regex.ts"),
  },
};

export const builtins: PluginRegistry = {
  names: (kind) => Object.keys(BUILTINS[kind]),
  find<K extends PluginKind>(kind: K, name: string) {
    const key = name.toLowerCase();
    if (!Object.hasOwn(BUILTINS[kind], key)) return undefined;
    return BUILTINS[kind][key]!().default as DefinitionOf<K>;
  },
  list<K extends PluginKind>(kind: K) {
    return Object.values(BUILTINS[kind]).map((load) => load().default as DefinitionOf<K>);
  },
};

/** A registry of these plugins. Two of one kind and name are a mistake of the program's. */
export function registryOf(plugins: readonly PluginDefinition[]): PluginRegistry {
  const found = new Map<string, PluginDefinition>();
  for (const plugin of plugins) {
    const key = `${plugin.kind} ${plugin.name}`;
    if (found.has(key)) throw new Error(`Cannot register ${key}: the name is taken`);
    found.set(key, plugin);
  }
  const ofKind = (kind: PluginKind) => [...found.values()].filter((plugin) => plugin.kind === kind);
  return {
    names: (kind) => ofKind(kind).map(({ name }) => name),
    find: <K extends PluginKind>(kind: K, name: string) =>
      found.get(`${kind} ${name.toLowerCase()}`) as DefinitionOf<K> | undefined,
    list: <K extends PluginKind>(kind: K) => ofKind(kind) as unknown as DefinitionOf<K>[],
  };
}
