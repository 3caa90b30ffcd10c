import { compileStrptime, type TimeReader } from "../lib/strptime.ts";
import { systemZone } from "../lib/time-zone.ts";
import type { LineParser, Logger } from "../sdk/context.ts";
import type { Parser } from "../sdk/define.ts";
import type { Body, LogRecord } from "../sdk/record.ts";
import { compileDecoders, type DecoderStep } from "./decoders.ts";
import { compileTypes } from "./field-types.ts";
import type { ParserOptions } from "./parser-schema.ts";

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
  const formatName = options.format.toLowerCase();
  const takeTime = compileTime(options, context);
  const types = formatName === "json" ? undefined : compileTypes(options.types);
  const decode = compileDecoders(decoderSteps(options));
  // JSON's time may come out of a decoded field; elsewhere the time is a field of the line itself.
  const decodeFirst = formatName === "json" ? decode : undefined;
  const decodeLast = formatName === "json" ? undefined : decode;
  if (takeTime === undefined && types === undefined && decode === undefined) {
    return {
      name,
      parse(line, sec, nsec) {
        const body = format.parse(line);
        return body === null ? null : { sec, nsec, body };
      },
    };
  }
  return {
    name,
    parse(line, sec, nsec) {
      const body = format.parse(line);
      if (body === null) return null;
      const record: LogRecord = { sec, nsec, body };
      decodeFirst?.(body);
      if (takeTime !== undefined && !takeTime(body, record)) return null;
      types?.(body);
      decodeLast?.(body);
      return record;
    },
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

/** Moves a body's time into its record; false when the whole line counts as not parsed. */
type TakeTime = (body: Body, record: LogRecord) => boolean;

function compileTime(
  options: ParserOptions,
  { log, nowSec }: LineParserContext,
): TakeTime | undefined {
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
  return (body, record) => {
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

function readInto(record: LogRecord, time: TimeReader, text: string): boolean {
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
