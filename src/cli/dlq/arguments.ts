import { parseLetterFile, parseLetterId } from "../../buffer/dead-letters/letter-name.ts";
import { parseDuration } from "../../lib/duration.ts";
import { UsageError } from "../arguments.ts";
import { helpOf, nothingBehind, parseSubcommand, type SubcommandFamily } from "../subcommand.ts";

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

type CommandName = Exclude<DlqCommand["name"], "help">;

const FAMILY: SubcommandFamily<CommandName> = {
  family: "dlq",
  options: {
    config: { type: "string", short: "c" },
    path: { type: "string" },
    json: { type: "boolean" },
    output: { type: "string" },
    raw: { type: "boolean" },
    all: { type: "boolean" },
    "older-than": { type: "string" },
    to: { type: "string" },
  },
  optionsOf: {
    list: ["config", "path", "json", "output"],
    show: ["config", "path", "raw"],
    replay: ["config", "all", "output", "to"],
    drop: ["config", "path", "all", "output", "older-than"],
  },
};
const HELP = helpOf("dlq");

/** Reads what follows `logcollector dlq`. Throws {@link UsageError}. */
export function parseDlqArguments(args: readonly string[]): DlqCommand {
  const parsed = parseSubcommand(args, FAMILY);
  if (parsed === undefined) return { name: "help" };
  const { name, words, options } = parsed;
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
