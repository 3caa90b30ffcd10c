import {
  Batch,
  type Body,
  type EncodedOutput,
  type Filter,
  type FilterContext,
  type Input,
  type InputContext,
  type Output,
  type Payload,
} from "logcollector/plugin";
import { assemble } from "../../src/engine/assemble.ts";
import type { DeadLetter } from "../../src/engine/spec.ts";
import type { Pipeline } from "../../src/engine/pipeline.ts";
import { compileTagMatch } from "../../src/lib/tag-match.ts";
import { MetricsRegistry } from "../../src/telemetry/metrics.ts";
import { PipelineMetrics } from "../../src/telemetry/plugin-metrics.ts";
import { ManualClock, testContext } from "./context.ts";

export interface TestPipelineOptions {
  readonly inputs?: readonly ((ctx: InputContext) => Input)[];
  readonly filters?: readonly {
    readonly match?: string;
    readonly onError?: "reject" | "pass" | "drop";
    readonly create: (ctx: FilterContext) => Filter;
  }[];
  readonly outputs?: readonly {
    readonly match?: string;
    readonly output: Output | EncodedOutput;
    readonly retryLimit?: number;
    readonly maxInFlight?: number;
    readonly queueBytes?: number;
    readonly fullPolicy?: "block" | "drop_oldest" | "drop_newest";
  }[];
  readonly memBufLimit?: number;
  /** Keeps what is given up. */
  readonly keep?: (letter: DeadLetter) => Promise<void>;
  readonly payloadBytes?: number;
  readonly graceMs?: number;
}

/** A whole pipeline of plugins that a test makes up, under a clock that the test moves. */
export class TestPipeline {
  readonly clock = new ManualClock();
  readonly pipeline: Pipeline;
  readonly inputs: InputContext[] = [];
  readonly logged: { level: string; message: string }[];
  private readonly registry = new MetricsRegistry();

  constructor(options: TestPipelineOptions) {
    const { log, logged } = testContext();
    this.logged = logged;
    const accepts = (match = "*") => compileTagMatch(match);
    this.pipeline = assemble({
      inputs: (options.inputs ?? [idleInput]).map((create, i) => ({
        id: `input.${i}`,
        tag: "test",
        memBufLimit: options.memBufLimit ?? 0,
        storage: "memory",
        create: (ctx) => {
          this.inputs.push(ctx);
          return create(ctx);
        },
      })),
      filters: (options.filters ?? []).map(({ match, create, onError }, i) => ({
        id: `filter.${i}`,
        onError,
        accepts: accepts(match),
        create,
      })),
      outputs: (options.outputs ?? []).map((output, i) => ({
        id: `output.${i}`,
        match: output.match ?? "*",
        accepts: accepts(output.match),
        retryLimit: output.retryLimit ?? Infinity,
        maxInFlight: output.maxInFlight ?? 1,
        plugin: "scripted",
        storage: "memory",
        limitBytes: output.queueBytes ?? 1e6,
        fullPolicy: output.fullPolicy ?? "block",
        create: () => output.output,
      })),
      settings: {
        flushMs: 1000,
        graceMs: options.graceMs ?? 5000,
        payloadBytes: options.payloadBytes ?? 1000,
        backoff: { baseMs: 100, capMs: 1000 },
      },
      services: {
        clock: this.clock,
        log: () => log,
        metrics: new PipelineMetrics(this.registry),
        onQuiet: () => undefined,
        openCheckpoints: () => undefined,
        keep: options.keep,
        parser: () => {
          throw new Error("no parsers here");
        },
        multiline: () => {
          throw new Error("no multiline parsers here");
        },
      },
    });
    // Queues in memory are open at once.
    void this.pipeline.open();
  }

  /** What does not add up in the books, now. */
  get imbalances(): string[] {
    return this.pipeline.imbalances;
  }

  get messages(): string[] {
    return this.logged.map(({ level, message }) => `${level}: ${message}`);
  }

  /** The sum of a metric over all its series, or over those with these labels. */
  metric(name: string, labels: Record<string, string> = {}): number {
    return this.registry.samples(name).filter((sample) =>
      Object.entries(labels).every(([key, value]) => sample.labels[key] === value)
    ).reduce((sum, { value }) => sum + value, 0);
  }

  /** Emits from the first input. */
  emit(batch: Batch, ack?: () => void): Promise<void> | undefined {
    return this.inputs[0]!.emit(batch, ack);
  }

  /** Lets what is under way go on until it waits for something that is not here. */
  async settle(): Promise<void> {
    for (let i = 0; i < 30; i++) await Promise.resolve();
  }

  /** Moves the clock on in small steps, with everything that follows from it. */
  async advance(ms: number): Promise<void> {
    await this.settle();
    for (let left = ms; left > 0; left -= 50) {
      this.clock.advance(Math.min(50, left));
      await this.settle();
    }
  }
}

/** Waits for the end. */
export function idleInput(): Input {
  return {
    run: (signal) =>
      new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true })),
  };
}

/** A batch of numbered records. */
export function numbers(from: number, count: number, tag = "test", stream = "s"): Batch {
  const records = Array.from({ length: count }, (_, i) => ({
    sec: 1,
    nsec: 0,
    body: { n: from + i } as Body,
  }));
  return Batch.of(tag, records, { stream, bytes: count * 10 });
}

/** An output whose every attempt a test decides about. */
export class ScriptedOutput implements EncodedOutput {
  /** What arrived: the numbers of each payload that was taken. */
  readonly delivered: string[] = [];
  readonly attempts: string[] = [];
  closed = 0;
  private readonly decide: (text: string, payload: Payload, signal: AbortSignal) => unknown;

  constructor(decide: (text: string, payload: Payload, signal: AbortSignal) => unknown = () => 0) {
    this.decide = decide;
  }

  get framing() {
    return { separator: " " };
  }

  encode(batch: Batch, into: Parameters<EncodedOutput["encode"]>[1]): void {
    for (const { body } of batch.records) into.text(String(body.n), 1);
  }

  async send(payload: Payload, signal: AbortSignal): Promise<void> {
    const text = Buffer.from(payload.bytes).toString();
    this.attempts.push(text);
    await this.decide(text, payload, signal);
    this.delivered.push(text);
  }

  close(): void {
    this.closed++;
  }
}
