import { randomBytes } from "node:crypto";
import { MsgpackWriter, type Payload } from "logcollector/plugin";
import type { ForwardConfig } from "./config.ts";

/** Bytes of one message to the server, of which the middle part is the payload itself. */
export interface Message {
  readonly parts: readonly [head: Uint8Array, events: Uint8Array, options: Uint8Array];
  /** What the acknowledgement must name; `undefined` when none is asked for. */
  readonly chunk: string | undefined;
}

/** What Fluent Bit calls logs, as opposed to metrics and traces. */
const SIGNAL_LOGS = 0;

/**
 * Compiles how a payload is wrapped: `[tag, events, options?]`, the events an array (Forward mode), or binary data
 * when they are compressed (CompressedPackedForward mode).
 */
export function messageMaker(
  config: ForwardConfig,
): (payload: Payload) => Message {
  const { compress } = config;
  const extra = Object.fromEntries(config.add_option);
  const hasOptions = config.send_options || config.require_ack_response ||
    compress !== undefined || config.add_option.length > 0;
  const writer = new MsgpackWriter();

  return ({ bytes, records, partition }) => {
    // Another one each time, which cannot be guessed: an answer over one connection says nothing about another.
    const chunk = config.require_ack_response ? randomBytes(16).toString("base64") : undefined;
    writer.clear();
    writer.arrayHead(hasOptions ? 3 : 2);
    writer.text(partition);
    if (compress === undefined) writer.arrayHead(records);
    else writer.binaryHead(bytes.length);
    const headEnd = writer.length;
    if (hasOptions) {
      writer.map({
        ...(chunk !== undefined && { chunk }),
        size: records,
        ...(compress !== undefined && { compressed: compress }),
        fluent_signal: SIGNAL_LOGS,
        ...extra,
      });
    }
    // What is on its way must not change: the writer is used again for the next message.
    const own = Buffer.from(writer.written);
    return { parts: [own.subarray(0, headEnd), bytes, own.subarray(headEnd)], chunk };
  };
}
