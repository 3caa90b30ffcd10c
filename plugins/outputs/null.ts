import { defineOutput, field, jsonDateFields, jsonEncoder } from "logcollector/plugin";
import * as z from "zod";

const NOTHING = new Uint8Array();
const NOWHERE = { text() {}, bytes() {} };

export default defineOutput({
  name: "null",
  summary: "Throws records away, and counts them.",
  config: z.object({
    format: field.oneOf("msgpack", "json", "json_lines", "json_stream").default("msgpack")
      .describe("Format to encode to before throwing away, to measure what that costs."),
    ...jsonDateFields,
  }),
  create(config) {
    const encoder = config.format === "msgpack" ? undefined : jsonEncoder({
      format: config.format,
      dateKey: config.json_date_key,
      dateFormat: config.json_date_format,
    });
    return {
      encode(batch, into) {
        encoder?.encode(batch, NOWHERE);
        into.bytes(NOTHING, batch.length);
      },
      async send() {},
    };
  },
});
