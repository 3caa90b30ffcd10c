import type { Ack, Batch, Body, Input, InputDefinition, LogRecord } from "logcollector/plugin";
import { systemClock } from "../../src/lib/clock.ts";
import { eventually, inTime } from "./eventually.ts";
import { type TestContext, testContext } from "./context.ts";

export interface InputDriverOptions {
  readonly tag?: string;
  readonly ctx?: Partial<TestContext>;
  /** What `emit` returns: a wait makes the input feel a full pipeline. */
  readonly emit?: (batch: Batch) => Promise<void> | undefined;
}

/** An input that runs in this process, started through its public door, with everything it emits kept. */
export class InputDriver implements AsyncDisposable {
  readonly ctx: TestContext;
  readonly batches: Batch[] = [];
  readonly acks: Ack[] = [];
  readonly records: LogRecord[] = [];
  /** True once `run` has returned. */
  returned = false;
  stopsWhenDone = false;
  exitStatus: number | undefined;
  private readonly input: Input;
  private readonly running: Promise<void>;
  private readonly stopping = new AbortController();

  constructor(
    definition: InputDefinition,
    options: Record<string, unknown>,
    { tag = "test", ctx = {}, emit }: InputDriverOptions = {},
  ) {
    this.ctx = testContext({
      clock: systemClock as unknown as TestContext["clock"],
      tag,
      emit: (batch, ack) => {
        this.batches.push(batch);
        if (ack !== undefined) this.acks.push(ack);
        for (const record of batch.records) this.records.push(record);
        return emit?.(batch);
      },
      breathe: () => new Promise((resolve) => setImmediate(resolve)),
      stopWhenDone: () => void (this.stopsWhenDone = true),
      exitCode: (status) => void (this.exitStatus = status),
      ...ctx,
    });
    this.input = definition.create(definition.config.parse(options), this.ctx);
    this.running = this.input.run(this.stopping.signal).finally(() => void (this.returned = true));
  }

  get bodies(): Body[] {
    return this.records.map((record) => record.body);
  }

  /** One field of all records. */
  values(key = "log"): unknown[] {
    return this.records.map((record) => record.body[key]);
  }

  get messages(): string[] {
    return this.ctx.logged.map(({ level, message }) => `${level}: ${message}`);
  }

  /** Waits until at least so many records came. */
  async untilRecords(count: number, deadlineMs?: number): Promise<this> {
    const state = () =>
      `${count} records; there are ${this.records.length}, the last ${
        JSON.stringify(this.records.at(-1)?.body)?.slice(0, 200)
      }; log: ${this.messages.join(" | ").slice(0, 2000)}`;
    await eventually(() => this.records.length >= count, state, deadlineMs);
    return this;
  }

  /** Waits until `run` returned by itself. */
  async untilReturned(deadlineMs?: number): Promise<this> {
    await inTime(this.running, `the input returns; log: ${this.messages.join(" | ")}`, deadlineMs);
    return this;
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await inTime(this.running, "the input returns after its signal was aborted");
    await this.input.close?.();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
