import { parseJsonObject } from "../lib/json-object.ts";
import { unescapeSimple, unescapeUtf8, unquoteMysql } from "../lib/unescape.ts";
import type { Body, FieldValue } from "../sdk/record.ts";
import { setField } from "../sdk/record.ts";

/** Turns a field's text into text or fields; `null` when it does not fit. */
type Backend = (text: string) => string | Body | null;

const BACKENDS: Readonly<Record<string, Backend>> = {
  json: parseJsonObject,
  escaped: unescapeSimple,
  escaped_utf8: unescapeUtf8,
  mysql_quoted: unquoteMysql,
};
export const DECODER_NAMES: readonly string[] = Object.keys(BACKENDS);

/** `json log try_next`: decoder, field, and what happens next. */
export interface DecoderRule {
  readonly field: string;
  readonly backend: Backend;
  /** Go on with the next rule of the field if this one fails (`try_next`), or in any case (`do_next`). */
  readonly next: "try" | "do" | undefined;
}

/** Throws RangeError for a rule that is none. */
export function parseDecoderRule(text: string): DecoderRule {
  const [decoder = "", field, action = ""] = text.trim().split(/ +/);
  const backend = BACKENDS[decoder.toLowerCase()];
  if (backend === undefined) {
    throw new RangeError(`unknown decoder "${decoder}": use ${DECODER_NAMES.join(", ")}`);
  }
  if (field === undefined) throw new RangeError(`expected "DECODER FIELD", got "${text}"`);
  const next = { try_next: "try", do_next: "do" }[action.toLowerCase()] as DecoderRule["next"];
  return { field, backend, next };
}

/** Rules of `decode_field` add the decoded fields to the record, those of `decode_field_as` replace the value. */
export interface DecoderStep extends DecoderRule {
  readonly replaces: boolean;
}

/** Compiles the rules of one parser, in the order they were given, into a function that changes a body. */
export function compileDecoders(steps: readonly DecoderStep[]): ((body: Body) => void) | undefined {
  if (steps.length === 0) return undefined;
  const fields = [...Map.groupBy(steps, (step) => step.field)];
  return (body) => {
    let extra: Body[] | undefined;
    for (const [field, rules] of fields) {
      const value = body[field];
      if (typeof value !== "string") continue;
      const decoded = decodeField(value, rules);
      if (decoded.value !== value) setField(body, field, decoded.value);
      if (decoded.added !== undefined) (extra ??= []).push(decoded.added);
    }
    for (const added of extra ?? []) {
      for (const key of Object.keys(added)) setField(body, key, added[key]!);
    }
  };
}

/** Runs the rules of one field: each sees the text that the one before made, until one says stop. */
function decodeField(
  value: string,
  rules: readonly DecoderStep[],
): { value: FieldValue; added: Body | undefined } {
  let text = value;
  let result: FieldValue = value;
  let added: Body | undefined;
  for (const { backend, replaces, next } of rules) {
    if (!replaces && next === "do" && added !== undefined) continue;
    if (typeof result !== "string") continue;
    const decoded = backend(text);
    if (decoded === null) {
      if (next === undefined) break;
      continue;
    }
    if (replaces) {
      result = decoded;
      if (typeof decoded === "string") text = decoded;
    } else if (typeof decoded !== "string") added = decoded;
    if (next !== "do") break;
  }
  return { value: result, added };
}
