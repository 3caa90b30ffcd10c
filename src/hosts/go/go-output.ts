import type { OutputContext } from "../../sdk/context.ts";
import type { EncodedOutput } from "../../sdk/define.ts";
import { PermanentError } from "../../sdk/errors.ts";
import type { Preparable } from "../../sdk/preparable.ts";
import { encodeEvents, EVENTS_FORMAT } from "./encode-events.ts";
import type { GoHost } from "./go-host.ts";
import { ASK, CODE } from "./protocol.ts";

/** An output whose plugin lives in a process of its own. One payload holds the records of one tag. */
export function goOutput(
  host: GoHost,
  ctx: OutputContext,
  options: Readonly<Record<string, string>>,
): EncodedOutput & Preparable {
  const instance = { ctx, options };
  host.add(instance);
  return {
    format: EVENTS_FORMAT,
    prepare: () => host.prepare(instance),
    encode(batch, into) {
      into.partition(batch.tag);
      into.bytes(encodeEvents(batch), batch.length);
    },
    async send(payload, signal) {
      const { body } = await host.call(
        instance,
        ASK.flush,
        [tagFrame(payload.partition), payload.bytes],
        { signal },
      );
      const code = body.readInt32LE(0);
      if (code === CODE.ok) return;
      if (code === CODE.retry) throw new Error("the plugin asks to try again (FLB_RETRY)");
      throw new PermanentError(
        code === CODE.error
          ? "the plugin refuses them (FLB_ERROR)"
          : `the plugin returned ${code}, which is no code of Fluent Bit's`,
      );
    },
    close: () => host.close(instance),
  };
}

/** A tag as C reads it, with its length in front for the host. */
function tagFrame(tag: string): Buffer {
  const text = Buffer.from(`${tag}\0`);
  const frame = Buffer.alloc(4 + text.length);
  frame.writeUInt32LE(text.length - 1, 0);
  text.copy(frame, 4);
  return frame;
}
