import type { Batch, Body, PluginDefinition } from "logcollector/plugin";
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import type { DeadLetter } from "../../../src/buffer/dead-letters/letter.ts";
import { assemble } from "../../../src/engine/assemble.ts";
import type { Pipeline } from "../../../src/engine/pipeline.ts";
import { isolate, type IsolationOptions } from "../../../src/hosts/worker/isolate.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { importPlugin } from "../../../src/loader/import-plugin.ts";
import type { InputContext, OutputContext } from "../../../src/sdk/context.ts";
import type { EncodedOutput, Filter, Input, Output } from "../../../src/sdk/define.ts";
import { rememberRawOptions } from "../../../src/sdk/raw-options.ts";
import { MetricsRegistry } from "../../../src/telemetry/metrics.ts";
import { PipelineMetrics } from "../../../src/telemetry/plugin-metrics.ts";
import { eventually, inTime } from "../../support/eventually.ts";
import type { TempFolder } from "../../support/temp-folder.ts";
import { testContext } from "../../support/context.ts";

export interface WorkerPipelineOptions {
  /** The plugin's code, a module with imports of `logcollector/plugin` and `zod`. */
  readonly code: string;
  readonly options?: Readonly<Record<string, unknown>>;
  readonly isolation?: Partial<IsolationOptions>;
  readonly retryLimit?: number;
  /** Nothing is ever delivered. */
  readonly stuck?: boolean;
  readonly onError?: "reject" | "pass" | "drop";
  /** Keep what is given up, in {@link WorkerPipeline.letters}. */
  readonly keep?: boolean;
}

const HEAD = `import * as sdk from "logcollector/plugin";
import { Batch, defineFilter, defineInput, defineOutput, defineParser, perRecord } from "logcollector/plugin";
import * as z from "zod";
`;

/** A plugin in a real worker, between an input that a test emits from and an output that it looks at. */
export class WorkerPipeline implements AsyncDisposable {
  readonly pipeline: Pipeline;
  /** The bodies that came out, in order. */
  readonly out: Body[] = [];
  readonly outBatches: Batch[] = [];
  readonly letters: DeadLetter[] = [];
  readonly logged: { level: string; message: string }[];
  input!: InputContext;
  private readonly registry = new MetricsRegistry();
  private running: Promise<number> | undefined;

  private constructor(definition: PluginDefinition, options: WorkerPipelineOptions) {
    const { log, logged } = testContext();
    this.logged = logged;
    const config = definition.config.parse(options.options ?? {});
    rememberRawOptions(config, options.options ?? {});
    const create = (ctx: unknown): unknown => definition.create(config, ctx as never);
    const collect: Output = {
      write: (batch) => {
        if (options.stuck) return new Promise(() => undefined);
        this.outBatches.push(batch);
        this.out.push(...batch.records.map(({ body }) => body));
        return Promise.resolve();
      },
    };
    this.pipeline = assemble({
      inputs: [{
        id: "in",
        plugin: "scripted",
        tag: "test",
        memBufLimit: 0,
        storage: "memory",
        create: (ctx) => {
          this.input = ctx;
          return definition.kind === "input" ? create(ctx) as Input : untilAborted();
        },
      }],
      filters: definition.kind !== "filter" ? [] : [{
        id: "own",
        accepts: () => true,
        onError: options.onError,
        create: (ctx) => create(ctx) as Filter,
      }],
      outputs: [{
        id: "out",
        match: "*",
        accepts: () => true,
        retryLimit: options.retryLimit ?? Infinity,
        maxInFlight: 1,
        plugin: "own",
        storage: "memory",
        limitBytes: 1e6,
        fullPolicy: "block",
        create: (ctx: OutputContext) =>
          definition.kind === "output" ? create(ctx) as Output | EncodedOutput : collect,
      }],
      settings: {
        flushMs: 20,
        graceMs: options.stuck ? 50 : 5000,
        payloadBytes: 10_000,
        backoff: { baseMs: 10, capMs: 20 },
      },
      services: {
        clock: systemClock,
        log: () => log,
        metrics: new PipelineMetrics(this.registry),
        onQuiet: () => undefined,
        openCheckpoints: () => undefined,
        ...(options.keep && {
          keep: (letter) => {
            this.letters.push({ ...letter, bytes: letter.bytes.slice() });
            return Promise.resolve();
          },
        }),
        parser: () => {
          throw new Error("no parsers here");
        },
        multiline: () => {
          throw new Error("no multiline parsers here");
        },
      },
    });
  }

  /** Isolates the first plugin of the code, and starts. */
  static async start(folder: TempFolder, options: WorkerPipelineOptions): Promise<WorkerPipeline> {
    const made = await WorkerPipeline.make(folder, options);
    const problems = await made.pipeline.prepare();
    if (problems.length > 0) throw problems[0]!.error;
    await made.pipeline.open();
    made.running = made.pipeline.run();
    return made;
  }

  static async make(folder: TempFolder, options: WorkerPipelineOptions): Promise<WorkerPipeline> {
    const definition = await isolated(folder, options);
    return new WorkerPipeline(definition, options);
  }

  get messages(): string[] {
    return this.logged.map(({ level, message }) => `${level}: ${message}`);
  }

  metric(name: string, labels: Record<string, string> = {}): number {
    return this.registry.samples(name).filter((sample) =>
      Object.entries(labels).every(([key, value]) => sample.labels[key] === value)
    ).reduce((sum, { value }) => sum + value, 0);
  }

  /** Dropped records by reason. */
  drops(): Record<string, number> {
    const samples = this.registry.samples("dropped_records_total").filter(({ value }) => value > 0);
    return Object.fromEntries(samples.map(({ labels, value }) => [labels["reason"], value]));
  }

  /** Waits until everything that was emitted is delivered or dropped. */
  async drained(): Promise<void> {
    for (const output of this.pipeline.outputs) output.flush();
    await this.until(() => this.pipeline.outputs.every((output) => output.isIdle), "all is sent");
  }

  /** Waits until the pipeline ends on its own. */
  async ended(): Promise<number> {
    return await inTime(this.running!, "the pipeline ends", 20_000);
  }

  /** Waits until so many records have come out. */
  async untilOut(count: number): Promise<void> {
    await eventually(
      () => this.out.length >= count,
      () => `${count} records out, there are ${this.out.length}\n${this.messages.join("\n")}`,
      20_000,
    );
  }

  async until(condition: () => boolean, what: string): Promise<void> {
    await eventually(condition, () => `${what}\n${this.messages.join("\n")}`, 20_000);
  }

  /** Stops as a signal would, and waits for the end. */
  async stop(): Promise<number> {
    this.pipeline.requestStop();
    return await this.running!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.pipeline.requestStop();
    await this.running;
  }
}

export async function isolated(
  folder: TempFolder,
  { code, isolation }: Pick<WorkerPipelineOptions, "code" | "isolation">,
): Promise<PluginDefinition> {
  const path = resolve(folder.at("own.ts"));
  writeFileSync(path, HEAD + code);
  const [definition] = Object.values(await importPlugin(path)) as PluginDefinition[];
  return isolate(definition!, { path, timeoutMs: () => 10_000, ...isolation });
}

function untilAborted(): Input {
  return {
    run: (signal) =>
      new Promise((end) => signal.addEventListener("abort", () => end(), { once: true })),
  };
}
