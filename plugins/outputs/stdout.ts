import {
  defineOutput,
  escapeControls,
  field,
  formatRecordText,
  jsonDateFields,
  jsonEncoder,
} from "logcollector/plugin";
import * as z from "zod";
import { StandardOutput } from "./stdout/standard-output.ts";

export default defineOutput({
  name: "stdout",
  alone: true,
  summary: "Prints records on the standard output.",
  config: z.object({
    format: field.oneOf("msgpack", "json", "json_lines", "json_stream").default("msgpack")
      .describe("msgpack is a readable form of a record with its tag, time and metadata."),
    ...jsonDateFields,
  }),
  create(config) {
    const stdout = new StandardOutput(process.stdout);
    if (config.format === "msgpack") {
      return {
        // The numbers count within what is printed at once, so they can only be given here.
        async write(batch) {
          const lines = batch.records.map((record, i) => formatRecordText(i, batch.tag, record));
          const text = `${lines.join("\n")}\n`;
          await stdout.write(stdout.isTerminal ? escapeControls(text) : text);
        },
      };
    }
    const encoder = jsonEncoder({
      format: config.format,
      dateKey: config.json_date_key,
      dateFormat: config.json_date_format,
    });
    const newline = config.format === "json_lines" ? "" : "\n";
    return {
      format: config.format,
      framing: { ...encoder.framing, suffix: (encoder.framing.suffix ?? "") + newline },
      encode: (batch, into) => encoder.encode(batch, into),
      send: (payload) => stdout.write(payload.bytes),
    };
  },
});
