import { Batch } from "../../sdk/batch.ts";
import type { InputContext } from "../../sdk/context.ts";
import type { Input } from "../../sdk/define.ts";
import type { Preparable } from "../../sdk/preparable.ts";
import type { LogRecord } from "../../sdk/record.ts";
import { decodeEvents } from "./decode-events.ts";
import type { GoHost } from "./go-host.ts";
import { ASK } from "./protocol.ts";

/** From one call of the plugin to the next, as in Fluent Bit. */
const POLL_MS = 1000;
const BATCH_RECORDS = 1000;
/** How long a call that is under way when the input stops may take to hand over what it has. */
const LAST_CALL_MS = 1000;

/** An input whose plugin lives in a process of its own, and is asked for records every second. */
export function goInput(
  host: GoHost,
  ctx: InputContext,
  options: Readonly<Record<string, string>>,
): Input & Preparable {
  const instance = { ctx, options };
  host.add(instance);
  const undecodable = ctx.metrics.counter(
    "go_plugin_undecodable_bytes_total",
    "Bytes of a Go input that are no records",
  );

  async function emit(data: Uint8Array): Promise<void> {
    const { records, read, problem } = decodeEvents(data);
    for (let at = 0; at < records.length; at += BATCH_RECORDS) {
      const some = records.slice(at, at + BATCH_RECORDS);
      await ctx.emit(batchOf(some, data.length * some.length / records.length));
      await ctx.breathe();
    }
    if (problem === undefined) return;
    undecodable.value += data.length - read;
    ctx.log.error(`Dropped ${data.length - read} bytes that the plugin returned: ${problem}`, {
      reason: "undecodable",
    });
  }

  const batchOf = (records: LogRecord[], bytes: number) =>
    Batch.of(ctx.tag, records, { bytes: Math.round(bytes) });

  return {
    prepare: () => host.prepare(instance),
    async run(signal) {
      while (!signal.aborted) {
        const startedMs = ctx.clock.nowMs();
        // Not cut off by the stop: what the plugin hands over is nowhere else any more.
        const answer = host.call(instance, ASK.collect, [], { mayWait: true });
        const data = await orLastCall(answer, signal, ctx);
        if (data === undefined) return;
        if (data.length > 0) await emit(data);
        const passedMs = ctx.clock.nowMs() - startedMs;
        await ctx.clock.sleep(Math.max(0, POLL_MS - passedMs), signal);
      }
    },
    close: () => host.close(instance),
  };
}

/** The answer's data; `undefined` when it does not come within a moment after the stop. */
async function orLastCall(
  answer: Promise<{ readonly body: Uint8Array }>,
  signal: AbortSignal,
  { clock }: InputContext,
): Promise<Uint8Array | undefined> {
  const settled = new AbortController();
  const late = new Promise<undefined>((resolve) => {
    const wait = () =>
      void clock.sleep(LAST_CALL_MS, settled.signal).then(() => resolve(undefined));
    if (signal.aborted) wait();
    else signal.addEventListener("abort", wait, { once: true, signal: settled.signal });
  });
  try {
    return (await Promise.race([answer, late]))?.body;
  } finally {
    settled.abort();
    answer.catch(() => undefined);
  }
}
