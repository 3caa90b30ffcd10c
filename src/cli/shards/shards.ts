import { type Claims, newestClaims } from "../../engine/claims.ts";
import type { Companions } from "../../engine/companions.ts";
import type { Pipeline } from "../../engine/pipeline.ts";
import type { PipelineServices } from "../../engine/spec.ts";
import { systemClock } from "../../lib/clock.ts";
import type { Logger } from "../../sdk/context.ts";
import type { Shard } from "../../sdk/shard.ts";
import type { LogSink } from "../../telemetry/logger.ts";
import type { MetricsRegistry } from "../../telemetry/metrics.ts";
import type { RunCommand } from "../arguments.ts";
import { EXIT } from "../command-io.ts";
import type { PipelineShare } from "../pipeline-spec.ts";
import type { ReadyRun } from "../ready-run.ts";
import { Assigner } from "./assigner.ts";
import { configurationPrint } from "./configuration-print.ts";
import { FirstSearch } from "./first-search.ts";
import { mergeOutputs } from "./merge-outputs.ts";
import type { FromShard, OutputReport, Positions, ShardRequest } from "./messages.ts";
import { ShardWorker } from "./shard-worker.ts";

export interface ShardsOptions {
  /** Threads, the main one among them. */
  readonly threads: number;
  /** So many of them get new streams; others go on with those of which an earlier run left something in their queues. */
  readonly wanted: number;
  readonly log: LogSink;
  readonly metrics: MetricsRegistry;
  readonly keep: PipelineServices["keep"];
}

/** How long the start waits for inputs to look around, in milliseconds: not all of them say that they did. */
const FIRST_SEARCH_MS = 2000;
/** How often workers report how they are getting on, in milliseconds. */
const LOOK_MS = 1000;
/** What a worker's stop may take beyond the time for deliveries. */
const STOP_MARGIN_MS = 5000;

/** The workers of `service.workers`, seen from the main thread, which is the first of the shards itself. */
export class Shards implements Companions {
  /** The main thread's own. */
  readonly share: PipelineShare;
  /** All of them answered when they were asked last. */
  areAlive = true;
  private readonly options: ShardsOptions;
  private readonly say: Logger;
  private readonly assigners = new Map<string, Assigner>();
  private readonly search = new FirstSearch();
  private workers: readonly ShardWorker[] = [];
  private begin: () => void = () => undefined;
  private pipeline: Pipeline | undefined;
  private graceMs = 0;
  private readonly stopAsked = Promise.withResolvers<void>();
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(options: ShardsOptions) {
    this.options = options;
    this.say = options.log.logger("main");
    const { threads } = options;
    this.share = {
      index: 0,
      count: threads,
      of: (input) => this.shardOf(input),
      ...(threads > 1 && { shareClaims: (own: Claims) => this.gather(own) }),
    };
  }

  /** Starts the workers, as soon as their queues are to be opened. */
  prepare(command: RunCommand, { prints, loaded }: ReadyRun): void {
    this.graceMs = loaded.config.service.grace;
    this.search.expect(loaded.config.inputs, this.options.threads);
    this.begin = () => {
      const { threads } = this.options;
      const print = configurationPrint(prints);
      this.workers = Array.from({ length: threads - 1 }, (_, i) =>
        new ShardWorker({
          start: { command, index: i + 1, count: threads, print },
          answer: (request) => this.answer(request),
          onMessage: (message, worker) => this.take(message, worker),
          onFailed: (reason, worker) => this.failed(reason, worker),
        }));
    };
  }

  /** Goes on with the start, beside a pipeline that is open. Resolves with what is wrong; then they are to be ended. */
  async start({ spec }: ReadyRun, pipeline: Pipeline): Promise<readonly string[]> {
    const { threads, metrics } = this.options;
    if (threads === 1) return [];
    this.pipeline = pipeline;
    const positions = new Map<string, Positions>();
    for (const { id } of spec.inputs) {
      const saved = pipeline.positionsOf(id);
      if (saved !== undefined) positions.set(id, saved);
    }
    for (const worker of this.workers) {
      worker.post({ type: "positions", positions });
      metrics.addOther(() => worker.report.families);
    }
    pipeline.join(this);
    pipeline.onStopAsked(() => this.stop());
    return [...new Set((await Promise.all(this.workers.map(({ opened }) => opened))).flat())];
  }

  /** Brings together how far streams are safe in all queues. Each goes on where its queue is, for the sake of its order. */
  private async gather(own: Claims): Promise<Claims> {
    this.begin();
    const all = [own, ...await Promise.all(this.workers.map(({ claims }) => claims))];
    const newest = newestClaims(all);
    for (const [input, streams] of newest) {
      for (const [stream, { order }] of streams) {
        const shard = all.findIndex((claims) => claims.get(input)?.get(stream)?.order === order);
        this.assignerOf(input).seed(`stream ${stream}`, shard);
      }
    }
    return newest;
  }

  /** From here on the workers work. Resolves when the streams that are there are known, or that takes long. */
  run(): Promise<void> | undefined {
    if (this.workers.length === 0) return undefined;
    this.tell({ type: "run" });
    this.timer = setInterval(async () => {
      this.areAlive = (await this.look()).length === 0;
    }, LOOK_MS);
    this.timer.unref();
    return Promise.race([
      this.search.over,
      this.stopAsked.promise,
      ...this.workers.map(({ ended }) => ended),
      systemClock.sleep(FIRST_SEARCH_MS),
    ]);
  }

  /** There are other threads than the main one. */
  get areSeveral(): boolean {
    return this.options.threads > 1;
  }

  /** What waits at each output, in all threads together. */
  outputsWith(own: readonly OutputReport[]): readonly OutputReport[] {
    return mergeOutputs([own, ...this.workers.map(({ outputs }) => outputs)]);
  }

  /** Has all of them report anew. Resolves with the numbers of those that do not answer in time. */
  async look(): Promise<readonly number[]> {
    const silent = new Set(this.workers);
    const looks = this.workers.map(async (worker) => {
      await worker.look();
      silent.delete(worker);
    });
    if (looks.length > 0) await Promise.race([Promise.all(looks), systemClock.sleep(LOOK_MS)]);
    return [...silent].map(({ index }) => index);
  }

  async inputsEnded(): Promise<void> {
    await Promise.all(this.workers.map(({ inputsEnded }) => inputsEnded));
    this.tell({ type: "finish" });
  }

  async ended(): Promise<void> {
    const all = Promise.all(this.workers.map(({ ended }) => ended));
    const late = this.stopAsked.promise.then(() =>
      systemClock.sleep(this.graceMs + STOP_MARGIN_MS)
    );
    await Promise.race([all, late]);
    clearInterval(this.timer);
    for (const worker of this.workers) {
      if (!worker.isOver) this.failed("it does not stop", worker);
      worker.end();
    }
  }

  /** Ends the workers as they are, when the pipeline is not to run. */
  abandon(): void {
    for (const worker of this.workers) worker.end();
  }

  private stop(): void {
    this.stopAsked.resolve();
    this.tell({ type: "stop" });
  }

  private tell(message: { readonly type: "run" | "finish" | "stop" }): void {
    for (const worker of this.workers) worker.post(message);
  }

  private take(message: FromShard, { index }: ShardWorker): void {
    const { pipeline } = this;
    switch (message.type) {
      case "log": {
        const { component, level, suppressMs, spoken, message: text, fields } = message.log;
        const logger = this.options.log.logger(component, level, suppressMs);
        return logger[spoken](text, { ...fields, worker: index });
      }
      case "moved":
        return pipeline?.movePositions(message.input, message.changed, message.removed);
      case "found":
        return this.search.found(message.input, index);
      case "release":
        return this.assignerOf(message.input).release(message.key);
      case "stopping":
        return pipeline?.requestStop(message.status);
      case "ended":
        if (message.status !== 0) pipeline?.requestStop(message.status);
    }
  }

  private failed(reason: string, { index }: ShardWorker): void {
    this.say.error(
      `Worker ${index} failed: ${reason}; stopping, so that what it did not deliver is read again at the next start`,
    );
    this.pipeline?.requestStop(EXIT.failed);
  }

  private async answer(request: ShardRequest): Promise<unknown> {
    if (request.type === "keep") return await this.options.keep?.(request.letter);
    if (request.type === "confirm") return this.pipeline?.commitPositions();
    return this.assignerOf(request.input).assignAll(request.streams);
  }

  private shardOf(input: string): Shard {
    const { threads: count } = this.options;
    const assigner = this.assignerOf(input);
    return {
      index: 0,
      count,
      claim: async (streams) => assigner.assignAll(streams).map((shard) => shard === 0),
      found: () => this.search.found(input, 0),
      release: (key) => assigner.release(key),
    };
  }

  private assignerOf(input: string): Assigner {
    let assigner = this.assigners.get(input);
    if (assigner === undefined) {
      assigner = new Assigner(this.options.wanted);
      this.assigners.set(input, assigner);
    }
    return assigner;
  }
}
