import type { Ack, Batch, Body, Input, InputDefinition, LogRecord } from "logcollector/plugin";
import { systemClock } from "../../src/lib/clock.ts";
import { eventually, inTime } from "./eventually.ts";
import { type TestContext, testContext } from "./context.ts";
import { KeptPositions } from "./kept-positions.ts";

export interface InputDriverOptions {
  readonly tag?: string;
  readonly ctx?: Partial<TestContext>;
  /** What `emit` returns: a wait makes the input feel a full pipeline. */
  readonly emit?: (batch: Batch) => Promise<void> | undefined;
  /** The input's positions by stream. Give the same map to the next input to test a restart. */
  readonly positions?: Map<string, string>;
  /**
   * `at once`, the default, acks what is emitted and commits positions as soon as they move; `manual` leaves both to
   * the test.
   */
  readonly acks?: "at once" | "manual";
}

/** A batch that was emitted. */
export interface Emission {
  readonly stream: string;
  readonly records: readonly LogRecord[];
  readonly ack: Ack | undefined;
  isAcked: boolean;
}

/** An input that runs in this process, started through its public door, with everything it emits kept. */
export class InputDriver implements AsyncDisposable {
  readonly ctx: TestContext;
  readonly batches: Batch[] = [];
  readonly emissions: Emission[] = [];
  readonly records: LogRecord[] = [];
  readonly positions: KeptPositions;
  /** True once `run` has returned. */
  returned = false;
  stopsWhenDone = false;
  exitStatus: number | undefined;
  private readonly input: Input;
  private readonly running: Promise<void>;
  private readonly stopping = new AbortController();
  private isDead = false;

  constructor(
    definition: InputDefinition,
    options: Record<string, unknown>,
    { tag = "test", ctx = {}, emit, positions, acks = "at once" }: InputDriverOptions = {},
  ) {
    this.positions = new KeptPositions(positions ?? new Map(), acks === "at once");
    this.ctx = testContext({
      clock: systemClock as unknown as TestContext["clock"],
      tag,
      emit: (batch, ack) => {
        if (this.isDead) return undefined;
        this.batches.push(batch);
        const { stream, records } = batch;
        for (const record of records) this.records.push(record);
        const emission = { stream, records, ack, isAcked: false };
        this.emissions.push(emission);
        if (acks === "at once") this.ack(emission);
        return emit?.(batch);
      },
      checkpoints: (wanted = {}) => {
        this.positions.options = wanted;
        return this.positions;
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

  /** Tells the input that a batch is safe. Those of its stream before it must be safe already. */
  ack(emission: Emission): void {
    if (emission.isAcked || this.isDead) return;
    emission.isAcked = true;
    const { stream, ack } = emission;
    if (typeof ack === "function") ack();
    else if (ack !== undefined) {
      ack.ack?.();
      this.positions.moved(stream, ack);
    }
  }

  ackAll(): void {
    for (const emission of this.emissions) this.ack(emission);
  }

  /** As if the process ended here: nothing that the input does from now on counts. */
  async kill(): Promise<void> {
    this.isDead = true;
    this.positions.kill();
    await this.stop();
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
