import {
  type Body,
  ConfigError,
  defineParser,
  field,
  type Parser,
  setField,
} from "logcollector/plugin";
import * as z from "zod";

export default defineParser({
  name: "regex",
  summary: "Makes fields of the named groups of a regular expression.",
  config: z.object({
    regex: field.pattern().optional().describe(
      "Regular expression in Onigmo's syntax; each named group, `(?<name>…)`, becomes a field",
    ),
    skip_empty_values: field.bool().default(true).describe(
      "Leave out fields whose group matched nothing",
    ),
  }),
  create({ regex, skip_empty_values: skipEmpty }): Parser {
    if (regex === undefined) {
      throw new ConfigError(`a parser of format "regex" needs a regex`, "regex");
    }
    // A field of that name would change the object itself, so those take the slow way.
    const plainNames = !regex.names.includes("__proto__");
    const isPlain = plainNames && skipEmpty && !regex.names.includes("");
    const parse = isPlain
      ? (line: string): Body | null => {
        const match = regex.exec(line);
        return match === null ? null : withoutEmpty(regex.names, match);
      }
      : (line: string): Body | null => {
        const match = regex.exec(line);
        return match === null ? null : withEverything(regex.names, match, skipEmpty);
      };
    return { parse, groups: isPlain ? regex : undefined };
  },
});

function withoutEmpty(names: readonly string[], match: RegExpExecArray): Body | null {
  const body: Body = {};
  let took = false;
  for (let i = 0; i < names.length; i++) {
    const value = match[i + 1];
    if (value === undefined) continue;
    took = true;
    if (value !== "") body[names[i]!] = value;
  }
  return took ? body : null;
}

/** As Fluent Bit, a match in which no named group took part counts as none. */
function withEverything(
  names: readonly string[],
  match: RegExpExecArray,
  skipEmpty: boolean,
): Body | null {
  const body: Body = {};
  let took = false;
  for (let i = 0; i < names.length; i++) {
    const name = names[i]!;
    if (name === "") continue;
    const value = match[i + 1];
    if (value !== undefined) took = true;
    if (skipEmpty && (value === undefined || value === "")) continue;
    // Of several groups with one name, those that took no part must not hide the one that did.
    if (value !== undefined || !Object.hasOwn(body, name)) setField(body, name, value ?? "");
  }
  return took ? body : null;
}
