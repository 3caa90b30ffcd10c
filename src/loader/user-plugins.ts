import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { PluginDefinition } from "../sdk/define.ts";
import type { DefinitionOf, PluginKind, PluginRegistry } from "../sdk/registry.ts";

/** What was loaded from one file. */
export interface LoadedPlugin {
  readonly path: string;
  readonly definition: PluginDefinition;
}

const KINDS: ReadonlySet<unknown> = new Set<PluginKind>(["input", "filter", "output", "parser"]);

let registered = false;

/**
 * Gives a module outside the executable the collector's own SDK and zod: a second copy of either would be
 * other classes and other schemas. Bun resolves these names only if they are registered before the import.
 */
function registerHostModules(): void {
  if (registered) return;
  registered = true;
  Bun.plugin({
    name: "logcollector",
    setup(build) {
      build.module("logcollector/plugin", () => ({
        exports: require("../sdk/mod.ts"),
        loader: "object",
      }));
      build.module("zod", () => ({ exports: require("zod"), loader: "object" }));
    },
  });
}

/**
 * Imports one file of the user's and returns the plugins that it exports, under any name. Throws an Error
 * whose message says what is wrong with the file.
 */
export async function loadUserPlugins(path: string): Promise<LoadedPlugin[]> {
  if (path.endsWith(".so")) {
    throw new Error(`Cannot load ${path}: Go plugins are not supported in this version`);
  }
  if (!existsSync(path)) throw new Error(`Cannot load ${path}: it does not exist`);
  registerHostModules();
  let module: Readonly<Record<string, unknown>>;
  try {
    module = await import(resolve(path));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`Cannot load ${path}: ${reason.replace(/\s+/g, " ").trim()}`, { cause });
  }
  const found = [...new Set(Object.values(module))].filter(isDefinition);
  if (found.length === 0) {
    throw new Error(
      `Cannot load ${path}: it exports no plugin; write "export default defineFilter({ … })"`,
    );
  }
  for (const { kind, name, config } of found) {
    if (config?.shape !== undefined) continue;
    throw new Error(
      `Cannot load ${path}: ${kind} "${name}" has no options; write "config: z.object({})"`,
    );
  }
  return found.map((definition) => ({ path, definition }));
}

function isDefinition(value: unknown): value is PluginDefinition {
  const candidate = value as Partial<PluginDefinition> | null;
  return typeof candidate === "object" && candidate !== null && KINDS.has(candidate.kind) &&
    typeof candidate.name === "string" && typeof candidate.create === "function";
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
