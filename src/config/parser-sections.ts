import type * as z from "zod";
import { splitWords } from "../sdk/fields.ts";
import type { ParserSection } from "./loaded-config.ts";
import { type ConfigNode, entryOf, type MapEntry, type MapNode } from "./node.ts";
import { checkOptions } from "./option-group.ts";
import { rememberSource } from "./problem-of.ts";
import { formatPosition, type Problems } from "./problem.ts";

/**
 * Checks entries of `parsers` or `multiline_parsers`. What is wrong is reported and left out. `schemaOf` gives the
 * options of a format that a plugin adds; neither is asked
 * for unless there is an entry.
 */
export function parserSections(
  kind: "parser" | "multiline parser",
  maps: readonly MapNode[],
  schemaOfAll: () => z.ZodObject,
  problems: Problems,
  schemaOf: (format: string) => z.ZodObject | undefined = () => undefined,
): ParserSection[] {
  const sections: ParserSection[] = [];
  for (const written of maps) {
    const schema = schemaOfAll();
    const map = kind === "parser" ? written : withRules(written, problems);
    const nameEntry = entryOf(map, "name");
    const name = nameEntry?.value.kind === "scalar" ? nameEntry.value.text : "";
    if (name === "") {
      problems.add(map.at, `the ${kind} has no name: add "name:"`);
      continue;
    }
    // A schema may or may not have the name among its options.
    const others = "name" in schema.shape ? [] : ["name"];
    const owner = `${kind} "${name}"`;
    const format = entryOf(map, "format")?.value;
    const ofFormat = format?.kind === "scalar" ? schemaOf(format.text) : undefined;
    // What the format calls its own is not the collector's, even under the same name.
    const schemas = ofFormat === undefined ? [schema] : [ofFormat, schema];
    const { outputs, given } = checkOptions(map, { owner, schemas, others }, problems);
    if (outputs === undefined) continue;
    const section: ParserSection = {
      name,
      options: outputs.at(-1),
      formatOptions: outputs.length > 1 ? outputs[0] as Record<string, unknown> : undefined,
      position: formatPosition(map.at),
    };
    rememberSource(section, { owner, map, given });
    sections.push(section);
  }
  return sections;
}

const RULE_PARTS = ["state", "regex", "next_state"];

/** Classic files write rules as `Rule "start_state" "/regex/" "cont"`: they become the list that YAML has. */
function withRules(map: MapNode, problems: Problems): MapNode {
  const isRule = (entry: MapEntry): boolean =>
    entry.key.toLowerCase() === "rule" && entry.value.kind === "scalar";
  const rules = map.entries.filter(isRule);
  if (rules.length === 0) return map;
  const items = rules.flatMap(({ at, value }): ConfigNode[] => {
    const words = value.kind === "scalar" ? splitWords(value.text, 3) : [];
    if (words.length === 3) {
      const entries = words.map((text, i): MapEntry => ({
        key: RULE_PARTS[i]!,
        at,
        value: { kind: "scalar", at: value.at, text },
      }));
      return [{ kind: "map", at, entries }];
    }
    problems.add(at, `a rule is "state" "regex" "next state", each in double quotes`);
    return [];
  });
  const first = rules[0]!;
  const list: MapEntry = {
    key: "rules",
    at: first.at,
    value: { kind: "list", at: first.at, items },
  };
  return { ...map, entries: [...map.entries.filter((entry) => !isRule(entry)), list] };
}
