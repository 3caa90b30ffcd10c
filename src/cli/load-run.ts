import { hostname } from "node:os";
import { type ConfigRequest, findPluginFiles, loadConfig } from "../config/load-config.ts";
import type { LoadedConfig } from "../config/loaded-config.ts";
import type { PluginFile } from "../config/plugin-entries.ts";
import type { ConfigProblem } from "../config/problem.ts";
import { PARSER_SCHEMAS } from "../loader/parser-schemas.ts";
import type { LiveFile } from "../loader/plugin-files.ts";
import { builtins } from "../loader/registry.ts";
import {
  type LoadedPlugin,
  loadUserPlugins,
  withoutUserCode,
  withUserPlugins,
} from "../loader/user-plugins.ts";
import type { ParserDefinition } from "../sdk/define.ts";
import type { PluginRegistry } from "../sdk/registry.ts";
import type { RunCommand } from "./arguments.ts";

/** A checked configuration, with what the user's own plugins add. */
export interface LoadedRun {
  readonly config: LoadedConfig;
  /** Formats for `parsers`, from plugins. */
  readonly formats: readonly ParserDefinition[];
  /** What was loaded from where, for the log. */
  readonly notes: readonly string[];
  /** The files of the user's plugins, for changes while they run. */
  readonly liveFiles: readonly LiveFile[];
}

/** Loads the user's plugins first, and then the configuration that names them. */
export async function loadRun(
  command: RunCommand,
): Promise<LoadedRun | { readonly errors: readonly ConfigProblem[] }> {
  const request: Omit<ConfigRequest, "registry" | "parserSchemas"> = {
    path: command.configPath,
    commandLine: command.commandLine,
    env: process.env,
    hostname: hostname(),
  };
  const { files, problems: missing } = command.noPlugins
    ? { files: [], problems: [] }
    : findPluginFiles(request);
  const problems = [...missing];
  const plugins: LoadedPlugin[] = [];
  const liveFiles: LiveFile[] = [];
  // Plugins are loaded before the service section that says how long they may take.
  const limits = { timeoutMs: 30_000 };
  for (const entry of files) {
    const file = { ...entry, timeoutMs: () => limits.timeoutMs };
    const loaded = await loadOne(file, problems);
    const live = loaded.flatMap((plugin) => plugin.live ?? []);
    if (live.length > 0) liveFiles.push({ request: file, plugins: live });
    for (const plugin of loaded) {
      const twin = plugins.find(({ definition: { kind, name } }) =>
        kind === plugin.definition.kind && name === plugin.definition.name
      );
      if (twin === undefined) plugins.push(plugin);
      else {
        const { kind, name } = plugin.definition;
        const message = `${kind} "${name}" of ${plugin.path} is already defined in ${twin.path}`;
        problems.push({ ...file.at, message });
      }
    }
  }
  // Without its plugin everything that uses it would look wrong too.
  if (problems.length > 0) return { errors: problems };
  const checked = loadConfig({
    ...request,
    registry: registryFor(command, plugins),
    parserSchemas: PARSER_SCHEMAS,
  });
  if ("errors" in checked) return checked;
  limits.timeoutMs = checked.config.service.plugin_timeout;
  const formats = plugins.flatMap(({ definition }) =>
    definition.kind === "parser" ? [definition] : []
  );
  return { config: checked.config, formats, notes: plugins.map(noteOf), liveFiles };
}

function registryFor(
  { noPlugins }: RunCommand,
  plugins: readonly LoadedPlugin[],
): PluginRegistry {
  if (noPlugins) return withoutUserCode(builtins);
  return plugins.length === 0 ? builtins : withUserPlugins(builtins, plugins);
}

function noteOf({ path, definition: { kind, name } }: LoadedPlugin): string {
  const instead = builtins.names(kind).includes(name.toLowerCase())
    ? " in place of the builtin"
    : "";
  return `Loaded ${kind} "${name}" from ${path}${instead}`;
}

async function loadOne(file: PluginFile, problems: ConfigProblem[]): Promise<LoadedPlugin[]> {
  try {
    return await loadUserPlugins(file);
  } catch (error) {
    problems.push({ ...file.at, message: (error as Error).message });
    return [];
  }
}
