import { hostname } from "node:os";
import type { ConfigSource } from "../config/config-source.ts";
import { findPluginFiles, loadConfig } from "../config/load-config.ts";
import type { LoadedConfig } from "../config/loaded-config.ts";
import type { PluginFile } from "../config/plugin-entries.ts";
import type { ConfigProblem } from "../config/problem.ts";
import { PARSER_SCHEMAS } from "../loader/parser-schemas.ts";
import { LoadedFile } from "../loader/loaded-file.ts";
import { builtins } from "../loader/registry.ts";
import { type LoadedPlugin, withoutUserCode, withUserPlugins } from "../loader/user-plugins.ts";
import type { ParserDefinition } from "../sdk/define.ts";
import type { PluginRegistry } from "../sdk/registry.ts";
import type { RunCommand } from "./arguments.ts";

/** A checked configuration, with what the user's own plugins add. */
export interface LoadedRun {
  readonly config: LoadedConfig;
  /** Plugins of the user's. */
  readonly plugins: readonly LoadedPlugin[];
  /** Formats for `parsers`, from plugins. */
  readonly formats: readonly ParserDefinition[];
  /** What was loaded from where, for the log; not what was there before. */
  readonly notes: readonly string[];
  readonly files: readonly LoadedFile[];
  /** How long a call of an isolated plugin may take, in milliseconds. To be set when the configuration is in force. */
  readonly limits: { timeoutMs: number };
}

/**
 * Loads the user's plugins first, and then the configuration that names them. Of what was loaded `before`, files that
 * have not changed since are taken over with the plugins that run.
 */
export async function loadRun(
  command: RunCommand,
  before?: LoadedRun,
): Promise<LoadedRun | { readonly errors: readonly ConfigProblem[] }> {
  const request: ConfigSource = {
    path: command.configPath,
    commandLine: command.commandLine,
    env: process.env,
    hostname: hostname(),
  };
  const { files: wanted, problems: missing } = command.noPlugins
    ? { files: [], problems: [] }
    : findPluginFiles(request);
  // Plugins are loaded before the service section that says how long they may take.
  const limits = before?.limits ?? { timeoutMs: 30_000 };
  const { files, fresh, problems } = await loadFiles(wanted, limits, before);
  const plugins = files.flatMap((file) => file.plugins);
  problems.push(...missing, ...twins(files, wanted));
  // Without its plugin everything that uses it would look wrong too.
  if (problems.length > 0) return { errors: problems };
  const checked = loadConfig({
    ...request,
    registry: registryFor(command, plugins),
    parserSchemas: PARSER_SCHEMAS,
  });
  if ("errors" in checked) return checked;
  const notes = fresh.flatMap((file) => file.plugins).map(noteOf);
  const formats = plugins.flatMap(({ definition }) =>
    definition.kind === "parser" ? [definition] : []
  );
  return { config: checked.config, plugins, formats, notes, files, limits };
}

async function loadFiles(
  wanted: readonly PluginFile[],
  limits: LoadedRun["limits"],
  before: LoadedRun | undefined,
): Promise<{ files: LoadedFile[]; fresh: LoadedFile[]; problems: ConfigProblem[] }> {
  const timeoutMs = () => limits.timeoutMs;
  // Before anything is loaded: that changes what there is of modules.
  const kept = new Map(wanted.map((entry) => [
    entry,
    before?.files.find((file) => file.isUpToDateFor({ ...entry, timeoutMs })),
  ]));
  const fresh: LoadedFile[] = [];
  const problems: ConfigProblem[] = [];
  for (const entry of wanted) {
    if (kept.get(entry) !== undefined) continue;
    try {
      const file = await LoadedFile.load({ ...entry, timeoutMs }, before !== undefined);
      kept.set(entry, file);
      fresh.push(file);
    } catch (error) {
      problems.push({ ...entry.at, message: (error as Error).message });
    }
  }
  const files = wanted.flatMap((entry) => kept.get(entry) ?? []);
  for (const file of fresh) file.noteContent(files);
  return { files, fresh, problems };
}

/** Of two plugins with one name the second is a mistake. */
function twins(files: readonly LoadedFile[], wanted: readonly PluginFile[]): ConfigProblem[] {
  const plugins = files.flatMap((file) => file.plugins);
  return plugins.flatMap(({ path, definition: { kind, name } }, i) => {
    const twin = plugins.slice(0, i).find(({ definition }) =>
      kind === definition.kind && name === definition.name
    );
    if (twin === undefined) return [];
    const { at } = wanted.find((entry) => entry.path === path)!;
    return [{ ...at, message: `${kind} "${name}" of ${path} is already defined in ${twin.path}` }];
  });
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
