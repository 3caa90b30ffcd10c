import {
  Batch,
  defineInput,
  field,
  isBody,
  LineSplitter,
  type LogRecord,
  parseJsonObject,
} from "logcollector/plugin";
import * as z from "zod";
import { JsonOrLines } from "./stdin/json-or-lines.ts";
import { readStandardInput } from "./stdin/standard-input.ts";

const config = z.object({
  parser: field.text().optional().describe(
    "Parser for each line, which leaves out what does not match; without one JSON objects are taken as they are, and other lines as `log`",
  ),
  buffer_size: field.size({ min: 16 }).default(1_000_000).describe(
    "Longest line or JSON object; a longer line comes in pieces",
  ),
  exit_on_eof: field.bool().default(true).describe(
    "Stops the collector at the end of the standard input",
  ),
});

export default defineInput({
  name: "stdin",
  summary: "Reads JSON objects or lines from the standard input, to its end",
  config,
  create(options, ctx) {
    const parser = options.parser === undefined ? undefined : ctx.parser(options.parser);
    if (options.exit_on_eof) ctx.stopWhenDone();
    const lines = new LineSplitter(options.buffer_size);
    const values = new JsonOrLines(options.buffer_size);

    const unparsed = ctx.metrics.counter(
      "input_unparsed_lines_total",
      "Number of lines that the parser did not take",
    );

    const toRecords = (texts: readonly string[], sec: number, nsec: number): LogRecord[] => {
      if (parser === undefined) return texts.map((text) => unparsedRecord(text, sec, nsec));
      return texts.flatMap((text) => {
        const record = parser.parse(text, sec, nsec);
        if (record !== null) return [record];
        unparsed.value++;
        ctx.log.error(`Parser ${parser.name} does not take a line of the standard input`);
        return [];
      });
    };

    const emit = (texts: readonly string[], bytes: number): Promise<void> | undefined => {
      if (texts.length === 0) return undefined;
      const { sec, nsec } = ctx.clock.wall();
      const records = toRecords(texts, sec, nsec);
      return records.length === 0 ? undefined : ctx.emit(Batch.of(ctx.tag, records, { bytes }));
    };

    return {
      async run(signal) {
        for (;;) {
          const value = await readStandardInput(signal);
          if (value === undefined) break;
          const found = lines.push(value);
          await emit(parser === undefined ? values.push(found) : found, value.length);
        }
        const last = lines.flush();
        await emit(parser === undefined ? [...values.push(last), ...values.flush()] : last, 0);
      },
    };
  },
});

/** A record without a parser: a JSON one as it is, any other text as `log`. */
function unparsedRecord(text: string, sec: number, nsec: number): LogRecord {
  return jsonRecord(text, sec, nsec) ?? { sec, nsec, body: { log: text } };
}

/** `{…}`, or `[time, {…}]` or `[[time, {metadata}], {…}]` as other collectors print records. */
function jsonRecord(text: string, sec: number, nsec: number): LogRecord | undefined {
  if (text.startsWith("{")) {
    const body = parseJsonObject(text);
    return body === null ? undefined : { sec, nsec, body };
  }
  if (!text.startsWith("[")) return undefined;
  try {
    const [head, body] = JSON.parse(text);
    const [time, metadata] = Array.isArray(head) ? head : [head];
    if (typeof time !== "number" || !isBody(body)) return undefined;
    // The object reader bounds the depth; a value that is nested deeper stays a line.
    if (parseJsonObject(JSON.stringify(body)) === null) return undefined;
    const whole = Math.floor(time);
    const nanos = Math.min(Math.round((time - whole) * 1e9), 999_999_999);
    return { sec: whole, nsec: nanos, body, ...(isBody(metadata) && { metadata }) };
  } catch {
    return undefined;
  }
}
