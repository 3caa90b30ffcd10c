import * as z from "zod";
import { parseByteSize } from "../lib/byte-size.ts";
import { parseDuration } from "../lib/duration.ts";
import { compilePattern, type Pattern } from "../lib/pattern.ts";
import { type Accessor, compileAccessor, compileFieldName } from "../lib/record-accessor.ts";
import { compileTemplate, type Template } from "../lib/template.ts";

/**
 * Field types for a plugin's `config` schema. Values come from YAML, from `-p key=value` or from an
 * environment variable, so each accepts its text form too. The names and units in `.meta()` make the
 * reference documentation, the `--help` of a plugin and the JSON Schema.
 */

export interface FieldMeta {
  /** What the reference calls the type: `size`, `time`, `boolean` … */
  readonly fieldType: string;
  /** The unit of a bare number. */
  readonly unit?: string;
}

const meta = (fieldType: string, unit?: string): Record<string, unknown> =>
  unit === undefined ? { fieldType } : { fieldType, unit };

const scalar = z.union([z.string(), z.number(), z.boolean()]);

type Scalar<T> = z.ZodType<T, string | number | boolean>;

const forms = new Map<string, unknown>();

/**
 * One schema for each form that fields have in common. Schemas never change, and each is dozens of closures:
 * with one for every option the program would be larger by megabytes.
 */
function shared<T>(form: string, make: () => Scalar<T>): Scalar<T> {
  const known = forms.get(form);
  if (known !== undefined) return known as Scalar<T>;
  const schema = make();
  forms.set(form, schema);
  return schema;
}

function parsed<T>(
  fieldType: string,
  parse: (value: string | number | boolean) => T,
  unit?: string,
): Scalar<T> {
  return scalar.transform((value, check): T => {
    try {
      return parse(value);
    } catch (error) {
      check.addIssue({
        code: "custom",
        message: error instanceof Error ? error.message : String(error),
        input: value,
      });
      return z.NEVER;
    }
  }).meta(meta(fieldType, unit));
}

/**
 * A field with a form of its own: what `parse` throws becomes the message about the option. The type is the
 * reference documentation's name for the form, such as `KEY REGEX`.
 */
export function custom<T>(
  fieldType: string,
  parse: (text: string) => T,
): z.ZodType<T, string | number | boolean> {
  return parsed(fieldType, (value) => parse(String(value)));
}

/** Text. A number or boolean that YAML made of it becomes text again. */
export function text(): z.ZodType<string, string | number | boolean> {
  return shared("string", () => parsed("string", String));
}

/**
 * The path of a file that the plugin reads when it is set up: a list, a certificate. When the file has changed, a reload
 * of the configuration sets the plugin up again.
 */
export function file(): z.ZodType<string, string | number | boolean> {
  return shared("file", () => parsed("file", String));
}

const TRUE = new Set(["true", "on", "yes", "1"]);
const FALSE = new Set(["false", "off", "no", "0"]);

/** `true on yes` or `false off no`, in any case. */
export function bool(): Scalar<boolean> {
  return shared("boolean", () => parsed("boolean", parseBool));
}

function parseBool(value: string | number | boolean): boolean {
  const word = String(value).toLowerCase();
  if (TRUE.has(word)) return true;
  if (FALSE.has(word)) return false;
  throw new RangeError(`expected on, off, yes, no, true or false, got ${JSON.stringify(value)}`);
}

/** A whole number. */
export function int(
  range: { min?: number; max?: number } = {},
): z.ZodType<number, string | number | boolean> {
  const parse = (value: string | number | boolean) =>
    checkRange(toNumber(value, /^[+-]?\d+$/, "a whole number"), range);
  return shared(`integer ${JSON.stringify(range)}`, () => parsed("integer", parse));
}

/** A number, fractions allowed. */
export function float(
  range: { min?: number; max?: number } = {},
): z.ZodType<number, string | number | boolean> {
  const parse = (value: string | number | boolean) =>
    checkRange(toNumber(value, /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i, "a number"), range);
  return shared(`number ${JSON.stringify(range)}`, () => parsed("number", parse));
}

function toNumber(value: string | number | boolean, form: RegExp, what: string): number {
  const words = String(value).trim();
  if (!form.test(words)) throw new RangeError(`expected ${what}, got ${JSON.stringify(value)}`);
  return Number(words);
}

function checkRange(value: number, { min, max }: { min?: number; max?: number }): number {
  if (min !== undefined && value < min) {
    throw new RangeError(`must be at least ${min}, got ${value}`);
  }
  if (max !== undefined && value > max) {
    throw new RangeError(`must be at most ${max}, got ${value}`);
  }
  return value;
}

/** A size, in bytes after parsing: `5M` is decimal, `5MiB` binary. */
export function size(
  range: { min?: number; max?: number } = {},
): z.ZodType<number, string | number | boolean> {
  return shared(
    `size ${JSON.stringify(range)}`,
    () => parsed("size", (value) => checkRange(parseByteSize(value), range), "bytes"),
  );
}

/** A time span, in milliseconds after parsing: `5s`, `500ms`, `2h`; a bare number counts in `bareUnit`. */
export function duration(bareUnit: "s" | "ms" = "s"): z.ZodType<number, string | number | boolean> {
  const parse = (value: string | number | boolean) =>
    parseDuration(typeof value === "boolean" ? String(value) : value, bareUnit);
  const unit = bareUnit === "s" ? "seconds" : "milliseconds";
  return shared(`time ${unit}`, () => parsed("time", parse, unit));
}

/** One of the given words, in any case. */
export function oneOf<const T extends string>(
  ...words: readonly T[]
): z.ZodType<T, string | number | boolean> {
  return parsed(words.join(" | "), (value) => {
    const lower = String(value).toLowerCase();
    const found = words.find((word) => word.toLowerCase() === lower);
    if (found === undefined) {
      throw new RangeError(`expected one of ${words.join(", ")}, got ${JSON.stringify(value)}`);
    }
    return found;
  });
}

/** A regular expression in Onigmo's syntax, as Fluent Bit's are. */
export function pattern(): z.ZodType<Pattern, string | number | boolean> {
  return shared("regex", () => parsed("regex", (value) => compilePattern(String(value))));
}

/** A place in the record: `log`, `$log`, `$kubernetes['labels']['app']`, `$tags[0]`. */
export function accessor(): z.ZodType<Accessor, string | number | boolean> {
  return shared("accessor", () => parsed("field", (value) => compileAccessor(String(value))));
}

/** The name of a field, taken as it is, `$` and all; with brackets, as in `$a['b']`, a place in the record. */
export function fieldName(): z.ZodType<Accessor, string | number | boolean> {
  return shared("field", () => parsed("field", (value) => compileFieldName(String(value))));
}

/** Text with parts from the record and its tag: `$TAG.$kubernetes['pod_name']`. */
export function template(): z.ZodType<Template, string | number | boolean> {
  return shared("template", () => parsed("template", (value) => compileTemplate(String(value))));
}

/** Several words: a YAML list, or text separated by commas. */
export function list(): z.ZodType<
  string[],
  string | number | boolean | (string | number | boolean)[]
> {
  return z.union([scalar, z.array(scalar)]).transform((value) =>
    (Array.isArray(value) ? value : String(value).split(","))
      .map((word) => String(word).trim()).filter((word) => word !== "")
  ).meta(meta("list"));
}

/** An option that may be given once or several times: a single value or a list of them. */
export function repeated<T extends z.ZodType>(
  item: T,
): z.ZodType<z.output<T>[], z.input<T> | z.input<T>[]> {
  const itemType = (item.meta() as FieldMeta | undefined)?.fieldType ?? "string";
  return z.preprocess(
    (value) => Array.isArray(value) ? value : [value],
    z.array(item),
  ).meta(meta(`${itemType}, repeatable`)) as unknown as z.ZodType<
    z.output<T>[],
    z.input<T> | z.input<T>[]
  >;
}

/**
 * Text that is split at white space into exactly `parts` pieces, the last keeping its spaces, as in
 * `regex: log ^error`. A piece in double quotes may hold spaces.
 */
export function words<const N extends readonly string[]>(
  ...names: N
): z.ZodType<{ [K in keyof N]: string }, string | number | boolean> {
  return parsed(names.map((name) => name.toUpperCase()).join(" "), (value) => {
    const found = splitWords(String(value), names.length);
    if (found.length < names.length) {
      throw new RangeError(
        `expected "${names.map((name) => name.toUpperCase()).join(" ")}", got ${
          JSON.stringify(value)
        }`,
      );
    }
    return found as { [K in keyof N]: string };
  });
}

/** Splits at white space into at most `parts` pieces; quotes around a piece are taken off. */
export function splitWords(value: string, parts: number): string[] {
  const found: string[] = [];
  let rest = value.trim();
  while (rest !== "" && found.length < parts - 1) {
    const match = /^"((?:[^"\\]|\\.)*)"(?:\s+|$)/s.exec(rest) ?? /^(\S+)(?:\s+|$)/s.exec(rest)!;
    found.push(unquote(rest, match));
    rest = rest.slice(match[0].length);
  }
  if (rest !== "") found.push(unquote(rest, /^"((?:[^"\\]|\\.)*)"$/s.exec(rest) ?? [rest, rest]));
  return found;
}

function unquote(text: string, [, word]: readonly string[]): string {
  return text.startsWith('"') ? word!.replaceAll('\\"', '"') : word!;
}
