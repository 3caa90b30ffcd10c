import type * as z from "zod";
import { closest, suggestion } from "../lib/closest.ts";
import { rememberOptionOrder, type WrittenOption } from "../sdk/option-order.ts";
import { type OptionPlace, rememberOptionPlaces } from "../sdk/option-place.ts";
import { rememberRawOptions } from "../sdk/raw-options.ts";
import {
  describeOptionOf,
  type OptionDescription,
  takesUnknownOptions,
} from "./describe-schema.ts";
import { type ConfigNode, type MapNode, type PlainValue, plainValue } from "./node.ts";
import { type GivenOption, reportIssues } from "./option-problems.ts";
import type { Problems } from "./problem.ts";
import { warnOfSlowPatterns } from "./slow-patterns.ts";

/** What the options of one map are checked against. */
export interface OptionRules {
  /** How a message names the owner: `input "tail"`, `service`. */
  readonly owner: string;
  /** One schema, or several that share the map: the plugin's and the host's. The first that has an option takes it. */
  readonly schemas: readonly z.ZodObject[];
  readonly aliases?: Readonly<Record<string, string>> | undefined;
  /** Keys that are neither of the schemas' nor wrong, such as `name`. */
  readonly others?: readonly string[];
  /** True for an option that exists in Fluent Bit and not here yet. */
  readonly refused?: ((option: string) => boolean) | undefined;
  /** Where a user finds all options, for a message that has no better advice. */
  readonly advice?: string;
}

/** The schemas' outputs, in their order, or `undefined` when something was reported. */
export interface CheckedOptions {
  readonly outputs: unknown[] | undefined;
  readonly given: ReadonlyMap<string, GivenOption>;
}

/** The schema of each option. */
type KnownOptions = ReadonlyMap<string, number>;

/** Checks all options of a map and reports every mistake at its place. */
export function checkOptions(map: MapNode, rules: OptionRules, problems: Problems): CheckedOptions {
  const known = knownOptions(rules.schemas);
  const before = problems.count;
  const { given, meant, order } = gather(map, rules, known, problems);
  warnOfSlowPatterns(given.values(), rules.owner, problems);
  // Not every failure is reported here: an unset variable was, where it was found.
  let failed = false;
  const outputs = rules.schemas.map((schema, index) => {
    const mine = [...given].filter(([name]) => ownerOf(name, known, rules) === index);
    const raw = Object.fromEntries(mine.map(([name, option]) => [
      name,
      rawValue(option),
    ]));
    const result = schema.safeParse(raw);
    if (result.success) {
      const config = inGivenOrder(result.data, mine.map(([name]) => name));
      const names = new Set(mine.map(([name]) => name));
      rememberOptionOrder(config, order.filter(({ option }) => names.has(option)));
      rememberRawOptions(config, raw);
      rememberOptionPlaces(config, placesOf(mine));
      return config;
    }
    failed = true;
    reportIssues(result.error.issues, { map, owner: rules.owner, given, meant, problems });
    return undefined;
  });
  return { outputs: failed || problems.count > before ? undefined : outputs, given };
}

function knownOptions(schemas: readonly z.ZodObject[]): KnownOptions {
  const known = new Map<string, number>();
  schemas.forEach((schema, index) => {
    for (const name of Object.keys(schema.shape)) if (!known.has(name)) known.set(name, index);
  });
  return known;
}

/** The schema that an option is checked by. */
function ownerOf(name: string, known: KnownOptions, rules: OptionRules): number | undefined {
  const found = known.get(name) ?? rules.schemas.findIndex(takesUnknownOptions);
  return found === -1 ? undefined : found;
}

/** Sorts entries by option name, folding repetitions, and reports those that are nobody's. */
function gather(
  map: MapNode,
  rules: OptionRules,
  known: KnownOptions,
  problems: Problems,
): { given: Map<string, GivenOption>; meant: Set<string>; order: WrittenOption[] } {
  const order: WrittenOption[] = [];
  const given = new Map<string, GivenOption>();
  const meant = new Set<string>();
  const other = new Set<string>();
  for (const { key, at, value } of map.entries) {
    const name = canonicalName(key, rules);
    if (rules.others?.includes(name)) {
      if (other.has(name)) problems.add(at, `option "${key}" of ${rules.owner} is repeated`);
      other.add(name);
      continue;
    }
    const owner = rules.refused?.(name) ? undefined : ownerOf(name, known, rules);
    if (owner === undefined) {
      const found = rules.refused?.(name) ? undefined : closest(name, namesOf(rules, known));
      if (found !== undefined) meant.add(canonicalName(found, rules));
      problems.add(at, unknownOption(key, name, found, rules));
      continue;
    }
    if (isEmpty(value)) continue;
    const earlier = given.get(name);
    const description = describeOptionOf(rules.schemas[owner]!, name);
    const repeatable = description?.repeatable === true;
    if (earlier !== undefined && !repeatable) {
      problems.add(at, `option "${key}" of ${rules.owner} is repeated`);
    } else {
      const first = earlier?.values.length ?? 0;
      const values = repeatable && value.kind === "list" ? value.items : [value];
      if (earlier !== undefined) earlier.values.push(...values);
      else given.set(name, { key, at, values: [...values], description });
      for (const node of values) checkParts(node, description?.parts, key, problems);
      values.forEach((_, i) => order.push({ option: name, index: first + i }));
    }
  }
  return { given, meant, order };
}

/** An option without a value counts as not given, as templates leave one that nobody filled in. */
function isEmpty(value: ConfigNode): boolean {
  return value.kind === "scalar" && value.text === "" && !value.unset;
}

/** Names inside a list of maps, such as the rules of a multiline parser. */
function checkParts(
  node: ConfigNode,
  parts: readonly OptionDescription[] | undefined,
  owner: string,
  problems: Problems,
): void {
  if (parts === undefined || node.kind !== "list") return;
  const names = parts.map((part) => part.name);
  for (const item of node.items) {
    const seen = new Set<string>();
    for (const { key, at } of item.kind === "map" ? item.entries : []) {
      const name = key.toLowerCase();
      if (!names.includes(name)) {
        problems.add(
          at,
          `unknown option "${key}" of an entry of "${owner}"${suggestion(name, names)}`,
        );
      } else if (seen.has(name)) problems.add(at, `option "${key}" is repeated`);
      seen.add(name);
    }
  }
}

function namesOf(rules: OptionRules, known: KnownOptions): string[] {
  return [...known.keys(), ...Object.keys(rules.aliases ?? {}), ...rules.others ?? []];
}

function canonicalName(key: string, rules: OptionRules): string {
  const lower = key.toLowerCase();
  return Object.hasOwn(rules.aliases ?? {}, lower) ? rules.aliases![lower]! : lower;
}

function unknownOption(
  key: string,
  name: string,
  meant: string | undefined,
  rules: OptionRules,
): string {
  if (rules.refused?.(name)) return `"${key}" is not supported in this version`;
  const advice = rules.advice === undefined ? "" : `: ${rules.advice}`;
  const hint = meant === undefined ? advice : `: did you mean "${meant}"?`;
  return `unknown option "${key}" of ${rules.owner}${hint}`;
}

function rawValue({ values, description }: GivenOption): unknown {
  if (description?.repeatable) return values.map((node) => typed(plainValue(node), description));
  return typed(plainValue(values[0]!), description);
}

/** A user's plugin may have plain zod numbers and booleans; every value here is text. */
function typed(value: PlainValue, description: OptionDescription | undefined): unknown {
  if (typeof value !== "string" || !description?.plainZod) return value;
  if (description.type === "number" && value.trim() !== "" && !Number.isNaN(Number(value))) {
    return Number(value);
  }
  if (description.type === "boolean") {
    const lower = value.toLowerCase();
    if (["true", "on", "yes"].includes(lower)) return true;
    if (["false", "off", "no"].includes(lower)) return false;
  }
  return value;
}

/** The output with the given options first, as they were written: some filters apply their options in order. */
function inGivenOrder(output: Record<string, unknown>, given: readonly string[]): object {
  const ordered: Record<string, unknown> = {};
  for (const name of given) if (Object.hasOwn(output, name)) ordered[name] = output[name];
  return Object.assign(ordered, output);
}

function placesOf(given: readonly [string, GivenOption][]): Map<string, OptionPlace> {
  return new Map(given.map(([name, { values }]) => {
    const value = values[0]!;
    const line = value.kind === "scalar" ? value.textLine : undefined;
    return [name, { file: value.at.file, line: line ?? value.at.line }];
  }));
}
