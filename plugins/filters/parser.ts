import {
  type Accessor,
  type Batch,
  type Body,
  compileAccessor,
  ConfigError,
  defineFilter,
  field,
  type FieldValue,
  type Filter,
  type LineParser,
  type LogRecord,
  setField,
} from "logcollector/plugin";
import * as z from "zod";

const config = z.object({
  key_name: field.text().describe("Field to parse; `$a['b']` for one inside another"),
  parser: field.repeated(field.text()).default([]).describe(
    "Parsers to try, by name; the first that matches counts",
  ),
  preserve_key: field.bool().default(false).describe("Keep the parsed field in the result"),
  reserve_data: field.bool().default(false).describe("Keep all other fields in the result"),
  unescape_key: field.bool().default(false).describe("Accepted for compatibility: it does nothing"),
});

export default defineFilter({
  name: "parser",
  summary: "Parses the text of a field into fields of the record.",
  config,
  create(options, ctx): Filter {
    if (options.parser.length === 0) throw new ConfigError("no parser is named", "parser");
    const parsers = options.parser.map((name) => ctx.parser(name));
    const key = keyOf(options.key_name);
    const keep = keeper(key, options.preserve_key, options.reserve_data);
    const isTopLevel = key.path.length === 1 && !key.source.startsWith("$");
    return {
      process(batch) {
        // Raw lines whose parsed fields replace everything need no objects of their own.
        if (keep === undefined && isTopLevel && batch.raw?.key === key.source) {
          return batch.with(parseLines(batch, parsers));
        }
        for (const record of batch.records) parseField(record, key, parsers, keep);
        return batch;
      },
    };
  },
});

function keyOf(name: string): Accessor {
  try {
    return compileAccessor(name);
  } catch (cause) {
    throw new ConfigError((cause as Error).message, "key_name", { cause });
  }
}

function parseLines(batch: Batch, parsers: readonly LineParser[]): LogRecord[] {
  const { lines, key, sec, nsec, extra } = batch.raw!;
  const records = new Array<LogRecord>(lines.length);
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!;
    records[i] = parse(parsers, line, sec, nsec) ?? { sec, nsec, body: { ...extra, [key]: line } };
  }
  return records;
}

function parse(
  parsers: readonly LineParser[],
  text: string,
  sec: number,
  nsec: number,
): LogRecord | null {
  for (const parser of parsers) {
    const record = parser.parse(text, sec, nsec);
    if (record !== null) return record;
  }
  return null;
}

/** Copies what is kept of the original fields into the parsed ones. */
type Keep = (from: Body, into: Body) => void;

/**
 * As in Fluent Bit, an original field goes over a parsed one of the same name, and a field inside another
 * stays with that other: `preserve_key` only acts on a top-level field.
 */
function keeper(key: Accessor, preserveKey: boolean, reserveData: boolean): Keep | undefined {
  const name = key.source.startsWith("$") ? undefined : key.source;
  if (reserveData) {
    return (from, into) => {
      for (const field of Object.keys(from)) {
        if (preserveKey || field !== name) setField(into, field, from[field]!);
      }
    };
  }
  if (!preserveKey || name === undefined) return undefined;
  return (from, into) => setField(into, name, from[name]!);
}

function parseField(
  record: LogRecord,
  key: Accessor,
  parsers: readonly LineParser[],
  keep: Keep | undefined,
): void {
  const text = textOf(key.get(record.body));
  if (text === undefined) return;
  const parsed = parse(parsers, text, record.sec, record.nsec);
  if (parsed === null) return;
  keep?.(record.body, parsed.body);
  record.sec = parsed.sec;
  record.nsec = parsed.nsec;
  record.body = parsed.body;
}

function textOf(value: FieldValue | undefined): string | undefined {
  if (typeof value === "string") return value;
  return value instanceof Uint8Array ? Buffer.from(value).toString("utf8") : undefined;
}
