import type * as z from "zod";
import { suggestion } from "../lib/closest.ts";
import type { PluginDefinition } from "../sdk/define.ts";
import { ConfigError } from "../sdk/errors.ts";
import { rememberOptionOrder, type WrittenOption } from "../sdk/option-order.ts";
import { rememberRawOptions } from "../sdk/raw-options.ts";

/**
 * A plugin's options as a configuration gives them: names in any case, values as text, numbers, booleans, lists
 * or maps. An option without a value (`""`) counts as not given.
 */
export type Options = Readonly<Record<string, unknown>>;

/** What is looked at of a schema; its own types say less than it holds. */
interface Inspectable {
  readonly def: {
    readonly type: string;
    readonly innerType?: Inspectable;
    readonly catchall?: Inspectable;
  };
  meta(): { readonly fieldType?: string } | undefined;
}

/**
 * Reads options as the collector does, into what `create` gets. Throws {@link ConfigError} that names every
 * option that is unknown, missing or wrong.
 */
export function readOptions<D extends PluginDefinition>(
  definition: D,
  options: Options,
): z.output<D["config"]> {
  const owner = `${definition.kind} "${definition.name}"`;
  const given = canonical(definition, options, owner);
  const result = definition.config.safeParse(given);
  if (!result.success) {
    const problems = result.error.issues.map((issue) => problemOf(issue, given, owner));
    const option = result.error.issues[0]?.path[0];
    throw new ConfigError(
      [...new Set(problems)].join("; "),
      option === undefined ? undefined : String(option),
      { cause: result.error },
    );
  }
  const config = inGivenOrder(result.data, Object.keys(given));
  rememberOptionOrder(config, writtenOrder(definition, given));
  rememberRawOptions(config, given);
  return config as z.output<D["config"]>;
}

/** True when the schema takes options that it does not list. */
export function takesUnknownOptions(schema: z.ZodObject): boolean {
  const { catchall } = (schema as unknown as Inspectable).def;
  return catchall !== undefined && catchall.def.type !== "never";
}

function canonical(
  definition: PluginDefinition,
  options: Options,
  owner: string,
): Record<string, unknown> {
  const { config, optionAliases: aliases = {} } = definition;
  const shape = config.shape as Readonly<Record<string, Inspectable>>;
  const given: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(options)) {
    const lower = key.toLowerCase();
    const name = Object.hasOwn(aliases, lower) ? aliases[lower]! : lower;
    if (!Object.hasOwn(shape, name) && !takesUnknownOptions(config)) {
      const known = [...Object.keys(shape), ...Object.keys(aliases)];
      const hint = suggestion(lower, known) || `: there are ${known.join(", ") || "none"}`;
      throw new ConfigError(`unknown option "${key}" of ${owner}${hint}`, key);
    }
    if (value === "" || value === undefined) continue;
    if (!Object.hasOwn(given, name)) given[name] = fromText(value, shape[name]);
    else if (isRepeatable(shape[name])) given[name] = [given[name], value].flat();
    else throw new ConfigError(`option "${key}" of ${owner} is repeated`, name);
  }
  return given;
}

/** A plugin may have zod's own numbers and booleans, which do not take text: the collector reads it for them. */
function fromText(value: unknown, schema: Inspectable | undefined): unknown {
  if (typeof value !== "string" || schema === undefined) return value;
  const { type, fieldType } = innermost(schema);
  if (fieldType !== undefined) return value;
  if (type === "number" && value.trim() !== "" && !Number.isNaN(Number(value))) {
    return Number(value);
  }
  if (type === "boolean" && /^(true|on|yes)$/i.test(value)) return true;
  if (type === "boolean" && /^(false|off|no)$/i.test(value)) return false;
  return value;
}

function innermost(schema: Inspectable): { type: string; fieldType: string | undefined } {
  let fieldType: string | undefined;
  let layer = schema;
  for (;;) {
    fieldType ??= layer.meta()?.fieldType;
    if (layer.def.innerType === undefined) return { type: layer.def.type, fieldType };
    layer = layer.def.innerType;
  }
}

function isRepeatable(schema: Inspectable | undefined): boolean {
  return schema !== undefined && innermost(schema).fieldType?.endsWith(", repeatable") === true;
}

function problemOf(issue: z.core.$ZodIssue, given: Options, owner: string): string {
  const [option, ...rest] = issue.path.map(String);
  if (option === undefined) return `${owner}: ${issue.message}`;
  if (!Object.hasOwn(given, option) && issue.code !== "custom") {
    return `missing required option "${option}" of ${owner}`;
  }
  const place = rest.length === 0 ? "" : ` (at ${rest.join(".")})`;
  return `option "${option}" of ${owner}${place}: ${issue.message}`;
}

function writtenOrder(definition: PluginDefinition, given: Options): WrittenOption[] {
  const shape = definition.config.shape as Readonly<Record<string, Inspectable>>;
  return Object.entries(given).flatMap(([option, value]) =>
    Array.isArray(value) && isRepeatable(shape[option])
      ? value.map((_, index) => ({ option, index }))
      : [{ option, index: 0 }]
  );
}

/** The given options first, as they were written: some plugins apply their options in order. */
function inGivenOrder(output: Record<string, unknown>, given: readonly string[]): object {
  const ordered: Record<string, unknown> = {};
  for (const name of given) if (Object.hasOwn(output, name)) ordered[name] = output[name];
  return Object.assign(ordered, output);
}
