import {
  type Batch,
  jsonEncoder,
  lineFrame,
  type Logger,
  type LogRecord,
  msgpackEncoder,
  type Payload,
  quoteLines,
  stringifyJsonLines,
} from "logcollector/plugin";
import { compileBraces } from "./brace-template.ts";
import type { FileConfig } from "./config.ts";
import { csvFormat, ltsvLine } from "./delimited.ts";
import { delimiters } from "./delimiters.ts";
import { type RecordFormat, timeText } from "./record-format.ts";

export function recordFormat(config: FileConfig, log: Logger): RecordFormat {
  const ignored = (reason: string) => log.warn(reason);
  switch (config.format) {
    case "out_file":
      return { encode: (batch, into) => into.text(taggedLines(batch), batch.length), finish };
    case "plain": {
      const encoder = jsonEncoder({ format: "json_lines", dateKey: false, metadata: false });
      return { encode: (batch, into) => encoder.encode(batch, into), finish };
    }
    case "template":
      return linesOf(compileBraces(config.template));
    case "ltsv":
      return linesOf(ltsvLine(delimiters(config, "ltsv", ignored)));
    case "csv":
      return csvFormat(delimiters(config, "csv", ignored), config.csv_column_names);
    case "msgpack": {
      const events = msgpackEncoder({ metadata: "always" });
      return { encode: (batch, into) => into.bytes(events.encode(batch), batch.length), finish };
    }
  }
}

const finish = (payload: Payload): Uint8Array => payload.bytes;

/** A format that makes the text of each record, with its newline, by itself. */
function linesOf(line: (record: LogRecord) => string): RecordFormat {
  return {
    encode(batch, into) {
      let text = "";
      for (const record of batch.records) text += line(record);
      into.text(text, batch.length);
    },
    finish,
  };
}

/** `tag: [seconds.nanoseconds, {json}]` */
function taggedLines(batch: Batch): string {
  const { raw, tag } = batch;
  if (raw !== undefined && raw.count > 0) {
    const frame = lineFrame(raw.extra, raw.key);
    if (frame !== undefined) {
      const before = `${tag}: [${timeText(raw)}, ${frame.before}`;
      const after = `${frame.after}]\n`;
      return before + quoteLines(raw, after + before) + after;
    }
  }
  const { records } = batch;
  const bodies = stringifyJsonLines(records.map((record) => record.body)).split("\n");
  let text = "";
  for (let i = 0; i < records.length; i++) {
    text += `${tag}: [${timeText(records[i]!)}, ${bodies[i]!}]\n`;
  }
  return text;
}
