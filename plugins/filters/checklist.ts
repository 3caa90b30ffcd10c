import {
  type Body,
  compileAccessor,
  compileFieldName,
  ConfigError,
  defineFilter,
  field,
  type FieldValue,
} from "logcollector/plugin";
import { readFileSync } from "node:fs";
import * as z from "zod";

const config = z.object({
  file: field.file()
    .describe("File with one text per line to look for; lines that start with # are comments"),
  mode: field.oneOf("exact", "partial").default("exact")
    .describe(
      "Whether the field must be a listed text, or start with one (then % and _ are wildcards)",
    ),
  lookup_key: field.accessor().default(compileAccessor("log"))
    .describe("Field whose text is looked for"),
  ignore_case: field.bool().default(false)
    .describe("Whether upper and lower case are the same"),
  record: field.repeated(field.words("key", "value")).default([])
    .describe(
      "Fields to set in a record that is found, each `KEY VALUE`; true, false and null are no texts",
    ),
  print_query_time: field.bool().default(false)
    .describe("Log how long each lookup that finds something takes"),
});

/** True for a text that the list has. */
type Lookup = (text: string) => boolean;

export default defineFilter({
  name: "checklist",
  summary: "Marks records whose field is on a list.",
  config,
  create({ file, mode, lookup_key, ignore_case, record, print_query_time }, ctx) {
    const lines = readList(file).map((line) => ignore_case ? line.toLowerCase() : line);
    const listed = mode === "exact" ? exactLookup(lines) : prefixLookup(lines);
    const find: Lookup = ignore_case ? (text) => listed(text.toLowerCase()) : listed;
    const additions = record.map(([key, value]) => ({
      key: compileFieldName(key),
      value: scalar(value),
    }));
    if (additions.length === 0) ctx.log.warn('Nothing is marked without a "record"');
    const timed: Lookup = (text) => {
      const start = performance.now();
      const found = find(text);
      const micros = Math.round((performance.now() - start) * 1000);
      if (found) ctx.log.info(`Found "${text}" in ${micros} µs`);
      return found;
    };
    const wanted = print_query_time ? timed : find;
    return {
      process(batch) {
        for (const { body } of batch.records) {
          const value = lookup_key.get(body);
          if (typeof value === "string" && wanted(value)) mark(body);
        }
        return batch;
      },
    };

    function mark(body: Body): void {
      // Replaced fields move to the end, as new ones would be there.
      for (const { key } of additions) key.delete(body);
      for (const { key, value } of additions) key.set(body, value);
    }
  },
});

function readList(file: string): string[] {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    throw new ConfigError(`cannot read "${file}": ${(cause as Error).message}`, "file", { cause });
  }
  return text.split("\n").map((line) => line.endsWith("\r") ? line.slice(0, -1) : line)
    .filter((line) => line !== "" && !line.startsWith("#"));
}

function scalar(text: string): FieldValue {
  switch (text.toLowerCase()) {
    case "true":
      return true;
    case "false":
      return false;
    case "null":
      return null;
    default:
      return text;
  }
}

function exactLookup(lines: readonly string[]): Lookup {
  const list = new Set(lines);
  return (text) => list.has(text);
}

/** Plain prefixes are looked up by their length, so that a long list costs no more than a short one. */
function prefixLookup(lines: readonly string[]): Lookup {
  const byLength = new Map<number, Set<string>>();
  const wildcards: RegExp[] = [];
  for (const line of lines) {
    if (/[%_]/.test(line)) wildcards.push(likePrefix(line));
    else byLength.set(line.length, (byLength.get(line.length) ?? new Set()).add(line));
  }
  return (text) => {
    for (const [length, prefixes] of byLength) {
      if (text.length >= length && prefixes.has(text.slice(0, length))) return true;
    }
    return wildcards.some((wildcard) => wildcard.test(text));
  };
}

/** Fluent Bit asks SQL's LIKE: `%` is any text and `_` any character. */
function likePrefix(line: string): RegExp {
  const source = line.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&").replaceAll("%", ".*")
    .replaceAll("_", ".");
  return new RegExp(`^${source}`, "su");
}
