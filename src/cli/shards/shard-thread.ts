import type { Pipeline } from "../../engine/pipeline.ts";
import { formatProblem } from "../../config/problem.ts";
import type { Shard } from "../../sdk/shard.ts";
import { MetricsRegistry } from "../../telemetry/metrics.ts";
import { assembleRun } from "../assemble-run.ts";
import { HeapKeeper } from "../heap-keeper.ts";
import { type FaultSource, surviveFaults } from "../last-resort.ts";
import { loadRun } from "../load-run.ts";
import { logLevel } from "../own-log.ts";
import { readyRun } from "../ready-run.ts";
import { configurationPrint } from "./configuration-print.ts";
import { ForwardedCheckpoints, ForwardedLog } from "./forwarded.ts";
import type {
  FromShard,
  Positions,
  ShardReport,
  ShardRequest,
  ShardStart,
  ToShard,
} from "./messages.ts";

interface PendingCall {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** A worker's side of `service.workers`: a pipeline of its own for its share of the streams. */
export class ShardThread {
  private readonly post: (message: FromShard) => void;
  private readonly faults: FaultSource;
  private readonly metrics = new MetricsRegistry();
  private readonly calls = new Map<number, PendingCall>();
  private readonly running = Promise.withResolvers<void>();
  private readonly known = Promise.withResolvers<ReadonlyMap<string, Positions>>();
  private pipeline: Pipeline | undefined;
  private lastCall = 0;

  constructor(post: (message: FromShard) => void, faults: FaultSource) {
    this.post = post;
    this.faults = faults;
  }

  receive(message: ToShard): void {
    switch (message.type) {
      case "start":
        return void this.run(message.start).catch((error) =>
          this.post({ type: "failed", reason: String((error as Error)?.stack ?? error) })
        );
      case "positions":
        return this.known.resolve(message.positions);
      case "run":
        return this.running.resolve();
      case "finish":
        return this.pipeline?.finish();
      case "stop":
        return this.pipeline?.requestStop();
      case "look":
        return this.post({ type: "report", look: message.look, report: this.report() });
      case "answer": {
        const pending = this.calls.get(message.call);
        this.calls.delete(message.call);
        if (message.error === undefined) pending?.resolve(message.result);
        else pending?.reject(new Error(message.error));
      }
    }
  }

  private async run(start: ShardStart): Promise<void> {
    const pipeline = await this.open(start);
    if (pipeline === undefined) return;
    this.pipeline = pipeline;
    pipeline.onStopAsked(() => this.post({ type: "stopping", status: pipeline.exitStatus }));
    pipeline.join({
      inputsEnded: () => {
        this.post({ type: "inputs-ended" });
        // The main thread says when all have.
        return new Promise<void>(() => undefined);
      },
      ended: async () => {},
    });
    this.post({ type: "ready" });
    await this.running.promise;
    Bun.unsafe.setJITPolicy(1);
    if (!pipeline.endsOnItsOwn) this.post({ type: "inputs-ended" });
    const status = await pipeline.run();
    this.post({
      type: "ended",
      status,
      report: { families: this.metrics.snapshot(), outputs: [] },
    });
  }

  /** Gives `undefined` when the configuration was refused. */
  private async open(start: ShardStart): Promise<Pipeline | undefined> {
    const loaded = await loadRun(start.command);
    if ("errors" in loaded) return this.refused(loaded.errors.map(formatProblem));
    const { service } = loaded.config;
    loaded.limits.timeoutMs = service.plugin_timeout;
    const log = new ForwardedLog(this.post, logLevel(service.log_level));
    surviveFaults(log.logger("main"), this.faults);
    const { metrics } = this;
    const heap = new HeapKeeper("beside");
    let positions: ReadonlyMap<string, Positions> = new Map();
    const ready = readyRun(loaded, {
      log,
      metrics,
      // The pages are the process's.
      text: { quiet() {} },
      heap,
      keep: async (letter) => void await this.call({ type: "keep", letter }),
      shard: {
        index: start.index,
        count: start.count,
        of: (input) => this.shardOf(input, start),
        shareClaims: async (claims) => {
          this.post({ type: "claims", claims });
          positions = await this.known.promise;
          // They hold the claims of all.
          return new Map();
        },
        confirmPositions: async () => void await this.call({ type: "confirm" }),
      },
      openCheckpoints: ({ id }) => {
        const saved = positions.get(id);
        return saved && new ForwardedCheckpoints(id, saved, this.post);
      },
    });
    if (configurationPrint(ready.prints) !== start.print) {
      return this.refused(["The configuration changed while the collector was starting"]);
    }
    const assembled = await assembleRun(ready);
    if ("errors" in assembled) return this.refused(assembled.errors.map(formatProblem));
    const { pipeline } = assembled;
    const unopened = await pipeline.open();
    heap.collect();
    if (unopened.length === 0) return pipeline;
    await pipeline.abandon();
    return this.refused(unopened.map((problem) => formatProblem(ready.reported(problem))));
  }

  private refused(problems: readonly string[]): undefined {
    this.post({ type: "refused", problems });
  }

  private report(): ShardReport {
    const outputs = (this.pipeline?.outputs ?? []).map(({ id, stalledMs, held }) => ({
      id,
      stalledMs,
      held: { own: held.own, recovered: held.recovered },
    }));
    return { families: this.metrics.snapshot(), outputs };
  }

  private shardOf(input: string, { index, count }: ShardStart): Shard {
    return {
      index,
      count,
      claim: async (streams) => {
        const shards = await this.call({ type: "claim", input, streams }) as number[];
        return shards.map((shard) => shard === index);
      },
      found: () => this.post({ type: "found", input }),
      release: (key) => this.post({ type: "release", input, key }),
    };
  }

  private call(request: ShardRequest): Promise<unknown> {
    const call = ++this.lastCall;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.calls.set(call, { resolve, reject });
    this.post({ type: "call", call, request });
    return promise;
  }
}
