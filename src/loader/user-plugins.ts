import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { watchInline } from "../hosts/watch-inline.ts";
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
  /** `worker` runs the plugin in a thread of its own. Default `inline`. */
  readonly isolation?: "inline" | "worker" | undefined;
  /** Memory of that thread, in bytes. */
  readonly memory_limit?: number | undefined;
  /** How long a call of an isolated plugin may take, in milliseconds: known once the configuration was read. */
  readonly timeoutMs?: (() => number) | undefined;
}

const DEFAULT_TIMEOUT_MS = 30_000;

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
    if (path.endsWith(".so")) return [await goPlugin(request)];
    const definitions = definitionsOf(await importPlugin(path), request.mayBeEmpty === true);
    return definitions.map((definition) => hosted(definition, request));
  } catch (error) {
    const { message } = error as Error;
    const prefix = `Cannot load ${path}: `;
    throw new Error(prefix + message.replace(/^Cannot load .*?: /, ""), { cause: error });
  }
}

/** The plugin where it is to run: in this thread, or in one of its own. */
function hosted(definition: PluginDefinition, request: UserPluginRequest): PluginDefinition {
  if (request.isolation !== "worker") return watchInline(definition, request.path);
  const { isolate } = require(
    "../hosts/worker/isolate.ts",
  ) as typeof import("../hosts/worker/isolate.ts");
  return isolate(definition, {
    path: resolve(request.path),
    timeoutMs: request.timeoutMs ?? (() => DEFAULT_TIMEOUT_MS),
    check: () => checkPluginFile(request),
    ...(request.memory_limit !== undefined && { memoryLimitBytes: request.memory_limit }),
  });
}

type GoHosting = typeof import("../hosts/go/load-go-plugin.ts");

/** In a process of its own. */
async function goPlugin({ path, timeoutMs }: UserPluginRequest): Promise<PluginDefinition> {
  // Loaded when it is needed: most runs have no Go plugin.
  const { loadGoPlugin }: GoHosting = require("../hosts/go/load-go-plugin.ts");
  return await loadGoPlugin(path, timeoutMs ?? (() => DEFAULT_TIMEOUT_MS));
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
