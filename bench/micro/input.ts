import json from "../../plugins/parsers/json.ts";
import regex from "../../plugins/parsers/regex.ts";
import { createLineParser } from "../../src/loader/line-parser.ts";
import { parserSchema } from "../../src/loader/parser-schema.ts";
import type { LineBlock, LineParser } from "../../src/sdk/context.ts";
import { type LineKind, lineMaker } from "../generate.ts";

/** A block as the tail reads it: whole lines, about 64 KiB. */
export interface InputBlock {
  readonly lines: readonly string[];
  /** With a line feed behind each. */
  readonly bytes: Buffer;
}

const BLOCK_BYTES = 64 * 1024;

/** Not the time of any line: of one that is a second old at most, a reader learns less. */
export const NOW = { sec: 1_767_700_000, nsec: 0 };
const log = { warn() {}, error() {}, info() {}, debug() {} };

export function blockOf(kind: LineKind): InputBlock {
  const make = lineMaker(kind, 42);
  const lines: string[] = [];
  for (let bytes = 0;;) {
    const line = make(lines.length);
    bytes += Buffer.byteLength(line) + 1;
    if (bytes > BLOCK_BYTES) break;
    lines.push(line);
  }
  return { lines, bytes: Buffer.from(lines.map((line) => `${line}\n`).join("")) };
}

/** What a parser's `readJson` is given. */
export function lineBlock({ bytes }: InputBlock): LineBlock {
  return { bytes, ...NOW, unparsed: (log) => ({ log }), onRecords() {} };
}

export const TIME_FORMAT = "%Y-%m-%dT%H:%M:%S.%LZ";

export function jsonParser(): LineParser {
  return createLineParser(
    json.create({}, { id: "json", log }),
    parserSchema.parse({
      name: "json",
      format: "json",
      time_key: "time",
      time_format: TIME_FORMAT,
    }),
    { log, nowSec: () => NOW.sec },
  );
}

export const APACHE_REGEX =
  '^(?<host>[^ ]*) [^ ]* (?<user>[^ ]*) \\[(?<time>[^\\]]*)\\] "(?<method>\\S+)(?: +(?<path>[^ ]*) +\\S*)?" (?<code>[^ ]*) (?<size>[^ ]*)(?: "(?<referer>[^\\"]*)" "(?<agent>.*)")?$';

export function apacheParser(): LineParser {
  const options = {
    name: "apache",
    format: "regex",
    regex: APACHE_REGEX,
    time_key: "time",
    time_format: "%d/%b/%Y:%H:%M:%S %z",
  };
  return createLineParser(
    regex.create(regex.config.parse({ regex: APACHE_REGEX }), { id: "regex", log }),
    parserSchema.parse(options),
    { log, nowSec: () => NOW.sec },
  );
}
