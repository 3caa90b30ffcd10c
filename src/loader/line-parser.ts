import { compileStrptime, type TimeReader } from "../lib/strptime.ts";
import { systemZone } from "../lib/time-zone.ts";
import type { LineParser, Logger } from "../sdk/context.ts";
import type { Parser } from "../sdk/define.ts";
import type { Body, LogRecord } from "../sdk/record.ts";
import { compileDecoders, type DecoderStep } from "./decoders.ts";
import { compileTypes, typesOf } from "./field-types.ts";
import { JsonBlockReader } from "./json-block-reader.ts";
import type { ParserOptions } from "./parser-schema.ts";
import { regexBlockReader } from "./regex-block-reader.ts";

export interface LineParserContext {
  readonly log: Pick<Logger, "warn">;
  /** The present in seconds, for time formats without a year. */
  readonly nowSec: () => number;
}

/** Puts time, types and decoders around a format. What an option does not ask for costs nothing. */
export function createLineParser(
  format: Parser,
  options: ParserOptions,
  context: LineParserContext,
): LineParser {
  const { name } = options;
  const isJson = options.format.toLowerCase() === "json";
  const time = compileTime(options, context);
  const types = isJson ? undefined : compileTypes(options.types);
  const decode = compileDecoders(decoderSteps(options));
  const parse = isJson
    ? jsonLineParse(format, time, decode)
    : lineParse(format, time, types, decode);
  if (decode !== undefined) return { name, parse };
  const common = {
    timeKey: time && options.time_key,
    keepTime: options.time_keep,
    readTime: time?.read ?? (() => false),
    frameOf: time?.frameOf ?? (() => undefined),
    parse,
  };
  const { source, names } = format.groups ?? {};
  const blocks = isJson
    ? new JsonBlockReader(common)
    : source !== undefined && names !== undefined
    ? regexBlockReader({ ...common, source, names, types: typesOf(options.types) })
    : undefined;
  return blocks === undefined
    ? { name, parse }
    : { name, parse, readJson: (block) => blocks.read(block) };
}

type Parse = LineParser["parse"];
type Change = (body: Body) => void;

/** JSON's time may come out of a decoded field. */
function jsonLineParse(
  format: Parser,
  time: TimeField | undefined,
  decode: Change | undefined,
): Parse {
  return (line, sec, nsec) => {
    const body = format.parse(line);
    if (body === null) return null;
    const record: LogRecord = { sec, nsec, body };
    decode?.(body);
    return time !== undefined && !time.take(body, record) ? null : record;
  };
}

/** Elsewhere the time is a field of the line itself. */
function lineParse(
  format: Parser,
  time: TimeField | undefined,
  types: Change | undefined,
  decode: Change | undefined,
): Parse {
  return (line, sec, nsec) => {
    const body = format.parse(line);
    if (body === null) return null;
    const record: LogRecord = { sec, nsec, body };
    if (time !== undefined && !time.take(body, record)) return null;
    types?.(body);
    decode?.(body);
    return record;
  };
}

function decoderSteps(options: ParserOptions): DecoderStep[] {
  const keys = Object.keys(options).filter((key) =>
    key === "decode_field" || key === "decode_field_as"
  );
  return keys.flatMap((key) => {
    const rules = options[key as "decode_field" | "decode_field_as"] ?? [];
    return rules.map((rule) => ({ ...rule, replaces: key === "decode_field_as" }));
  });
}

/** Where a record's time goes. */
type Time = Pick<LogRecord, "sec" | "nsec">;

interface TimeField {
  /** Moves a body's time into its record; false when the whole line counts as not parsed. */
  take(body: Body, record: LogRecord): boolean;
  /** Reads a time; false when it does not fit the format. */
  read(text: string, into: Time): boolean;
  frameOf: TimeReader["frameOf"];
}

function compileTime(
  options: ParserOptions,
  { log, nowSec }: LineParserContext,
): TimeField | undefined {
  const { name, time_key: key, time_format: timeFormat, time_keep: keep } = options;
  if (timeFormat === undefined || timeFormat === "") return undefined;
  const time = compileStrptime(timeFormat, {
    offsetSec: options.time_offset,
    zone: options.time_zone,
    systemZone: options.time_system_timezone ? systemZone() : undefined,
    strict: options.time_strict,
    nowSec,
  });
  if (time.unknown !== undefined) {
    log.warn(
      `time_format ${JSON.stringify(timeFormat)} can never match: ${time.unknown} is unknown`,
      {
        parser: name,
      },
    );
  }
  const complain = (value: string): void =>
    log.warn(`cannot read the time of a record: it does not fit ${JSON.stringify(timeFormat)}`, {
      parser: name,
      time: value.slice(0, 64),
    });
  const { onMisfit, emptyFits } = MISFITS[options.format.toLowerCase()] ?? MISFITS["json"]!;
  const take = (body: Body, record: LogRecord): boolean => {
    const value = body[key];
    if (typeof value !== "string" || (value === "" && emptyFits)) return true;
    if (readInto(record, time, value)) {
      if (!keep) delete body[key];
    } else {
      complain(value);
      if (onMisfit === "refuse the line") return false;
      if (onMisfit === "drop the field") delete body[key];
    }
    // A line of nothing but its time is no record to these formats.
    return onMisfit !== "refuse the line" || keep || !isEmpty(body);
  };
  return {
    take,
    read: (text, into) => readInto(into, time, text),
    frameOf: (text) => time.frameOf(text),
  };
}

/** What becomes of a time that does not fit differs by format, as in Fluent Bit. */
const MISFITS: Readonly<
  Record<
    string,
    { onMisfit: "keep the field" | "drop the field" | "refuse the line"; emptyFits: boolean }
  >
> = {
  json: { onMisfit: "keep the field", emptyFits: false },
  regex: { onMisfit: "drop the field", emptyFits: false },
  logfmt: { onMisfit: "refuse the line", emptyFits: true },
  ltsv: { onMisfit: "refuse the line", emptyFits: true },
};

function readInto(record: Time, time: TimeReader, text: string): boolean {
  if (!time.read(text)) return false;
  // The start of the epoch is the time of a clock that was never set: it counts as none.
  if (time.sec === 0 && time.nsec === 0) return true;
  record.sec = time.sec;
  record.nsec = time.nsec;
  return true;
}

function isEmpty(body: Body): boolean {
  for (const _ in body) return false;
  return true;
}
