import type * as z from "zod";
import type { FieldMeta } from "../sdk/fields.ts";

/** What a user needs to know of one option, read from its schema. */
export interface OptionDescription {
  readonly name: string;
  /** `size`, `time`, `boolean`, `KEY REGEX` … without the mark of repetition. */
  readonly type: string;
  /** The unit of a bare number. */
  readonly unit: string | undefined;
  /** The default as one would write it, or `undefined` when there is none. */
  readonly defaultText: string | undefined;
  readonly required: boolean;
  readonly description: string;
  /** The option may be given several times; a list then counts as one time for each item. */
  readonly repeatable: boolean;
  /** The words to choose from, when the option knows only some. */
  readonly words: readonly string[] | undefined;
  /** The options inside, when the value is a list of maps. */
  readonly parts: readonly OptionDescription[] | undefined;
  /** The schema is zod's own, not one of the SDK's fields: it does not take text for a number. */
  readonly plainZod: boolean;
}

// The parts of a zod schema that are looked at here; its own types say less than it holds.
interface Inspectable {
  readonly def: {
    readonly type: string;
    readonly innerType?: Inspectable;
    readonly in?: Inspectable;
    readonly out?: Inspectable;
    readonly defaultValue?: unknown;
    readonly entries?: Readonly<Record<string, string>>;
    readonly catchall?: Inspectable;
    readonly element?: Inspectable;
  };
  readonly shape?: Readonly<Record<string, Inspectable>>;
  meta(): (Partial<FieldMeta> & { description?: string }) | undefined;
  safeParse(value: unknown): { success: boolean };
}

/** Describes all options of a plugin, a section or the options that every plugin of a kind has. */
export function describeSchema(schema: z.ZodObject): OptionDescription[] {
  const { shape } = schema as unknown as Inspectable;
  return Object.entries(shape!).map(([name, option]) => describeOption(name, option));
}

/** Describes one option, or gives `undefined` when the schema has none of that name. */
export function describeOptionOf(schema: z.ZodObject, name: string): OptionDescription | undefined {
  const { shape } = schema as unknown as Inspectable;
  return Object.hasOwn(shape!, name) ? describeOption(name, shape![name]!) : undefined;
}

/** True when the schema takes options that it does not list. */
export function takesUnknownOptions(schema: z.ZodObject): boolean {
  const { catchall } = (schema as unknown as Inspectable).def;
  return catchall !== undefined && catchall.def.type !== "never";
}

const described = new WeakMap<Inspectable, OptionDescription>();

function describeOption(name: string, schema: Inspectable): OptionDescription {
  const known = described.get(schema);
  if (known?.name === name) return known;
  const layers = layersOf(schema);
  const find = <T>(pick: (layer: Inspectable) => T | undefined): T | undefined => {
    for (const layer of layers) {
      const found = pick(layer);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  const declared = find((layer) => layer.meta()?.fieldType);
  const fieldType = declared ??
    find((layer) => layer.def.entries && Object.values(layer.def.entries).join(" | ")) ??
    plainType(layers.at(-1)!.def.type);
  const type = fieldType.replace(/, repeatable$/, "");
  const unit = find((layer) => layer.meta()?.unit);
  const fallback = layers.find((layer) => layer.def.type === "default");
  const result: OptionDescription = {
    name,
    type,
    unit,
    defaultText: fallback && defaultText(fallback.def.defaultValue, type),
    required: fallback === undefined && !schema.safeParse(undefined).success,
    description: find((layer) => layer.meta()?.description) ?? "",
    repeatable: type !== fieldType,
    words: type.includes(" | ") ? type.split(" | ") : undefined,
    parts: partsOf(layers.at(-1)!),
    plainZod: declared === undefined,
  };
  described.set(schema, result);
  return result;
}

function partsOf(schema: Inspectable): OptionDescription[] | undefined {
  const shape = schema.def.element?.shape;
  if (shape === undefined) return undefined;
  return Object.entries(shape).map(([name, option]) => describeOption(name, option));
}

const WRAPPERS = new Set(["default", "prefault", "optional", "nullable", "readonly", "catch"]);

/** The schema and what it wraps, outermost first, down to the one that says what the user may write. */
function layersOf(schema: Inspectable): Inspectable[] {
  const layers: Inspectable[] = [];
  for (let layer: Inspectable | undefined = schema; layer !== undefined;) {
    layers.push(layer);
    const { def }: Inspectable = layer;
    if (WRAPPERS.has(def.type)) layer = def.innerType;
    else if (def.type === "pipe") layer = def.in?.def.type === "transform" ? def.out : def.in;
    else layer = undefined;
  }
  return layers;
}

function plainType(type: string): string {
  const names: Readonly<Record<string, string>> = {
    array: "list",
    record: "map",
    object: "map",
    union: "value",
  };
  return names[type] ?? type;
}

function defaultText(value: unknown, type: string): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value === "boolean") return value ? "on" : "off";
  if (typeof value === "number") {
    if (type === "time") return timeText(value);
    return type === "size" ? sizeText(value) : String(value);
  }
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map(String).join(", ");
  if (typeof value === "object" && value !== null) {
    const { source } = value as { source?: unknown };
    return typeof source === "string" ? source : undefined;
  }
  return value === "" ? undefined : String(value);
}

const TIMES: readonly (readonly [string, number])[] = [["d", 86_400_000], ["h", 3_600_000], [
  "m",
  60_000,
], ["s", 1000]];
const SIZES: readonly (readonly [string, number])[] = [
  ["GiB", 2 ** 30],
  ["G", 1e9],
  ["MiB", 2 ** 20],
  ["M", 1e6],
  ["KiB", 2 ** 10],
  ["K", 1e3],
];

function timeText(ms: number): string {
  return ms === 0 ? "0" : inUnits(ms, TIMES) ?? `${ms}ms`;
}

function sizeText(bytes: number): string {
  return bytes === 0 ? "0" : inUnits(bytes, SIZES) ?? String(bytes);
}

/** In the largest unit that leaves a whole number. */
function inUnits(value: number, units: readonly (readonly [string, number])[]): string | undefined {
  if (!Number.isFinite(value)) return "unlimited";
  const found = units.find(([, size]) => value % size === 0);
  return found && `${value / found[1]}${found[0]}`;
}
