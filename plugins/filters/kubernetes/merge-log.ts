import {
  type Body,
  ConfigError,
  type FieldValue,
  type FilterContext,
  isBody,
  type JsonLines,
  type LineParser,
  type LogRecord,
  parseJsonObject,
  setField,
} from "logcollector/plugin";
import type { KubernetesOptions } from "./config.ts";

type Options = Pick<
  KubernetesOptions,
  "merge_log" | "merge_log_key" | "merge_log_trim" | "merge_parser" | "keep_log"
>;

/** Makes fields of what the field `log` holds. */
export interface MergeLog {
  /** Does so for one record, with this parser if there is one. */
  apply(record: LogRecord, parser: LineParser | undefined): void;
  /** Whether it may change any of these, if no pod names a parser. Says yes when in doubt. */
  mayChange(lines: JsonLines): boolean;
}

/** What JSON's objects can begin with, as the text of `log`: a brace, space, an escape; or `log` is a map itself. */
const MERGEABLE = ['"log":"{', '"log":" ', '"log":"\\', '"log":{'].map((text) => Buffer.from(text));

/** `undefined` when nothing is to be merged. */
export function mergeLog(
  options: Options,
  ctx: Pick<FilterContext, "parser">,
): MergeLog | undefined {
  const { merge_log_key: under, keep_log, merge_log_trim } = options;
  // An unknown parser is a mistake even where it is not used.
  const ownParser = parserOf(options.merge_parser, ctx);
  if (!options.merge_log) return undefined;
  const add = (body: Body, fields: Body, trims: boolean) => {
    const into = under === undefined ? body : {};
    let isEmpty = true;
    for (const key in fields) {
      const value = fields[key]!;
      setField(into, key, trims && typeof value === "string" ? trimEnd(value) : value);
      isEmpty = false;
    }
    if (under !== undefined && !isEmpty) setField(body, under, into);
  };
  const apply: MergeLog["apply"] = (record, parser) => {
    const { log } = record.body;
    const text = textOf(log);
    const fields = text === undefined
      ? (isBody(log) ? log : null)
      : read(text, parser ?? ownParser, record);
    if (fields === null) return;
    if (!keep_log) record.body = without(record.body, "log");
    add(record.body, fields, merge_log_trim && text !== undefined);
  };
  const mayChange: MergeLog["mayChange"] = ({ bytes, rewritten }) =>
    ownParser !== undefined || rewritten.size > 0 ||
    MERGEABLE.some((beginning) => bytes.includes(beginning));
  return { apply, mayChange };
}

function parserOf(
  name: string | undefined,
  ctx: Pick<FilterContext, "parser">,
): LineParser | undefined {
  if (name === undefined) return undefined;
  try {
    return ctx.parser(name);
  } catch (cause) {
    throw new ConfigError((cause as Error).message, "merge_parser", { cause });
  }
}

function textOf(value: FieldValue | undefined): string | undefined {
  if (typeof value === "string") return value;
  return value instanceof Uint8Array ? Buffer.from(value).toString() : undefined;
}

/** A parser may find the record's time as well. */
function read(text: string, parser: LineParser | undefined, record: LogRecord): Body | null {
  if (parser === undefined) return parseJsonObject(text);
  const parsed = parser.parse(text, record.sec, record.nsec);
  if (parsed === null) return null;
  record.sec = parsed.sec;
  record.nsec = parsed.nsec;
  return parsed.body;
}

function without(body: Body, name: string): Body {
  const rest: Body = {};
  for (const key in body) if (key !== name) setField(rest, key, body[key]!);
  return rest;
}

/** Line breaks, also those that are spelled out; the first character always stays. */
function trimEnd(text: string): string {
  let end = text.length;
  while (end > 1) {
    if (text[end - 1] === "\n") end--;
    else if (text[end - 2] === "\\" && (text[end - 1] === "n" || text[end - 1] === "r")) end -= 2;
    else break;
  }
  return end === text.length ? text : text.slice(0, end);
}
