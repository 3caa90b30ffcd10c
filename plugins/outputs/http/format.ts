import {
  type Batch,
  type Framing,
  jsonEncoder,
  type Logger,
  msgpackEncoder,
  type PayloadWriter,
  stringifyJsonLines,
} from "logcollector/plugin";
import type { HttpConfig } from "./config.ts";
import { gelfMessage } from "./gelf.ts";

/** How records become the body of a request. */
export interface BodyFormat {
  readonly contentType: string;
  readonly framing: Framing;
  encode(batch: Batch, into: PayloadWriter): void;
}

export function bodyFormat(config: HttpConfig, log: Logger): BodyFormat {
  if (config.format === "gelf") return gelfFormat(config, log);
  if (config.format === "msgpack") {
    const events = msgpackEncoder({ metadata: "always" });
    return {
      contentType: "application/msgpack",
      framing: {},
      encode: (batch, into) => into.bytes(events.encode(batch), batch.length),
    };
  }
  const encoder = jsonEncoder({
    format: config.format,
    dateKey: config.json_date_key,
    dateFormat: config.json_date_format,
  });
  return {
    contentType: config.format === "json_lines" ? "application/x-ndjson" : "application/json",
    framing: encoder.framing,
    encode: (batch, into) => encoder.encode(batch, into),
  };
}

/** One message a line. A record that GELF has no place for is dropped alone. */
function gelfFormat(config: HttpConfig, log: Logger): BodyFormat {
  const messageOf = gelfMessage(config);
  return {
    contentType: "application/json",
    framing: {},
    encode(batch, into) {
      const messages = [];
      for (const record of batch.records) {
        try {
          messages.push(messageOf(record));
        } catch (error) {
          log.error((error as Error).message);
        }
      }
      const dropped = batch.length - messages.length;
      if (dropped > 0) into.drop(dropped, "gelf");
      if (messages.length > 0) into.text(`${stringifyJsonLines(messages)}\n`, messages.length);
    },
  };
}
