import {
  type CatalogEntry,
  type CatalogSchemas,
  commonOptions,
  PIPELINE_KINDS,
  pluginEntries,
  sectionEntries,
  typeText,
} from "../config/catalog.ts";
import type { OptionDescription } from "../config/describe-schema.ts";
import { suggestion } from "../lib/closest.ts";
import { type CommandIo, EXIT } from "./command-io.ts";

/** `logcollector plugins [NAME]`: lists all plugins, or the options of one. */
export function plugins(name: string | undefined, io: CommandIo, schemas: CatalogSchemas): number {
  return name === undefined ? listAll(io, schemas) : showOne(name, io, schemas);
}

const HEADINGS = { input: "Inputs", filter: "Filters", output: "Outputs", parser: "Parsers" };
const KINDS = [...PIPELINE_KINDS, "parser"] as const;

function listAll(io: CommandIo, schemas: CatalogSchemas): number {
  const parts = KINDS.flatMap((kind) => {
    const entries = pluginEntries(kind, schemas);
    if (entries.length === 0) return [];
    const rows = entries.map((entry) => [`  ${entry.name}`, entry.summary]);
    return [`${HEADINGS[kind]}\n${table(rows)}`];
  });
  io.stdout(`${parts.join("\n")}\n"logcollector plugins NAME" shows the options of one.\n`);
  return EXIT.ok;
}

function showOne(name: string, io: CommandIo, schemas: CatalogSchemas): number {
  const all = [
    ...KINDS.flatMap((kind) => pluginEntries(kind, schemas)),
    ...sectionEntries(schemas),
  ];
  const found = all.filter((entry) => entry.name === name.toLowerCase());
  if (found.length === 0) {
    const hint = suggestion(name, all.map((entry) => entry.name));
    io.stderr(
      `logcollector: unknown plugin "${name}"${hint || `: "logcollector plugins" lists all`}\n`,
    );
    return EXIT.usage;
  }
  io.stdout(found.map(describeEntry).join("\n"));
  return EXIT.ok;
}

/** A plugin with its options, as a table. */
export function describeEntry(entry: CatalogEntry): string {
  const { kind, name, summary, options, aliases, takesOthers = false } = entry;
  const parts = [`${name} (${kind}): ${summary}\n`, optionTable(options, takesOthers)];
  for (const [old, now] of Object.entries(aliases)) {
    parts.push(`  ${old} is another name of ${now}\n`);
  }
  if (kind === "input" || kind === "filter" || kind === "output") {
    parts.push(`\nOptions of every ${kind}\n`, optionTable(commonOptions(kind)));
  }
  return parts.join("");
}

function optionTable(options: readonly OptionDescription[], takesOthers = false): string {
  if (options.length === 0) {
    return takesOthers ? "  any option: the plugin itself knows which\n" : "  no options\n";
  }
  const rows = options.map((option) => {
    const type = typeText(option);
    // Many words to choose from would push the other columns out of sight.
    const choice = option.words !== undefined && type.length > 36;
    return [
      `  ${option.name}`,
      choice ? "choice" : type,
      option.required ? "required" : option.defaultText ?? "-",
      choice ? `${option.description}: ${option.words.join(", ")}` : option.description,
    ];
  });
  return table([["  OPTION", "TYPE", "DEFAULT", "DESCRIPTION"], ...rows]);
}

/** Columns as wide as their widest cell, except the last. One very wide cell does not push the rest away. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.min(40, Math.max(...rows.map((row) => row[column]!.length)))
  );
  return rows.map((row) =>
    `${
      row.map((cell, column) => column === row.length - 1 ? cell : cell.padEnd(widths[column]!))
        .join("  ")
        .trimEnd()
    }\n`
  ).join("");
}
