import type * as z from "zod";
import type { PluginRegistry } from "../sdk/registry.ts";
import { COMMON_OPTIONS, type PipelineKind } from "./common-options.ts";
import { describeSchema, type OptionDescription, takesUnknownOptions } from "./describe-schema.ts";
import { serviceSchema } from "./service-options.ts";

/** The schemas that everything a user can look up derives from. */
export interface CatalogSchemas {
  readonly registry: PluginRegistry;
  readonly parserSchemas: { readonly parser: z.ZodObject; readonly multiline: z.ZodObject };
}

/** One thing that a configuration can hold, with its options. */
export interface CatalogEntry {
  readonly kind: PipelineKind | "parser" | "section";
  readonly name: string;
  readonly summary: string;
  readonly options: readonly OptionDescription[];
  readonly aliases: Readonly<Record<string, string>>;
  /** It takes options that are not listed, as a Go plugin does: only the plugin itself knows them. */
  readonly takesOthers?: boolean;
}

export const PIPELINE_KINDS: readonly PipelineKind[] = ["input", "filter", "output"];

/** All plugins of a kind, by name. */
export function pluginEntries(
  kind: PipelineKind | "parser",
  { registry }: CatalogSchemas,
): CatalogEntry[] {
  return [...registry.list(kind)]
    .sort((a, b) => a.name.localeCompare(b.name))
    .map((plugin) => ({
      kind,
      name: plugin.name,
      summary: plugin.summary.replace(/\.$/, ""),
      options: describeSchema(plugin.config),
      aliases: plugin.optionAliases ?? {},
      takesOthers: takesUnknownOptions(plugin.config),
    }));
}

/** The sections that have options of their own. */
export function sectionEntries({ parserSchemas }: CatalogSchemas): CatalogEntry[] {
  const section = (name: string, summary: string, schema: z.ZodObject): CatalogEntry => ({
    kind: "section",
    name,
    summary,
    options: describeSchema(schema),
    aliases: {},
  });
  return [
    section("service", "Settings of the collector as a whole", serviceSchema),
    section(
      "parsers",
      "Each entry makes a parser that inputs and filters can name",
      parserSchemas.parser,
    ),
    section(
      "multiline_parsers",
      "Each entry makes a parser that joins lines which belong together",
      parserSchemas.multiline,
    ),
  ];
}

/** Options that every plugin of a kind has besides its own. */
export function commonOptions(kind: PipelineKind): OptionDescription[] {
  return describeSchema(COMMON_OPTIONS[kind]);
}

/** `time (seconds)`, `string, repeatable` */
export function typeText({ type, unit, repeatable }: OptionDescription): string {
  return `${type}${unit === undefined ? "" : ` (${unit})`}${repeatable ? ", repeatable" : ""}`;
}
