import { existsSync } from "node:fs";
import { API_VERSION, type PluginDefinition } from "../sdk/define.ts";
import { ConfigError } from "../sdk/errors.ts";
import type { DefinitionOf, PluginKind, PluginRegistry } from "../sdk/registry.ts";
import { importPlugin } from "./import-plugin.ts";
import { LivePlugin } from "./live-plugin.ts";
import { checkPluginFile, type PluginRequest } from "./plugin-safety.ts";

/** What was loaded from one file. */
export interface LoadedPlugin {
  readonly path: string;
  readonly definition: PluginDefinition;
  /** Exchanges its code while it runs. */
  readonly live?: LivePlugin | undefined;
}

export interface UserPluginRequest extends PluginRequest {
  /** A file without a plugin is no mistake, as in a folder that holds other modules too. */
  readonly mayBeEmpty?: boolean | undefined;
}

const KINDS: ReadonlySet<unknown> = new Set<PluginKind>(["input", "filter", "output", "parser"]);

/**
 * Loads one file of the user's and returns the plugins that it exports, under any name. Throws an Error
 * whose message says what is wrong with the file, where, and what to do.
 */
export async function loadUserPlugins(request: UserPluginRequest): Promise<LoadedPlugin[]> {
  const definitions = await loadDefinitions(request);
  return definitions.map((definition) => {
    const live = new LivePlugin(definition);
    return { path: request.path, definition: live.definition, live };
  });
}

/** The same without the means to exchange them later. */
export async function loadDefinitions(request: UserPluginRequest): Promise<PluginDefinition[]> {
  const { path } = request;
  try {
    if (!existsSync(path)) throw new Error("it does not exist");
    checkPluginFile(request);
    if (path.endsWith(".so")) throw new Error("Go plugins are not supported in this version");
    return definitionsOf(await importPlugin(path), request.mayBeEmpty === true);
  } catch (error) {
    throw new Error(`Cannot load ${path}: ${(error as Error).message}`, { cause: error });
  }
}

function definitionsOf(
  module: Readonly<Record<string, unknown>>,
  mayBeEmpty: boolean,
): PluginDefinition[] {
  const exported = [...new Set(Object.values(module))];
  const found = exported.filter(isDefinition);
  if (found.length === 0 && !mayBeEmpty) {
    const what = exported.length === 0 ? "it exports nothing" : "it exports no plugin";
    throw new Error(`${what}: write "export default defineFilter({ … })"`);
  }
  found.forEach(checkDefinition);
  return found;
}

function isDefinition(value: unknown): value is PluginDefinition {
  const candidate = value as Partial<PluginDefinition> | null;
  return typeof candidate === "object" && candidate !== null && KINDS.has(candidate.kind) &&
    typeof candidate.name === "string" && typeof candidate.create === "function";
}

function checkDefinition({ kind, name, config, apiVersion }: PluginDefinition): void {
  const subject = `${kind} ${JSON.stringify(name)}`;
  if (!/^[a-z][a-z0-9_-]*$/i.test(name)) {
    throw new Error(`${subject} has no usable name: take letters, digits, "_" and "-"`);
  }
  if (apiVersion !== undefined && !(apiVersion <= API_VERSION)) {
    throw new Error(
      `${subject} is written for version ${apiVersion} of the plugin API, and this collector has ` +
        `version ${API_VERSION}: update the collector, or take an older version of the plugin`,
    );
  }
  if (typeof config?.safeParse !== "function" || config.shape === undefined) {
    throw new Error(`${subject} has no schema for its options: write "config: z.object({})"`);
  }
}

/** The user's plugins in front of the builtins: one with a builtin's name takes its place. */
export function withUserPlugins(
  builtins: PluginRegistry,
  loaded: readonly LoadedPlugin[],
): PluginRegistry {
  const own = (kind: PluginKind) =>
    loaded.map(({ definition }) => definition).filter((definition) => definition.kind === kind);
  const ownNames = (kind: PluginKind) => new Set(own(kind).map(({ name }) => name.toLowerCase()));
  return {
    names: (kind) => [...new Set([...builtins.names(kind), ...ownNames(kind)])],
    find: <K extends PluginKind>(kind: K, name: string) =>
      own(kind).find((definition) => definition.name.toLowerCase() === name.toLowerCase()) as
        | DefinitionOf<K>
        | undefined ?? builtins.find(kind, name),
    list: <K extends PluginKind>(kind: K) => [
      ...own(kind) as unknown as DefinitionOf<K>[],
      ...builtins.list(kind).filter(({ name }) => !ownNames(kind).has(name.toLowerCase())),
    ],
  };
}

/** The builtins for somebody who wants no code but the collector's own: the one that runs the user's is refused. */
export function withoutUserCode(builtins: PluginRegistry): PluginRegistry {
  return {
    ...builtins,
    find: <K extends PluginKind>(kind: K, name: string) => {
      const found = builtins.find(kind, name);
      if (found === undefined || found.kind !== "filter" || found.name !== "script") return found;
      return {
        ...found,
        create() {
          throw new ConfigError("it runs code of the configuration, which --no-plugins forbids");
        },
      };
    },
  };
}
