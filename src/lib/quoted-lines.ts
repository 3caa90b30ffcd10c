import { stringifyJson } from "./json-text.ts";

/** A character that text hardly ever holds, and its JSON form. */
const MARK = "\u0001";
const MARK_JSON = "\\u0001";

/**
 * Every line as a JSON string, with `between` between two: `"first" between "second"`. Escaping all lines in
 * one call, joined by a mark, takes half the time of one call for each.
 */
export function quoteLines(lines: readonly string[], between: string): string {
  if (lines.length === 0) return "";
  const joined = JSON.stringify(lines.join(MARK));
  if (lines.length === 1) return joined;
  const quotedBetween = `"${between}"`;
  const text = joined.replaceAll(MARK_JSON, () => quotedBetween);
  // A line that holds the mark itself, or its JSON form as text, makes one replacement too many.
  const growth = (lines.length - 1) * (quotedBetween.length - MARK_JSON.length);
  if (text.length === joined.length + growth) return text;
  return lines.map((line) => JSON.stringify(line)).join(between);
}

/** The constant text around a line that is the last field of a record. */
export interface LineFrame {
  readonly before: string;
  readonly after: string;
}

/**
 * The JSON text around the value of `key` in `{...fields, [key]: value}`. `undefined` when the value would
 * not come last: a name that looks like an array index moves to the front, one that is taken keeps its place.
 */
export function lineFrame(
  fields: Readonly<Record<string, unknown>> | undefined,
  key: string,
): LineFrame | undefined {
  if (/^\d/.test(key) || key === "__proto__") return undefined;
  if (fields !== undefined && Object.hasOwn(fields, key)) return undefined;
  const text = stringifyJson({ ...fields, [key]: "" });
  return { before: text.slice(0, -3), after: "}" };
}
