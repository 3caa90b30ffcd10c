import {
  Batch,
  type Body,
  type EncodedOutput,
  type LogRecord,
  type OutputDefinition,
  type Payload,
} from "logcollector/plugin";
import { isEncodedOutput } from "../../../src/sdk/define.ts";
import { Accumulator } from "../../../src/buffer/accumulator.ts";
import type { QueuedPayload } from "../../../src/buffer/queued-payload.ts";
import { encodeForSimpleOutput } from "../../../src/engine/simple-output.ts";
import { type TestContext, testContext } from "../../support/context.ts";

/** One output, driven as the engine drives it but step by step. */
export interface OutputDriver {
  readonly output: EncodedOutput;
  readonly ctx: TestContext;
  readonly drops: { records: number; reason: string }[];
  /** Encodes batches and finishes what is open: the payloads that would be sent. */
  encode(...batches: Batch[]): Promise<QueuedPayload[]>;
  send(payload: Payload, signal?: AbortSignal): Promise<void>;
  /** Encodes and sends. */
  write(...batches: Batch[]): Promise<void>;
  /** The bytes of the payloads as text. */
  text(...batches: Batch[]): Promise<string>;
}

export function driveOutput(
  definition: OutputDefinition,
  options: Record<string, unknown> = {},
  overrides: Partial<TestContext> = {},
): OutputDriver {
  const ctx = testContext(overrides);
  const created = definition.create(definition.config.parse(options), ctx);
  const output = isEncodedOutput(created) ? created : encodeForSimpleOutput(created);
  const drops: { records: number; reason: string }[] = [];
  const driver: OutputDriver = {
    output,
    ctx,
    drops,
    async encode(...batches) {
      const full: QueuedPayload[] = [];
      const accumulator = new Accumulator({
        framing: output.framing ?? {},
        maxBytes: 1 << 20,
        maxPartitions: 100,
        onFull: (payload) => full.push(payload),
        onDrop: (records, reason) => drops.push({ records, reason }),
      });
      for (const batch of batches) {
        accumulator.begin({
          source: "in.0",
          unlogged() {},
          hold() {},
          release() {},
          logged() {},
          releaseLogged() {},
          claim: () => undefined,
        });
        output.encode(batch, accumulator);
      }
      accumulator.flush();
      for (const payload of full) {
        payload.bytes = await output.seal?.(payload.bytes) ?? payload.bytes;
      }
      return full;
    },
    send: (payload, signal = new AbortController().signal) => output.send(payload, signal),
    async write(...batches) {
      for (const payload of await driver.encode(...batches)) await driver.send(payload);
    },
    async text(...batches) {
      const payloads = await driver.encode(...batches);
      return payloads.map(({ bytes }) => Buffer.from(bytes).toString()).join("");
    },
  };
  return driver;
}

/** A batch of bodies, all at 1,700,000,000.123456789. */
export function bodies(...list: Body[]): Batch {
  return Batch.of("app.web", list.map(record));
}

export function record(body: Body): LogRecord {
  return { sec: 1_700_000_000, nsec: 123_456_789, body };
}

/** A batch of raw lines at the same time. */
export function lines(...list: string[]): Batch {
  return Batch.ofLines("app.web", {
    key: "log",
    lines: list,
    sec: 1_700_000_000,
    nsec: 123_456_789,
  });
}
