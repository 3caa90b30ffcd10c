import type { Batch } from "../sdk/batch.ts";
import {
  type EncodedOutput,
  isEncodedOutput,
  type Output,
  type OutputDefinition,
} from "../sdk/define.ts";
import type { Payload } from "../sdk/payload.ts";
import type { Body } from "../sdk/record.ts";
import { deliver, type DeliverOptions, type Delivery, type Job } from "./deliver.ts";
import { inTime } from "./deadline.ts";
import { type Options, readOptions } from "./options.ts";
import { type Drop, PayloadBuilder } from "./payload-builder.ts";
import { closePlugin, makeBench, type PluginTest, type TestSettings } from "./plugin-test.ts";
import { batchOf, copyRecords, type FeedOptions } from "./records.ts";

/** An output under test. */
export interface OutputTest extends PluginTest {
  /** What `create` returned. */
  readonly output: Output | EncodedOutput;
  /** The payloads that records become, sealed and ready to send. For an output with `encode`. */
  encode(bodies: readonly Body[], options?: FeedOptions): Promise<Payload[]>;
  /** The same as text: what would be sent, payload after payload. */
  text(bodies: readonly Body[], options?: FeedOptions): Promise<string>;
  /** Encodes one batch. */
  encodeBatch(batch: Batch): Promise<Payload[]>;
  /** Records that `encode` left out, by the reason it gave. */
  readonly drops: readonly Drop[];
  /**
   * Delivers records with one attempt, opening the output before the first; throws what the output throws.
   */
  write(
    bodies: readonly Body[],
    options?: FeedOptions & { readonly signal?: AbortSignal },
  ): Promise<void>;
  /**
   * Delivers records as the collector does: tries again after a pause, as long as the class of the error allows it.
   * The pauses pass on the {@link FakeClock}, at once.
   */
  deliver(bodies: readonly Body[], options?: FeedOptions & DeliverOptions): Promise<Delivery>;
}

export interface OutputSettings extends TestSettings {
  /** The configured `match`, `*` by default. */
  readonly match?: string;
}

/**
 * Makes an output from options as a configuration gives them. Throws ConfigError for options that the collector
 * would refuse.
 *
 * ```ts
 * await using sink = await HttpSink.listen();
 * await using output = testOutput(chat, { url: sink.url });
 * sink.fail({ status: 429, retryAfter: 3, times: 1 });
 * expect(await output.deliver([{ message: "hi" }])).toMatchObject({ delivered: 1, attempts: 2, waitedMs: 3000 });
 * ```
 */
export function testOutput(
  definition: OutputDefinition,
  options: Options = {},
  settings: OutputSettings = {},
): OutputTest {
  const bench = makeBench(definition, settings);
  const { context } = bench;
  const output = definition.create(readOptions(definition, options), {
    ...context,
    match: settings.match ?? "*",
  });
  const drops: Drop[] = [];
  const jobs = async (batch: Batch): Promise<Job[]> =>
    isEncodedOutput(output)
      ? (await encoded(output, batch, drops)).map((payload) => sendJob(output, payload))
      : [writeJob(output, batch)];
  const encodeBatch = (batch: Batch): Promise<Payload[]> => {
    if (!isEncodedOutput(output)) {
      throw new Error(`Cannot encode with ${context.id}: it has no encode(); use write()`);
    }
    return encoded(output, batch, drops);
  };
  const encode = async (bodies: readonly Body[], options?: FeedOptions) =>
    await encodeBatch(batchOf(bodies, context.clock, options));
  const open = opener(output);
  const close = () => closePlugin(output, context.id, settings.deadlineMs);
  return {
    clock: bench.clock,
    log: bench.log,
    metrics: bench.metrics,
    output,
    drops,
    encode,
    encodeBatch,
    async text(bodies, options) {
      const payloads = await encode(bodies, options);
      return payloads.map(({ bytes }) => new TextDecoder().decode(bytes)).join("");
    },
    async write(bodies, { signal = new AbortController().signal, ...options } = {}) {
      const work = async () => {
        for (const job of await jobs(batchOf(bodies, context.clock, options))) {
          await open(signal);
          await job.attempt(job.payload, signal);
        }
      };
      await inTime(
        work(),
        `${context.id}: the delivery succeeds or fails`,
        settings.deadlineMs,
      );
    },
    async deliver(bodies, options) {
      const list = await jobs(batchOf(bodies, context.clock, options));
      return await deliver(list, open, { id: context.id, clock: bench.clock, ...options });
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function sendJob(output: EncodedOutput, payload: Payload): Job {
  return { payload, attempt: (now, signal) => output.send(now, signal) };
}

/** An output that only writes gets the records anew at every attempt, as from the collector's queue. */
function writeJob(output: Output, batch: Batch): Job {
  const kept = copyRecords(batch.records);
  const payload = {
    bytes: new Uint8Array(),
    records: kept.length,
    partition: batch.tag,
    attempt: 1,
  };
  return { payload, attempt: (_, signal) => output.write(batch.with(copyRecords(kept)), signal) };
}

async function encoded(output: EncodedOutput, batch: Batch, drops: Drop[]): Promise<Payload[]> {
  const builder = new PayloadBuilder();
  output.encode(batch, builder);
  drops.push(...builder.drops);
  const lost = batch.length - builder.counted;
  if (lost > 0) drops.push({ records: lost, reason: "not_encoded" });
  const payloads = builder.finish(output.framing);
  return await Promise.all(payloads.map(async (payload) => ({
    ...payload,
    bytes: await output.seal?.(payload.bytes) ?? payload.bytes,
  })));
}

/** Opens the output before its first delivery; a failed opening is tried again with the next. */
function opener(output: Output | EncodedOutput): (signal: AbortSignal) => Promise<void> {
  let opened: Promise<void> | undefined;
  return async (signal) => {
    opened ??= Promise.resolve(output.open?.(signal));
    await opened.catch((error) => {
      opened = undefined;
      throw error;
    });
  };
}
