import { parseArgs } from "node:util";
import { suggestion } from "../lib/closest.ts";
import { UsageError } from "./arguments.ts";

/** A command of a family, such as `list` of `dlq`, as it was typed. */
export interface Subcommand<Name> {
  readonly name: Name;
  /** The words behind the name. */
  readonly words: readonly string[];
  /** Options by their long names; flags are "". */
  readonly options: ReadonlyMap<string, string>;
}

export interface SubcommandFamily<Name extends string> {
  /** The word that all of them begin with. */
  readonly family: string;
  readonly options: Readonly<
    Record<string, { readonly type: "string" | "boolean"; readonly short?: string }>
  >;
  /** The options that each command has besides --help. */
  readonly optionsOf: Readonly<Record<Name, readonly string[]>>;
}

/** Reads what follows a family's word; `undefined` when help is asked for. Throws {@link UsageError}. */
export function parseSubcommand<Name extends string>(
  args: readonly string[],
  { family, options: known, optionsOf }: SubcommandFamily<Name>,
): Subcommand<Name> | undefined {
  const { tokens } = parseArgs({
    args: [...args],
    options: { ...known, help: { type: "boolean", short: "h" } },
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const words = tokens.flatMap((token) => token.kind === "positional" ? [token.value] : []);
  const asksForHelp = tokens.some((token) => token.kind === "option" && token.name === "help");
  if (asksForHelp || words[0] === "help") return undefined;
  const name = nameOf(words[0], family, Object.keys(optionsOf) as Name[]);
  const options = new Map<string, string>();
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    const { rawName, value, inlineValue } = token;
    if (!optionsOf[name].includes(token.name)) {
      throw new UsageError(`unknown option ${rawName} of "${family} ${name}": ${helpOf(family)}`);
    }
    if (options.has(token.name)) throw new UsageError(`${rawName} is given twice`);
    const isFlag = known[token.name]!.type === "boolean";
    if (isFlag && value !== undefined) throw new UsageError(`${rawName} takes no value`);
    if (!isFlag && (value === undefined || !inlineValue && value.startsWith("-"))) {
      throw new UsageError(`${rawName} needs a value`);
    }
    options.set(token.name, value ?? "");
  }
  return { name, words: words.slice(1), options };
}

/** Where to read more, for the end of a message. */
export function helpOf(family: string): string {
  return `see "logcollector ${family} --help"`;
}

/** Throws {@link UsageError} when there are words that mean nothing. */
export function nothingBehind(rest: readonly string[], command: string): void {
  if (rest.length > 0) throw new UsageError(`unexpected "${rest[0]}" behind "${command}"`);
}

function nameOf<Name extends string>(
  word: string | undefined,
  family: string,
  names: readonly Name[],
): Name {
  if (word === undefined) {
    const all = [...names, "help"].join(", ");
    throw new UsageError(`"${family}" needs a command, one of ${all}: ${helpOf(family)}`);
  }
  const name = names.find((each) => each === word);
  if (name !== undefined) return name;
  const hint = suggestion(word, names) || `: ${helpOf(family)}`;
  throw new UsageError(`unknown command "${family} ${word}"${hint}`);
}
