import { parseArgs } from "node:util";
import { parseLetterFile, parseLetterId } from "../../buffer/dead-letters/letter-name.ts";
import { suggestion } from "../../lib/closest.ts";
import { parseDuration } from "../../lib/duration.ts";
import { UsageError } from "../arguments.ts";

/** Where dead letters are. */
export interface LetterPlace {
  readonly configPath: string | undefined;
  readonly path: string | undefined;
}

/** Which of them. */
export interface LetterChoice {
  /** `undefined` for all. */
  readonly ids: readonly string[] | undefined;
  readonly output: string | undefined;
  readonly olderThanMs: number | undefined;
}

/** What the user asked `logcollector dlq` for. */
export type DlqCommand =
  | {
    readonly name: "list";
    readonly place: LetterPlace;
    readonly choice: LetterChoice;
    readonly json: boolean;
  }
  | {
    readonly name: "show";
    readonly place: LetterPlace;
    readonly id: string;
    readonly raw: boolean;
  }
  | { readonly name: "drop"; readonly place: LetterPlace; readonly choice: LetterChoice }
  | {
    readonly name: "replay";
    readonly configPath: string;
    readonly choice: LetterChoice;
    readonly to: string | undefined;
  }
  | { readonly name: "help" };

const COMMANDS = ["list", "show", "replay", "drop", "help"] as const;
const HELP = `see "logcollector dlq --help"`;

const OPTIONS = {
  config: { type: "string", short: "c" },
  path: { type: "string" },
  json: { type: "boolean" },
  output: { type: "string" },
  raw: { type: "boolean" },
  all: { type: "boolean" },
  "older-than": { type: "string" },
  to: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

type OptionName = keyof typeof OPTIONS;

const OPTIONS_OF: Readonly<Record<string, readonly OptionName[]>> = {
  list: ["config", "path", "json", "output"],
  show: ["config", "path", "raw"],
  drop: ["config", "path", "all", "output", "older-than"],
  replay: ["config", "all", "output", "to"],
};

/** Reads what follows `logcollector dlq`. Throws {@link UsageError}. */
export function parseDlqArguments(args: readonly string[]): DlqCommand {
  const { tokens } = parseArgs({
    args: [...args],
    options: OPTIONS,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  if (tokens.some((token) => token.kind === "option" && token.name === "help")) {
    return { name: "help" };
  }
  const words = tokens.flatMap((token) => token.kind === "positional" ? [token.value] : []);
  const name = commandName(words[0]);
  const options = new Map<string, string>();
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    const { name: option, rawName, value, inlineValue } = token;
    if (!OPTIONS_OF[name]?.includes(option as OptionName)) {
      throw new UsageError(`unknown option ${rawName} of "dlq ${name}": ${HELP}`);
    }
    if (options.has(option)) throw new UsageError(`${rawName} is given twice`);
    const isFlag = OPTIONS[option as OptionName].type === "boolean";
    if (isFlag && value !== undefined) throw new UsageError(`${rawName} takes no value`);
    if (!isFlag && (value === undefined || !inlineValue && value.startsWith("-"))) {
      throw new UsageError(`${rawName} needs a value`);
    }
    options.set(option, value ?? "");
  }
  return commandOf(name, words.slice(1), options);
}

type CommandName = typeof COMMANDS[number];

function commandName(word: string | undefined): CommandName {
  if (word === undefined) {
    throw new UsageError(`"dlq" needs a command, one of ${COMMANDS.join(", ")}: ${HELP}`);
  }
  const name = COMMANDS.find((command) => command === word);
  if (name !== undefined) return name;
  throw new UsageError(
    `unknown command "dlq ${word}"${suggestion(word, COMMANDS) || `: ${HELP}`}`,
  );
}

function commandOf(
  name: CommandName,
  words: readonly string[],
  options: ReadonlyMap<string, string>,
): DlqCommand {
  switch (name) {
    case "list":
      nothingBehind(words, `dlq list`);
      return {
        name,
        place: placeOf(name, options),
        choice: { ids: undefined, output: options.get("output"), olderThanMs: undefined },
        json: options.has("json"),
      };
    case "show":
      nothingBehind(words.slice(1), `dlq show ${words[0]}`);
      return { name, place: placeOf(name, options), id: onlyId(words), raw: options.has("raw") };
    case "drop":
      return { name, place: placeOf(name, options), choice: choiceOf(name, words, options) };
    case "replay": {
      const configPath = options.get("config");
      if (configPath === undefined) {
        throw new UsageError(
          `"dlq replay" needs the configuration with the outputs: give it with -c`,
        );
      }
      return { name, configPath, choice: choiceOf(name, words, options), to: options.get("to") };
    }
    case "help":
      return { name };
  }
}

function placeOf(command: string, options: ReadonlyMap<string, string>): LetterPlace {
  const place = { configPath: options.get("config"), path: options.get("path") };
  const given = [place.configPath, place.path].filter((each) => each !== undefined).length;
  if (given === 1) return place;
  throw new UsageError(
    given === 0
      ? `"dlq ${command}" needs to know where: give the configuration with -c, or the folder with --path`
      : "-c and --path both say where the dead letters are: give one of them",
  );
}

function choiceOf(
  command: string,
  words: readonly string[],
  options: ReadonlyMap<string, string>,
): LetterChoice {
  const all = options.has("all");
  if (!all && words.length === 0) {
    throw new UsageError(`"dlq ${command}" needs the ids of letters, or --all: ${HELP}`);
  }
  if (all && words.length > 0) throw new UsageError(`give ids of letters or --all, not both`);
  for (const name of ["output", "older-than"]) {
    if (!all && options.has(name)) {
      throw new UsageError(`--${name} needs --all: ids say which already`);
    }
  }
  return {
    ids: all ? undefined : [...new Set(words.map(idOf))],
    output: options.get("output"),
    olderThanMs: durationOf(options.get("older-than")),
  };
}

function durationOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  try {
    return parseDuration(text);
  } catch (error) {
    throw new UsageError(`--older-than: ${(error as Error).message}`);
  }
}

function onlyId([word]: readonly string[]): string {
  if (word === undefined) throw new UsageError(`"dlq show" needs the id of a letter: ${HELP}`);
  return idOf(word);
}

/** An id, or the name or path of a letter's file. */
function idOf(word: string): string {
  const name = word.slice(word.lastIndexOf("/") + 1);
  const letter = parseLetterFile(name)?.letter ?? parseLetterId(name);
  if (letter !== undefined) return letter.id;
  throw new UsageError(`"${word}" is no id of a dead letter: "logcollector dlq list" shows them`);
}

function nothingBehind(rest: readonly string[], command: string): void {
  if (rest.length > 0) throw new UsageError(`unexpected "${rest[0]}" behind "${command}"`);
}
