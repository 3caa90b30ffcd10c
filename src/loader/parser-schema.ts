import * as z from "zod";
import logfmt from "../../plugins/parsers/logfmt.ts";
import regex from "../../plugins/parsers/regex.ts";
import { ianaZone } from "../lib/time-zone.ts";
import * as field from "../sdk/fields.ts";
import { parseDecoderRule } from "./decoders.ts";
import { parseUtcOffset } from "./utc-offset.ts";

/** The options of an entry of `parsers`: those of all formats, and what the collector does around them. */
export const parserSchema = z.object({
  name: field.text().describe("Name that inputs and filters refer to"),
  format: field.text().describe(
    "json, regex, logfmt, ltsv, or a format that a plugin of yours adds",
  ),
  ...regex.config.shape,
  ...logfmt.config.shape,
  time_key: field.text().default("time").describe("Field that holds the time of the record"),
  time_format: field.text().optional().describe(
    "strptime format of that field, with %L for a fraction; without it the field is left alone",
  ),
  time_keep: field.bool().default(false).describe("Keep the field after its time was read"),
  time_offset: field.custom("offset", parseUtcOffset).optional().describe(
    "Offset from UTC of times that name no zone, such as +0200",
  ),
  time_zone: field.custom("zone", (name) => name === "" ? undefined : ianaZone(name)).optional()
    .describe("Zone of times that name none, such as Europe/Berlin; daylight saving is applied"),
  time_system_timezone: field.bool().default(false).describe(
    "Take times as in this machine's zone, whatever zone they name",
  ),
  time_strict: field.bool().default(true).describe(
    "Refuse a time that does not fit the format, instead of taking what could be read",
  ),
  decode_field: field.repeated(field.custom("DECODER FIELD ACTION", parseDecoderRule)).optional()
    .describe(
      "Decode the text of a field and add the fields found to the record: `json log`; decoders are " +
        "json, escaped, escaped_utf8, mysql_quoted; the action is try_next, do_next or left out",
    ),
  decode_field_as: field.repeated(field.custom("DECODER FIELD ACTION", parseDecoderRule)).optional()
    .describe(
      "Decode the text of a field and put the result in its place: `escaped_utf8 log do_next`",
    ),
}).superRefine((options, check) => {
  const refuse = (option: string, message: string): void =>
    check.addIssue({ code: "custom", path: [option], message });
  if (options.format.toLowerCase() === "regex" && options.regex === undefined) {
    refuse("regex", 'a parser of format "regex" needs a regex');
  }
  if (options.time_zone === undefined) return;
  if (options.time_format === undefined) refuse("time_zone", "time_zone needs time_format");
  if (options.time_offset !== undefined) {
    refuse("time_zone", "give time_zone or time_offset, not both");
  }
  if (options.time_system_timezone) {
    refuse("time_zone", "give time_zone or time_system_timezone, not both");
  }
});

export type ParserOptions = z.output<typeof parserSchema>;
