import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { suggestion } from "../lib/closest.ts";
import type { PipelineKind } from "../config/common-options.ts";
import type { ConfigSource } from "../config/config-source.ts";
import type { MapEntry, MapNode, ScalarNode } from "../config/node.ts";

/** What the user asked for. */
export type Command =
  | RunCommand
  | { readonly name: "help" | "version" }
  | { readonly name: "schema" | "docs" }
  | { readonly name: "plugins"; readonly plugin: string | undefined }
  /** The arguments behind the word, which are read where they are needed. */
  | { readonly name: Family; readonly args: readonly string[] };

/** Run a pipeline, or only check it. */
export interface RunCommand {
  readonly name: "run";
  readonly dryRun: boolean;
  readonly configPath: string | undefined;
  /** Load none of the user's plugins, whatever the configuration says. */
  readonly noPlugins: boolean;
  readonly commandLine: NonNullable<ConfigSource["commandLine"]>;
}

/** The command line is wrong; the message is the line that the user sees. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Words that begin commands with arguments of their own. */
const FAMILIES = ["plugin", "dlq", "queue", "journal", "health"] as const;
type Family = typeof FAMILIES[number];

const SUBCOMMANDS: readonly string[] = [
  ...FAMILIES,
  "plugins",
  "schema",
  "docs",
  "help",
  "version",
];

const OPTIONS = {
  config: { type: "string", short: "c" },
  "dry-run": { type: "boolean", short: "D" },
  input: { type: "string", short: "i" },
  filter: { type: "string", short: "F" },
  output: { type: "string", short: "o" },
  prop: { type: "string", short: "p" },
  match: { type: "string", short: "m" },
  tag: { type: "string", short: "t" },
  flush: { type: "string", short: "f" },
  parser: { type: "string", short: "R" },
  log_file: { type: "string", short: "l" },
  storage_path: { type: "string", short: "b" },
  http: { type: "boolean", short: "H" },
  port: { type: "string", short: "P" },
  plugin: { type: "string", short: "e" },
  "no-plugins": { type: "boolean" },
  "enable-hot-reload": { type: "boolean", short: "Y" },
  quiet: { type: "boolean", short: "q" },
  verbose: { type: "boolean", short: "v" },
  version: { type: "boolean", short: "V" },
  help: { type: "boolean", short: "h" },
} as const;

type OptionName = keyof typeof OPTIONS;

/** What Fluent Bit has and this version has not. */
const REFUSED: Readonly<Record<string, string>> = {
  "-d": "daemon",
  "-C": "custom",
  "-T": "sp-task",
  "-Z": "enable-chunk-trace",
  "-w": "workdir",
  "-s": "coro_stack_size",
  "-S": "sosreport",
  "-W": "disable-thread-safety-on-hot-reloading",
};

/** Reads the command line without the program's name. Throws {@link UsageError}. */
export function parseArguments(args: readonly string[]): Command {
  const family = FAMILIES.find((word) => word === args[0]);
  if (family !== undefined) return { name: family, args: args.slice(1) };
  const { tokens } = parseArgs({
    args: [...args],
    options: OPTIONS,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const words: string[] = [];
  const builder = new PipelineBuilder();
  const flags = new Set<OptionName>();
  let verbosity = 0;
  let configPath: string | undefined;
  for (const token of tokens) {
    if (token.kind === "positional") words.push(token.value);
    if (token.kind !== "option") continue;
    const name = knownOption(token.name, token.rawName);
    const value = valueOf(name, token);
    if (name === "config") {
      if (configPath !== undefined) throw new UsageError(`${token.rawName} is given twice`);
      configPath = value;
    } else if (name === "verbose") verbosity++;
    else if (OPTIONS[name].type === "boolean") flags.add(name);
    else builder.add(name, token.rawName, value);
  }
  if (flags.has("help")) return { name: "help" };
  if (flags.has("version")) return { name: "version" };
  const subcommand = subcommandOf(words);
  if (subcommand !== undefined) return subcommand;
  return builder.finish(configPath, flags, verbosity);
}

function knownOption(name: string, raw: string): OptionName {
  if (Object.hasOwn(OPTIONS, name)) return name as OptionName;
  const refused = REFUSED[raw] ?? Object.values(REFUSED).find((long) => long === name);
  if (refused !== undefined) throw new UsageError(`${raw} is not supported in this version`);
  const names = Object.keys(OPTIONS).map((known) => `--${known}`);
  const hint = raw.startsWith("--") ? suggestion(raw, names) : "";
  throw new UsageError(`unknown option ${raw}${hint || `: see "logcollector --help"`}`);
}

interface OptionToken {
  readonly rawName: string;
  readonly value: string | undefined;
  readonly inlineValue: boolean | undefined;
}

function valueOf(name: OptionName, { rawName, value, inlineValue }: OptionToken): string {
  if (OPTIONS[name].type === "boolean") {
    if (value !== undefined) throw new UsageError(`${rawName} takes no value`);
    return "";
  }
  // `-i -o stdout` has forgotten the input's name.
  if (value === undefined || !inlineValue && /^-([a-zA-Z]|-.*)$/.test(value)) {
    throw new UsageError(`${rawName} needs a value`);
  }
  return value;
}

function subcommandOf(words: readonly string[]): Command | undefined {
  const [first, ...rest] = words;
  if (first === undefined) return undefined;
  if (!SUBCOMMANDS.includes(first)) {
    throw new UsageError(
      `unknown command "${first}"${
        suggestion(first, SUBCOMMANDS) || `: see "logcollector --help"`
      }`,
    );
  }
  if (FAMILIES.some((word) => word === first)) {
    throw new UsageError(`"${first}" must be the first argument`);
  }
  const limit = first === "plugins" ? 1 : 0;
  if (rest.length > limit) throw new UsageError(`unexpected "${rest[limit]}" behind "${first}"`);
  if (first === "plugins") return { name: "plugins", plugin: rest[0] };
  return { name: first as "help" };
}

/** Collects `-i`, `-F`, `-o` and what belongs to the last of them. */
class PipelineBuilder {
  private readonly plugins: Record<PipelineKind, { at: MapNode["at"]; entries: MapEntry[] }[]> = {
    input: [],
    filter: [],
    output: [],
  };
  private readonly service: MapEntry[] = [];
  private readonly files: ScalarNode[] = [];
  private last: { kind: PipelineKind; name: string; entries: MapEntry[] } | undefined;

  add(name: OptionName, raw: string, value: string): void {
    if (name === "input" || name === "filter" || name === "output") {
      const entries = [entry("name", value, `${raw} ${value}`)];
      this.plugins[name].push({ at: place(`${raw} ${value}`), entries });
      this.last = { kind: name, name: value, entries };
    } else if (name === "prop") this.property(raw, value);
    else if (name === "plugin") {
      // A path on the command line is relative to the working directory.
      this.files.push({ kind: "scalar", at: place(`${raw} ${value}`), text: resolve(value) });
    } else if (name === "match" || name === "tag") this.common(name, raw, value);
    else if (name === "flush") this.service.push(entry("flush", value, `${raw} ${value}`));
    else if (name === "parser") this.service.push(entry("parsers_file", value, `${raw} ${value}`));
    else if (name === "log_file") this.service.push(entry("log_file", value, `${raw} ${value}`));
    else if (name === "storage_path") {
      this.service.push(entry("storage.path", value, `${raw} ${value}`));
    } else this.service.push(entry("http_port", value, `${raw} ${value}`));
  }

  private property(raw: string, text: string): void {
    const match = /^\s*([^=\s]+)\s*=(.*)$/s.exec(text);
    if (!match) {
      // The text itself may hold a password: it is not repeated.
      throw new UsageError(`${raw} needs key=value, and the argument has no "="`);
    }
    if (this.last === undefined) {
      throw new UsageError(`${raw} ${match[1]}=… must follow -i, -F or -o`);
    }
    this.last.entries.push(entry(match[1]!, match[2]!, `${raw} ${match[1]}=…`));
  }

  private common(name: "match" | "tag", raw: string, value: string): void {
    const { last } = this;
    if (last === undefined) throw new UsageError(`${raw} ${value} must follow -i, -F or -o`);
    if ((name === "tag") !== (last.kind === "input")) {
      const owner = name === "tag" ? "an input (-i)" : "a filter (-F) or an output (-o)";
      throw new UsageError(`${raw} ${value} must follow ${owner}, not ${last.kind} "${last.name}"`);
    }
    last.entries.push(entry(name, value, `${raw} ${value}`));
  }

  finish(
    configPath: string | undefined,
    flags: ReadonlySet<OptionName>,
    verbosity: number,
  ): RunCommand {
    if (flags.has("quiet") && verbosity > 0) {
      throw new UsageError("-q and -v contradict each other");
    }
    if (flags.has("quiet")) this.service.push(entry("log_level", "off", "-q"));
    if (verbosity > 0) {
      this.service.push(entry("log_level", verbosity > 1 ? "trace" : "debug", "-v"));
    }
    if (flags.has("enable-hot-reload")) {
      this.service.push(entry("hot_reload", "on", "-Y"));
    }
    if (flags.has("http")) this.service.push(entry("http_server", "on", "-H"));
    const { input, filter, output } = this.plugins;
    if (configPath === undefined && input.length + filter.length + output.length === 0) {
      throw new UsageError(
        `nothing to do: give a configuration with -c, or see "logcollector --help"`,
      );
    }
    const maps = (list: { at: MapNode["at"]; entries: MapEntry[] }[]): MapNode[] =>
      list.map(({ at, entries }) => ({ kind: "map", at, entries }));
    return {
      name: "run",
      dryRun: flags.has("dry-run"),
      configPath,
      noPlugins: flags.has("no-plugins"),
      commandLine: {
        service: this.service,
        pluginEntries: this.files,
        plugins: { input: maps(input), filter: maps(filter), output: maps(output) },
      },
    };
  }
}

/** A place on the command line: the argument itself, as it is shown. */
function place(argument: string): MapNode["at"] {
  return { file: argument, line: 0, column: 0 };
}

function entry(key: string, text: string, argument: string): MapEntry {
  const at = place(argument);
  return { key, at, value: { kind: "scalar", at, text } };
}
