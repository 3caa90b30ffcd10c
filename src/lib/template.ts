import { stringifyJson } from "./json-text.ts";
import { type Accessor, compileAccessor, type Fields, type Value } from "./record-accessor.ts";

/** Text with parts that come from the record, its tag or a regular expression's captures. */
export interface Template {
  /** As it was written. */
  readonly source: string;
  /** Whether the text depends on the record: if not, one text serves all records of a tag. */
  readonly readsRecord: boolean;
  /** The text; a field that is absent, or an array, gives nothing. */
  render(fields: Fields, tag: string, captures?: Captures): string;
  /** The text, or `undefined` when a field that it names is absent. */
  renderComplete(fields: Fields, tag: string, captures?: Captures): string | undefined;
}

/** The whole match and then the groups, as `RegExp.exec` returns them. */
export type Captures = ArrayLike<string | undefined>;

type Part =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "field"; readonly accessor: Accessor }
  | { readonly kind: "capture"; readonly index: number }
  | { readonly kind: "tag" }
  | { readonly kind: "tag part"; readonly index: number };

/**
 * Compiles a template: `$TAG` the tag, `$TAG[1]` one of its parts between dots, counted from 0, `$0` … `$9`
 * captures, `$key['sub'][0]` a field. The name of a field ends at a dot, comma, space or double quote
 * outside of brackets. Throws SyntaxError with the place of the mistake.
 */
export function compileTemplate(source: string): Template {
  const parts = parse(source);
  const only = parts.length === 1 && parts[0]!.kind === "text" ? parts[0]!.text : undefined;
  const renderParts = (
    fields: Fields,
    tag: string,
    captures: Captures | undefined,
    complete: boolean,
  ): string | undefined => {
    let text = "";
    for (const part of parts) {
      const piece = renderPart(part, fields, tag, captures);
      if (piece !== undefined) text += piece;
      else if (complete) return undefined;
    }
    return text;
  };
  return {
    source,
    readsRecord: parts.some(({ kind }) => kind === "field" || kind === "capture"),
    render: (fields, tag, captures) => only ?? renderParts(fields, tag, captures, false)!,
    renderComplete: (fields, tag, captures) => only ?? renderParts(fields, tag, captures, true),
  };
}

function renderPart(
  part: Part,
  fields: Fields,
  tag: string,
  captures: Captures | undefined,
): string | undefined {
  switch (part.kind) {
    case "text":
      return part.text;
    case "field":
      return valueText(part.accessor.get(fields));
    case "capture":
      return captures?.[part.index] ?? "";
    case "tag":
      return tag;
    case "tag part":
      return tag.split(".")[part.index] ?? "";
  }
}

/** A value as Fluent Bit writes it into a tag: floats with six decimals, maps as JSON in ASCII. */
function valueText(value: Value | undefined): string | undefined {
  switch (typeof value) {
    case "string":
      return value;
    case "number":
      return Number.isInteger(value) ? String(value) : value.toFixed(6);
    case "object":
      if (value === null) return "null";
      if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
      return Array.isArray(value) ? undefined : jsonText(value);
    default:
      return value === undefined ? undefined : String(value);
  }
}

function jsonText(value: Fields): string {
  const text = stringifyJson(value);
  return text.replace(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

const TAG = /\$TAG(?:\[(\d+)\])?/y;
const CAPTURE = /\$(\d)/y;
const FIELD = /\$[^.,\s"[$]+(?:\[(?:'(?:[^']|'')*'|"(?:[^"]|"")*"|\d+)\])*/y;

function parse(source: string): Part[] {
  const parts: Part[] = [];
  let at = 0;
  while (at < source.length) {
    const dollar = source.indexOf("$", at);
    if (dollar === -1) break;
    if (dollar > at) parts.push({ kind: "text", text: source.slice(at, dollar) });
    const [part, end] = parsePart(source, dollar);
    parts.push(part);
    at = end;
  }
  // Fluent Bit forgets a single character after a field at the end: `t.$key.` makes the tag `t.value`.
  const rest = source.slice(at);
  const forgotten = rest.length === 1 && parts.at(-1)?.kind === "field";
  if (rest !== "" && !forgotten) parts.push({ kind: "text", text: rest });
  return parts;
}

function parsePart(source: string, at: number): [part: Part, end: number] {
  if (at === source.length - 1) return [{ kind: "text", text: "$" }, source.length];
  const tag = matchAt(TAG, source, at);
  if (tag !== null) {
    const end = at + tag[0].length;
    if (tag[1] === undefined) return [{ kind: "tag" }, end];
    return [{ kind: "tag part", index: Number(tag[1]) }, end];
  }
  const capture = matchAt(CAPTURE, source, at);
  if (capture !== null) return [{ kind: "capture", index: Number(capture[1]) }, at + 2];
  const field = matchAt(FIELD, source, at);
  const end = at + (field?.[0].length ?? 0);
  if (field === null || (end < source.length && !/[.,\s"]/.test(source[end]!))) {
    throw new SyntaxError(
      `cannot read template "${source}": expected $TAG, $0 to $9 or $key['sub'], ` +
        `followed by a dot, comma or space, at character ${at + 1}`,
    );
  }
  return [{ kind: "field", accessor: compileAccessor(field[0]) }, end];
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}
