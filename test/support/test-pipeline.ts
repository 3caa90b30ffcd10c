import {
  Batch,
  type Body,
  type EncodedOutput,
  type Filter,
  type FilterContext,
  type Input,
  type InputContext,
  type Logger,
  type Output,
  type Payload,
} from "logcollector/plugin";
import { assemble } from "../../src/engine/assemble.ts";
import type { Pipeline } from "../../src/engine/pipeline.ts";
import type {
  PipelineServices,
  PipelineSettings,
  PipelineSpec,
  SpecKind,
} from "../../src/engine/spec.ts";
import { compileTagMatch } from "../../src/lib/tag-match.ts";
import { MetricsRegistry } from "../../src/telemetry/metrics.ts";
import { PipelineMetrics } from "../../src/telemetry/plugin-metrics.ts";
import { ManualClock, testContext } from "./context.ts";

type CreateInput = (ctx: InputContext) => Input;

export interface TestPipelineOptions {
  readonly inputs?:
    readonly (CreateInput | { readonly id: string; readonly create: CreateInput })[];
  readonly filters?: readonly {
    readonly id?: string;
    readonly match?: string;
    readonly onError?: "reject" | "pass" | "drop";
    readonly create: (ctx: FilterContext) => Filter;
  }[];
  readonly outputs?: readonly {
    readonly id?: string;
    readonly match?: string;
    readonly output: Output | EncodedOutput | (() => Output | EncodedOutput);
    readonly retryLimit?: number;
    readonly maxInFlight?: number;
    readonly queueBytes?: number;
    readonly fullPolicy?: "block" | "drop_oldest" | "drop_newest";
    /** It waits on the disk of {@link disk}. */
    readonly onDisk?: boolean;
  }[];
  readonly memBufLimit?: number;
  readonly payloadBytes?: number;
  readonly flushMs?: number;
  readonly graceMs?: number;
  readonly disk?: PipelineSettings["disk"];
  readonly openCheckpoints?: PipelineServices["openCheckpoints"];
  readonly keep?: PipelineServices["keep"];
}

/** The ids of what stays as it is, and who takes whose place. */
export interface TestChange {
  readonly unchanged?: { readonly [K in SpecKind]?: readonly string[] };
  readonly replaces?: { readonly [K in SpecKind]?: Readonly<Record<string, string>> };
}

/** A whole pipeline of plugins that a test makes up, under a clock that the test moves. */
export class TestPipeline {
  readonly clock = new ManualClock();
  readonly pipeline: Pipeline;
  /** The contexts of the inputs, in the order they were made. */
  readonly inputs: InputContext[] = [];
  readonly logged: { level: string; message: string }[];
  private readonly log: Logger;
  private readonly registry = new MetricsRegistry();
  private readonly metrics = new PipelineMetrics(this.registry);

  constructor(options: TestPipelineOptions) {
    const { log, logged } = testContext();
    this.log = log;
    this.logged = logged;
    this.pipeline = assemble(this.spec(options));
    // Queues in memory are open at once.
    void this.pipeline.open();
  }

  /** Changes to another configuration. Resolves with the messages of what is wrong with it. */
  async reload(options: TestPipelineOptions, change: TestChange = {}): Promise<string[]> {
    const kinds = ["input", "filter", "output"] as const;
    const of = <T>(make: (kind: SpecKind) => T) =>
      Object.fromEntries(kinds.map((kind) => [kind, make(kind)])) as Record<SpecKind, T>;
    const problems = await this.pipeline.reconfigure({
      spec: this.spec(options),
      unchanged: of((kind) => new Set(change.unchanged?.[kind])),
      replaces: of((kind) => new Map(Object.entries(change.replaces?.[kind] ?? {}))),
    });
    return problems?.map(({ kind, id, error }) => `${kind} ${id}: ${(error as Error).message}`) ??
      ["stopping"];
  }

  private spec(options: TestPipelineOptions): PipelineSpec {
    const accepts = (match = "*") => compileTagMatch(match);
    return {
      inputs: (options.inputs ?? [idleInput]).map((input, i) => {
        const { id, create } = typeof input === "function"
          ? { id: `input.${i}`, create: input }
          : input;
        return {
          id,
          plugin: "scripted",
          tag: "test",
          memBufLimit: options.memBufLimit ?? 0,
          storage: "memory",
          create: (ctx) => {
            this.inputs.push(ctx);
            return create(ctx);
          },
        };
      }),
      filters: (options.filters ?? []).map(({ id, match, create, onError }, i) => ({
        id: id ?? `filter.${i}`,
        onError,
        accepts: accepts(match),
        create,
      })),
      outputs: (options.outputs ?? []).map((output, i) => ({
        id: output.id ?? `output.${i}`,
        match: output.match ?? "*",
        accepts: accepts(output.match),
        retryLimit: output.retryLimit ?? Infinity,
        maxInFlight: output.maxInFlight ?? 1,
        plugin: "scripted",
        storage: output.onDisk ? "filesystem" : "memory",
        limitBytes: output.queueBytes ?? 1e6,
        fullPolicy: output.fullPolicy ?? "block",
        create: () => typeof output.output === "function" ? output.output() : output.output,
      })),
      settings: {
        flushMs: options.flushMs ?? 1000,
        graceMs: options.graceMs ?? 5000,
        payloadBytes: options.payloadBytes ?? 1000,
        backoff: { baseMs: 100, capMs: 1000 },
        disk: options.disk,
      },
      services: {
        clock: this.clock,
        log: () => this.log,
        metrics: this.metrics,
        onQuiet: () => undefined,
        openCheckpoints: options.openCheckpoints ?? (() => undefined),
        keep: options.keep,
        parser: () => {
          throw new Error("no parsers here");
        },
        multiline: () => {
          throw new Error("no multiline parsers here");
        },
      },
    };
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
