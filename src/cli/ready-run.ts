import type { AnyInstance } from "../config/loaded-config.ts";
import { problemOf } from "../config/problem-of.ts";
import type { ConfigProblem } from "../config/problem.ts";
import type { AssemblyProblem, PipelineServices, PipelineSpec } from "../engine/spec.ts";
import { systemClock } from "../lib/clock.ts";
import type { ParserRegistry } from "../loader/parser-registry.ts";
import type { LogSink } from "../telemetry/logger.ts";
import type { MetricsRegistry } from "../telemetry/metrics.ts";
import { PipelineMetrics } from "../telemetry/plugin-metrics.ts";
import { HeapKeeper } from "./heap-keeper.ts";
import { type Fingerprints, fingerprintsOf } from "./fingerprint.ts";
import type { LoadedRun } from "./load-run.ts";
import { logLevel } from "./own-log.ts";
import { parserRegistry } from "./parser-registry.ts";
import { type PipelineShare, pipelineSpec } from "./pipeline-spec.ts";
import { checkpointOpener, diskSettings } from "./storage.ts";
import type { TextPages } from "./text-pages.ts";

/** What stays for as long as the process runs, whatever its configuration. */
export interface RunParts {
  readonly log: Pick<LogSink, "logger">;
  readonly metrics: MetricsRegistry;
  readonly text: Pick<TextPages, "quiet">;
  readonly heap: HeapKeeper;
  /** Keeps dead letters, if they are kept. */
  readonly keep: PipelineServices["keep"];
  /** Which of the streams are this thread's. */
  readonly shard: PipelineShare;
  /** How positions are kept, where that is not in files of this thread's own. */
  readonly openCheckpoints?: PipelineServices["openCheckpoints"];
}

/** Those of the main thread. */
export interface MainParts extends RunParts {
  readonly log: LogSink;
  readonly text: TextPages;
}

/** A checked configuration in the form that the engine takes. */
export interface ReadyRun {
  readonly loaded: LoadedRun;
  readonly spec: PipelineSpec;
  readonly parsers: ParserRegistry;
  /** What each instance is, to see later what has changed. */
  readonly prints: Fingerprints;
  /** Puts what an instance's plugin failed with at its place in the configuration. */
  reported(problem: AssemblyProblem): ConfigProblem;
}

/** Makes a configuration ready. Parsers that are the same as `before` are taken over. */
export function readyRun(loaded: LoadedRun, parts: RunParts, before?: ReadyRun): ReadyRun {
  const { config } = loaded;
  const prints = fingerprintsOf(loaded);
  const parsers = before !== undefined && Bun.deepEquals(before.prints.parsers, prints.parsers)
    ? before.parsers
    : parserRegistry(loaded, parts.log.logger("parsers"));
  const instances: readonly AnyInstance[] = [
    ...config.inputs,
    ...config.filters,
    ...config.outputs,
  ];
  const byId = new Map(
    instances.map((instance) => [keyOf(instance.definition.kind, instance.id), instance]),
  );
  const { log, metrics, text, heap, keep } = parts;
  const spec = pipelineSpec(
    config,
    {
      clock: systemClock,
      onQuiet: (bytes) => {
        heap.quiet(bytes);
        text.quiet(bytes);
      },
      log: (id, kind) => {
        const common = byId.get(keyOf(kind ?? "", id))?.common;
        const level = common?.log_level;
        return log.logger(
          id,
          level === undefined ? undefined : logLevel(level),
          common?.log_suppress_interval,
        );
      },
      metrics: new PipelineMetrics(metrics),
      parser: (name) => parsers.parser(name),
      multiline: (names) => parsers.multiline(names),
      keep,
      openCheckpoints: parts.openCheckpoints ?? checkpointOpener(config, log.logger("checkpoints")),
    },
    diskSettings(config, parts.shard.index),
    parts.shard,
  );
  return {
    loaded,
    spec,
    parsers,
    prints,
    reported: ({ kind, id, error }) => problemOf(byId.get(keyOf(kind, id))!, error),
  };
}

/** Ids are unique within a kind only. */
function keyOf(kind: string, id: string): string {
  return `${kind} ${id}`;
}
