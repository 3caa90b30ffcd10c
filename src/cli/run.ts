import { hostname } from "node:os";
import { startAdminServer } from "../admin/server.ts";
import { PIPELINE_KINDS } from "../config/catalog.ts";
import type { AnyInstance, LoadedConfig } from "../config/loaded-config.ts";
import { problemOf } from "../config/problem-of.ts";
import { type ConfigProblem, formatProblem } from "../config/problem.ts";
import { assemble, AssemblyError } from "../engine/assemble.ts";
import type { Pipeline } from "../engine/pipeline.ts";
import type { AssemblyProblem, PipelineServices } from "../engine/spec.ts";
import { systemClock } from "../lib/clock.ts";
import { builtins } from "../loader/registry.ts";
import type { LogSink } from "../telemetry/logger.ts";
import { MetricsRegistry } from "../telemetry/metrics.ts";
import { addProcessMetrics } from "../telemetry/process-metrics.ts";
import { PipelineMetrics } from "../telemetry/plugin-metrics.ts";
import type { RunCommand } from "./arguments.ts";
import { type CommandIo, EXIT } from "./command-io.ts";
import { keepDeadLetters } from "./dlq/keep-dead-letters.ts";
import { HeapKeeper } from "./heap-keeper.ts";
import { type FaultSource, surviveFaults } from "./last-resort.ts";
import { watchPlugins } from "./live-edit.ts";
import { type LoadedRun, loadRun } from "./load-run.ts";
import { logLevel, ownLog } from "./own-log.ts";
import { parserRegistry } from "./parser-registry.ts";
import { pipelineSpec } from "./pipeline-spec.ts";
import type { FileLock } from "../state/file-lock.ts";
import { checkpointOpener, diskSettings, lockStorage } from "./storage.ts";
import { warnOfOrphans } from "./queue/warn-of-orphans.ts";
import { type SignalSource, stopOnSignals } from "./stop-on-signals.ts";
import { TextPages } from "./text-pages.ts";
import { VERSION } from "./version.ts";

/** What a run needs of the process. */
export type RunIo = CommandIo & SignalSource & FaultSource;

/** `logcollector -c …`: runs until it is asked to stop. Returns the exit status. */
export async function run(command: RunCommand, io: RunIo): Promise<number> {
  const loaded = await loadRun(command);
  if ("errors" in loaded) return reportProblems(loaded.errors, io);
  const { config } = loaded;
  let log: LogSink;
  try {
    log = ownLog(config.service);
  } catch (error) {
    io.stderr(`Cannot open log_file: ${(error as Error).message}\n`);
    return EXIT.usage;
  }
  const metrics = new MetricsRegistry();
  const text = await TextPages.open(log.logger("main"));
  const letters = keepDeadLetters(config.service, log, metrics);
  const assembled = await assembleConfig(loaded, { log, metrics, text, keep: letters.keep });
  if ("errors" in assembled) return reportProblems(assembled.errors, io);
  const say = log.logger("main");
  for (const warning of config.warnings) say.warn(warning);
  if (command.dryRun) {
    io.stdout("configuration test is successful\n");
    return EXIT.ok;
  }
  for (const note of loaded.notes) say.info(note);
  let lock: FileLock | undefined;
  try {
    lock = lockStorage(config);
    await letters.open();
  } catch (error) {
    lock?.release();
    io.stderr(`${(error as Error).message}\n`);
    return EXIT.failed;
  }
  const unopened = await assembled.pipeline.open();
  if (unopened.length > 0) {
    await assembled.pipeline.abandon();
    lock?.release();
    return reportProblems(unopened.map(assembled.reported), io);
  }
  warnOfOrphans(config, assembled.pipeline.outputs, say, metrics);
  const stopWatching = watchPlugins(
    config.service.hot_reload ? loaded.liveFiles : [],
    say,
    systemClock,
  );
  const status = await operate(assembled.pipeline, config, { log, metrics, text, io });
  stopWatching();
  letters.close();
  lock?.release();
  log.flush();
  return status;
}

interface Assembly {
  readonly log: LogSink;
  readonly metrics: MetricsRegistry;
  readonly text: TextPages;
  /** Keeps dead letters, if they are kept. */
  readonly keep: PipelineServices["keep"];
}

interface Operation extends Omit<Assembly, "keep"> {
  readonly io: RunIo;
}

async function operate(
  pipeline: Pipeline,
  config: LoadedConfig,
  { log, metrics, text, io }: Operation,
): Promise<number> {
  const say = log.logger("main");
  const { service } = config;
  const startedMs = systemClock.nowMs();
  const uptimeSec = () => Math.floor((systemClock.nowMs() - startedMs) / 1000);
  const processMetrics = addProcessMetrics(metrics, {
    version: VERSION,
    hostname: hostname(),
    startedSec: systemClock.wall().sec,
    uptimeSec,
    log,
    nowMs: () => systemClock.nowMs(),
  });
  surviveFaults(say, io);
  const abandoned = stopOnSignals(pipeline, say, io);
  let admin;
  try {
    admin = service.http_server
      ? startAdminServer({
        host: service.http_listen,
        port: service.http_port,
        version: VERSION,
        metrics,
        uptimeSec,
        outputs: pipeline.outputs,
        plugins: builtinNames(),
        health: {
          enabled: service.health_check,
          errors: service.hc_errors_count,
          retriesFailed: service.hc_retry_failure_count,
          periodMs: service.hc_period,
        },
        nowMs: () => systemClock.nowMs(),
      })
      : undefined;
  } catch (error) {
    say.error(
      `Cannot serve HTTP on ${service.http_listen}:${service.http_port}: ${
        (error as Error).message
      }; choose another http_port`,
    );
    return EXIT.failed;
  }
  // The build makes the runtime reluctant to compile what runs once; from here on code runs often.
  Bun.unsafe.setJITPolicy(1);
  const running = pipeline.run();
  text.release();
  // The inputs have looked around: what is written from now on is new to them.
  say.info(`logcollector ${VERSION} started`, { inputs: config.inputs.length });
  if (admin) say.info(`HTTP server on ${admin.url}`);
  const status = await Promise.race([running, abandoned]);
  await admin?.stop();
  processMetrics.stop();
  say.info("Stopped");
  return status;
}

function builtinNames(): Record<string, readonly string[]> {
  return Object.fromEntries(
    PIPELINE_KINDS.map((kind) => [`${kind}s`, builtins.names(kind)]),
  );
}

type Assembled = {
  readonly pipeline: Pipeline;
  /** Puts what an instance's plugin failed with at its place in the configuration. */
  readonly reported: (problem: AssemblyProblem) => ConfigProblem;
} | { readonly errors: readonly ConfigProblem[] };

async function assembleConfig(
  loaded: LoadedRun,
  { log, metrics, text, keep }: Assembly,
): Promise<Assembled> {
  const { config } = loaded;
  const parsers = parserRegistry(loaded, log.logger("parsers"));
  const instances: readonly AnyInstance[] = [
    ...config.inputs,
    ...config.filters,
    ...config.outputs,
  ];
  const byId = new Map(
    instances.map((instance) => [keyOf(instance.definition.kind, instance.id), instance]),
  );
  const heap = new HeapKeeper();
  const spec = pipelineSpec(config, {
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
    openCheckpoints: checkpointOpener(config, log.logger("checkpoints")),
  }, diskSettings(config));
  const reported = ({ kind, id, error }: AssemblyProblem): ConfigProblem =>
    problemOf(byId.get(keyOf(kind, id))!, error);
  try {
    const pipeline = assemble(spec);
    const problems = await pipeline.prepare();
    return problems.length === 0 ? { pipeline, reported } : { errors: problems.map(reported) };
  } catch (error) {
    if (!(error instanceof AssemblyError)) throw error;
    return { errors: error.problems.map(reported) };
  }
}

/** Ids are unique within a kind only. */
function keyOf(kind: string, id: string): string {
  return `${kind} ${id}`;
}

function reportProblems(problems: readonly ConfigProblem[], io: CommandIo): number {
  for (const problem of problems) io.stderr(`${formatProblem(problem)}\n`);
  return EXIT.usage;
}
