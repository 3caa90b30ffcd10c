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

const config = z.object({
  parser: field.text().optional().describe(
    "Parser for each line; without one JSON objects are taken as they are, and other lines as `log`",
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

    const toRecord = (text: string, sec: number, nsec: number): LogRecord =>
      parser?.parse(text, sec, nsec) ?? jsonRecord(text, sec, nsec, parser !== undefined) ??
        { sec, nsec, body: { log: text } };

    const emit = (texts: readonly string[], bytes: number): Promise<void> | undefined => {
      if (texts.length === 0) return undefined;
      const { sec, nsec } = ctx.clock.wall();
      const records = texts.map((text) => toRecord(text, sec, nsec));
      return ctx.emit(Batch.of(ctx.tag, records, { bytes }));
    };

    return {
      async run(signal) {
        const reader = Bun.stdin.stream().getReader();
        const stop = () => void reader.cancel().catch(() => undefined);
        signal.addEventListener("abort", stop, { once: true });
        for (;;) {
          const { done, value } = await reader.read();
          if (done) break;
          const found = lines.push(value);
          await emit(parser === undefined ? values.push(found) : found, value.length);
        }
        const last = lines.flush();
        await emit(parser === undefined ? [...values.push(last), ...values.flush()] : last, 0);
      },
    };
  },
});

/** `{…}`, or `[time, {…}]` as other collectors print records. */
function jsonRecord(
  text: string,
  sec: number,
  nsec: number,
  hasParser: boolean,
): LogRecord | undefined {
  if (hasParser) return undefined;
  if (text.startsWith("{")) {
    const body = parseJsonObject(text);
    return body === null ? undefined : { sec, nsec, body };
  }
  if (!text.startsWith("[")) return undefined;
  try {
    const [time, body] = JSON.parse(text);
    if (typeof time !== "number" || !isBody(body)) return undefined;
    const whole = Math.floor(time);
    return { sec: whole, nsec: Math.round((time - whole) * 1e9), body };
  } catch {
    return undefined;
  }
}
