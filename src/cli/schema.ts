import {
  type CatalogEntry,
  type CatalogSchemas,
  commonOptions,
  PIPELINE_KINDS,
  pluginEntries,
  sectionEntries,
} from "../config/catalog.ts";
import type { PipelineKind } from "../config/common-options.ts";
import { describeSchema, type OptionDescription } from "../config/describe-schema.ts";
import { pluginEntrySchema } from "../config/plugin-entries.ts";
import { type CommandIo, EXIT } from "./command-io.ts";

type JsonSchema = { readonly [key: string]: unknown };

/** `logcollector schema`: prints a JSON Schema (draft 2020-12) of a whole configuration. */
export function schema(io: CommandIo, schemas: CatalogSchemas): number {
  io.stdout(`${JSON.stringify(configurationSchema(schemas), null, 2)}\n`);
  return EXIT.ok;
}

const TEXTS: JsonSchema = { type: "array", items: { type: "string" } };
const ONE_OR_MORE_TEXTS: JsonSchema = { anyOf: [{ type: "string" }, TEXTS] };
const SCALAR: readonly string[] = ["string", "number", "boolean"];

export function configurationSchema(schemas: CatalogSchemas): JsonSchema {
  const definitions: Record<string, JsonSchema> = {};
  const pipeline: Record<string, JsonSchema> = {};
  for (const kind of PIPELINE_KINDS) {
    const entries = pluginEntries(kind, schemas);
    for (const entry of entries) definitions[`${kind}.${entry.name}`] = pluginSchema(kind, entry);
    pipeline[`${kind}s`] = { type: "array", items: anyPlugin(kind, entries) };
  }
  const [service, parsers, multiline] = sectionEntries(schemas);
  definitions.service = optionsSchema(service!.options, {});
  definitions.parser = optionsSchema(parsers!.options, {});
  definitions.multiline_parser = optionsSchema(multiline!.options, {});
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "logcollector configuration",
    ...closed({
      service: { $ref: "#/$defs/service", description: service!.summary },
      env: environmentSchema(),
      includes: { ...ONE_OR_MORE_TEXTS, description: "Files to read too, relative to this one" },
      plugins: userPluginsSchema(),
      parsers: { type: "array", items: { $ref: "#/$defs/parser" }, description: parsers!.summary },
      multiline_parsers: {
        type: "array",
        items: { $ref: "#/$defs/multiline_parser" },
        description: multiline!.summary,
      },
      pipeline: { ...closed(pipeline), description: "Inputs, filters and outputs" },
      extensions: { description: "For other tools; not read" },
    }),
    $defs: definitions,
  };
}

function environmentSchema(): JsonSchema {
  return {
    description: "Variables for ${NAME}",
    anyOf: [
      { type: "object", additionalProperties: { type: [...SCALAR] } },
      {
        type: "array",
        items: closed({
          name: { type: "string" },
          value: { type: [...SCALAR] },
          uri: { type: "string", description: "file:// and the file that holds the value" },
          refresh_interval: { type: [...SCALAR] },
        }),
      },
    ],
  };
}

/** Chooses the plugin's options by its name. */
function anyPlugin(kind: PipelineKind, entries: readonly CatalogEntry[]): JsonSchema {
  return {
    type: "object",
    anyOf: ["name", "Name", "NAME"].map((key) => ({ required: [key] })),
    properties: {
      name: {
        description: `Which ${kind} this is`,
        anyOf: [
          { enum: entries.map((entry) => entry.name) },
          {
            type: "string",
            pattern: `^(${entries.map((entry) => anyCase(entry.name)).join("|")})$`,
          },
        ],
      },
    },
    allOf: entries.map((entry) => ({
      if: { properties: { name: { pattern: `^${anyCase(entry.name)}$` } }, required: ["name"] },
      then: { $ref: `#/$defs/${kind}.${entry.name}` },
    })),
  };
}

function pluginSchema(kind: PipelineKind, entry: CatalogEntry): JsonSchema {
  const own = new Set(entry.options.map((option) => option.name));
  const common = commonOptions(kind).filter((option) => !own.has(option.name));
  const aliases = Object.fromEntries(
    Object.entries(entry.aliases).flatMap(([old, now]) => {
      const option = entry.options.find(({ name }) => name === now);
      return option === undefined
        ? []
        : [[old, { ...valueSchema(option), description: `Another name of ${now}` }]];
    }),
  );
  return {
    description: entry.summary,
    ...optionsSchema([...entry.options, ...common], { name: true, ...aliases }),
  };
}

function optionsSchema(
  options: readonly OptionDescription[],
  others: Readonly<Record<string, unknown>>,
): JsonSchema {
  const properties: Record<string, unknown> = { ...others };
  for (const option of options) properties[option.name] = valueSchema(option);
  return closed(properties);
}

function userPluginsSchema(): JsonSchema {
  const entry = {
    anyOf: [{ type: "string" }, optionsSchema(describeSchema(pluginEntrySchema), {})],
  };
  return {
    anyOf: [...entry.anyOf, { type: "array", items: entry }],
    description: "Your own plugins: files, folders or patterns, relative to this file",
  };
}

/** An object with these properties and no others; their names in any case. */
function closed(properties: Readonly<Record<string, unknown>>): JsonSchema {
  const anyOfThem = Object.keys(properties).map(anyCase).join("|");
  return {
    type: "object",
    properties,
    patternProperties: { [`^(${anyOfThem})$`]: true },
    additionalProperties: false,
  };
}

function valueSchema(option: OptionDescription): JsonSchema {
  const { description, repeatable, defaultText, type, unit } = option;
  const single = singleSchema(option);
  const words = unit === undefined ? description : `${description} (${type}, ${unit})`;
  return {
    description: words,
    ...(defaultText === undefined ? {} : { default: defaultText }),
    ...(repeatable ? { anyOf: [single, { type: "array", items: single }] } : single),
  };
}

// A value may always be text with a variable in it, whatever it becomes.
const VARIABLE: JsonSchema = { type: "string", pattern: "\\$\\{" };

function singleSchema({ type, words, parts }: OptionDescription): JsonSchema {
  if (parts !== undefined) return { type: "array", items: optionsSchema(parts, {}) };
  if (words !== undefined) {
    const anyCaseWords = { type: "string", pattern: `^(${words.map(anyCase).join("|")})$` };
    return { anyOf: [{ enum: words }, anyCaseWords, { type: "boolean" }, VARIABLE] };
  }
  if (type === "boolean") {
    const written = anyWords(["on", "off", "yes", "no", "true", "false", "1", "0"]);
    return {
      anyOf: [{ type: "boolean" }, { enum: ["on", "off"] }, written, { enum: [0, 1] }, VARIABLE],
    };
  }
  if (type === "integer") {
    return {
      anyOf: [{ type: "integer" }, { type: "string", pattern: "^\\s*[+-]?\\d+\\s*$" }, VARIABLE],
    };
  }
  if (type === "list") return { anyOf: [{ type: [...SCALAR] }, TEXTS] };
  if (type === "map") return { type: "object" };
  return { type: [...SCALAR] };
}

function anyWords(words: readonly string[]): JsonSchema {
  return { type: "string", pattern: `^(${words.map(anyCase).join("|")})$` };
}

/** JSON Schema's expressions know no flags: `Tag` becomes `[tT][aA][gG]`. */
function anyCase(word: string): string {
  return word.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&").replace(
    /[a-z]/gi,
    (letter) => `[${letter.toLowerCase()}${letter.toUpperCase()}]`,
  );
}
