import { parseArgs } from "node:util";
import { suggestion } from "../../lib/closest.ts";
import type { PluginKind } from "../../sdk/registry.ts";
import { UsageError } from "../arguments.ts";

/** What the user asked `logcollector plugin` for. */
export type PluginCommand =
  | {
    readonly name: "new";
    readonly kind: PluginKind;
    readonly plugin: string;
    readonly folder: string;
  }
  | { readonly name: "test" | "check"; readonly paths: readonly string[] }
  | { readonly name: "list"; readonly configPath: string | undefined }
  | { readonly name: "types"; readonly folder: string }
  | { readonly name: "help" };

const COMMANDS = ["new", "test", "check", "list", "types", "help"] as const;
const KINDS: readonly PluginKind[] = ["input", "filter", "output", "parser"];
const HELP = `see "logcollector plugin --help"`;

const OPTIONS = {
  dir: { type: "string" },
  config: { type: "string", short: "c" },
  help: { type: "boolean", short: "h" },
} as const;

type OptionName = keyof typeof OPTIONS;

/** The options that a command has besides --help. */
const OPTION_OF: Readonly<Record<string, OptionName>> = {
  new: "dir",
  types: "dir",
  list: "config",
};

/** Reads what follows `logcollector plugin`. Throws {@link UsageError}. */
export function parsePluginArguments(args: readonly string[]): PluginCommand {
  const { tokens } = parseArgs({
    args: [...args],
    options: OPTIONS,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const words = tokens.flatMap((token) => token.kind === "positional" ? [token.value] : []);
  const options = new Map<string, string>();
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    if (token.name === "help") return { name: "help" };
    if (OPTION_OF[words[0] ?? ""] !== token.name) {
      throw new UsageError(
        `unknown option ${token.rawName} of "plugin ${words[0] ?? ""}": ${HELP}`,
      );
    }
    if (token.value === undefined) throw new UsageError(`${token.rawName} needs a value`);
    if (options.has(token.name)) throw new UsageError(`${token.rawName} is given twice`);
    options.set(token.name, token.value);
  }
  return commandOf(words, options);
}

function commandOf(
  [first, ...rest]: readonly string[],
  options: ReadonlyMap<string, string>,
): PluginCommand {
  const name = COMMANDS.find((command) => command === first);
  if (first === undefined) {
    throw new UsageError(`"plugin" needs a command, one of ${COMMANDS.join(", ")}: ${HELP}`);
  }
  const folder = options.get("dir") ?? ".";
  switch (name) {
    case undefined:
      throw new UsageError(
        `unknown command "plugin ${first}"${suggestion(first, COMMANDS) || `: ${HELP}`}`,
      );
    case "new":
      return newCommand(rest, folder);
    case "test":
      return { name, paths: rest.length === 0 ? ["."] : rest };
    case "check":
      if (rest.length > 0) return { name, paths: rest };
      throw new UsageError(`"plugin check" needs a file or folder: logcollector plugin check PATH`);
    case "list":
      nothingBehind(rest, "plugin list");
      return { name, configPath: options.get("config") };
    case "types":
      nothingBehind(rest, "plugin types");
      return { name, folder };
    case "help":
      return { name };
  }
}

function newCommand(
  [kind, plugin, ...rest]: readonly string[],
  folder: string,
): PluginCommand {
  const usage = "logcollector plugin new input|filter|output|parser NAME";
  if (kind === undefined) throw new UsageError(`"plugin new" needs a kind and a name: ${usage}`);
  const found = KINDS.find((each) => each === kind);
  if (found === undefined) {
    throw new UsageError(`unknown kind "${kind}"${suggestion(kind, KINDS) || `: ${usage}`}`);
  }
  if (plugin === undefined) throw new UsageError(`"plugin new ${kind}" needs a name: ${usage}`);
  nothingBehind(rest, `plugin new ${kind} ${plugin}`);
  return { name: "new", kind: found, plugin, folder };
}

function nothingBehind(rest: readonly string[], command: string): void {
  if (rest.length > 0) throw new UsageError(`unexpected "${rest[0]}" behind "${command}"`);
}
