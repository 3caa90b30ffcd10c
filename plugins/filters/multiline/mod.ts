import { ConfigError, defineFilter, field, type Filter } from "logcollector/plugin";
import * as z from "zod";
import { createParserMode } from "./parser-mode.ts";
import { createPartialMode } from "./partial-mode.ts";

const config = z.object({
  mode: field.oneOf("parser", "partial_message").default("parser").describe(
    "parser: join by multiline parsers; partial_message: join the parts that Docker's fluentd driver marks",
  ),
  "multiline.parser": field.repeated(field.list()).default([]).describe(
    "Multiline parsers to try, by name; the first that takes a line counts",
  ),
  "multiline.key_content": field.text().optional().describe("Field that holds the text to join"),
  buffer: field.bool().default(true).describe(
    "Wait for lines of later batches; off joins only what arrives in one batch",
  ),
  flush_ms: field.duration("ms").default(2000).describe(
    "How long a record waits for its next line",
  ),
  debug_flush: field.bool().default(false).describe("Accepted for compatibility: it does nothing"),
  emitter_name: field.text().optional()
    .describe("Accepted for compatibility: joined records need no emitter here"),
  "emitter_storage.type": field.oneOf("memory", "filesystem").default("memory")
    .describe("Accepted for compatibility: waiting records are held as their batch is"),
  emitter_mem_buf_limit: field.size().default(10_000_000)
    .describe("Accepted for compatibility: waiting records are not queued"),
});

export default defineFilter({
  name: "multiline",
  summary: "Joins records that are lines of one message, such as a stack trace.",
  config,
  create(options, ctx): Filter {
    const key = options["multiline.key_content"];
    if (options.mode === "partial_message") {
      if (key === undefined) {
        throw new ConfigError(
          "mode partial_message needs multiline.key_content",
          "multiline.key_content",
        );
      }
      return createPartialMode(key, options.flush_ms, ctx);
    }
    const parsers = options["multiline.parser"].flat();
    if (parsers.length === 0) {
      throw new ConfigError("mode parser needs a multiline.parser", "multiline.parser");
    }
    const { buffer, flush_ms: flushMs } = options;
    return createParserMode(ctx.multiline(parsers), { keyContent: key, buffer, flushMs }, ctx);
  },
});
