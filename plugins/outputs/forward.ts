import { hostname } from "node:os";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { type Batch, defineOutput, type LogRecord, msgpackEncoder } from "logcollector/plugin";
import * as z from "zod";
import {
  checkOptions,
  credentialsOf,
  eventForm,
  forwardFields,
  payloadForm,
} from "./forward/config.ts";
import { Connections } from "./forward/connections.ts";
import { dialer } from "./forward/dial.ts";
import { messageMaker } from "./forward/message.ts";

export default defineOutput({
  name: "forward",
  summary:
    "Sends records to Fluentd, Fluent Bit or another server that speaks the Forward protocol.",
  config: z.object(forwardFields),
  create(config, ctx) {
    checkOptions(config);
    const ignored = ctx.metrics.counter(
      "output_forward_ignored_messages_total",
      "Messages of the server that nobody asked for, such as a second acknowledgement",
    );
    const dial = dialer(config);
    const connections = new Connections({
      dial,
      credentials: credentialsOf(config, hostname()),
      clock: ctx.clock,
      connectMs: config["net.connect_timeout"],
      answerMs: config.ack_response_timeout || config["net.io_timeout"],
      onIgnored() {
        ignored.value++;
        ctx.log.debug(`Ignored a message of ${dial.target} that nobody asked for`);
      },
      onLoginWanted() {
        if (config.require_ack_response) return;
        ctx.log.error(
          `The server ${dial.target} demands a login, and throws away what was sent before: set shared_key`,
        );
      },
    }, config);
    const encoder = msgpackEncoder(eventForm(config));
    const messageOf = messageMaker(config);
    const { tag, compress } = config;

    return {
      format: payloadForm(config),
      encode(batch, into) {
        for (const part of tag?.readsRecord ? byTag(batch, tag.render) : [batch]) {
          if (part.length === 0) continue;
          // An empty tag is none.
          into.partition((part === batch && tag?.render({}, batch.tag)) || part.tag);
          into.bytes(encoder.encode(part), part.length);
        }
      },
      ...(compress && { seal: (bytes: Uint8Array) => promisify(gzip)(bytes, { level: 1 }) }),
      async send(payload, signal) {
        try {
          await connections.deliver(() => messageOf(payload), signal);
        } catch (cause) {
          throw new Error(`Cannot send to ${dial.target}: ${(cause as Error).message}`, { cause });
        }
      },
      close: () => connections.close(),
    };
  },
});

/** The records under the tags that they are sent with. */
function byTag(
  batch: Batch,
  render: (body: LogRecord["body"], tag: string) => string,
): Iterable<Batch> {
  const groups = new Map<string, LogRecord[]>();
  for (const record of batch.records) {
    const tag = render(record.body, batch.tag) || batch.tag;
    const group = groups.get(tag);
    if (group === undefined) groups.set(tag, [record]);
    else group.push(record);
  }
  return [...groups].map(([tag, records]) => batch.retag(tag, records));
}
