import { hostname } from "node:os";
import { type ConfigProblem, formatProblem } from "../config/problem.ts";
import type { Pipeline } from "../engine/pipeline.ts";
import { systemClock } from "../lib/clock.ts";
import type { Logger } from "../sdk/context.ts";
import type { LogSink } from "../telemetry/logger.ts";
import { MetricsRegistry } from "../telemetry/metrics.ts";
import { addProcessMetrics } from "../telemetry/process-metrics.ts";
import { adminOptions } from "./admin-options.ts";
import type { RunCommand } from "./arguments.ts";
import { assembleRun } from "./assemble-run.ts";
import { type CommandIo, EXIT } from "./command-io.ts";
import { type DeadLetterKeeping, keepDeadLetters } from "./dlq/keep-dead-letters.ts";
import { HangUps } from "./hang-ups.ts";
import { HeapKeeper } from "./heap-keeper.ts";
import { type FaultSource, surviveFaults } from "./last-resort.ts";
import { LiveEdit } from "./live-edit.ts";
import { loadRun } from "./load-run.ts";
import { ownLog } from "./own-log.ts";
import { type MainParts, type ReadyRun, readyRun } from "./ready-run.ts";
import { Reloader } from "./reload.ts";
import { runStatus } from "./run-status.ts";
import { ServiceManager, takeNotifySettings } from "./service-manager.ts";
import { shardProblems } from "./shards/shard-problems.ts";
import { Shards } from "./shards/shards.ts";
import { threadsWanted } from "./shards/threads-wanted.ts";
import { warnOfOrphans } from "./queue/warn-of-orphans.ts";
import { type SignalSource, stopOnSignals } from "./stop-on-signals.ts";
import { StorageLock } from "./storage.ts";
import { type TextPages, textPages } from "./text-pages.ts";
import { VERSION } from "./version.ts";

/** What a run needs of the process. */
export type RunIo = CommandIo & SignalSource & FaultSource;

/** `logcollector -c …`: runs until it is asked to stop. Returns the exit status. */
export async function run(command: RunCommand, io: RunIo): Promise<number> {
  const text = textPages();
  const hangUps = new HangUps(io);
  // Before plugins are loaded, some of which start processes.
  const notify = takeNotifySettings(process.env);
  const loaded = await loadRun(command);
  if ("errors" in loaded) return reportProblems(loaded.errors, io);
  const { config, limits } = loaded;
  const threads = threadsWanted(config);
  const unshared = shardProblems(config, threads);
  if (unshared.length > 0) return reportProblems(unshared, io);
  limits.timeoutMs = config.service.plugin_timeout;
  let log: LogSink;
  try {
    log = ownLog(config.service);
  } catch (error) {
    io.stderr(`Cannot open log_file: ${(error as Error).message}\n`);
    return EXIT.usage;
  }
  const manager = new ServiceManager(notify, log.logger("main"));
  const metrics = new MetricsRegistry();
  const letters = keepDeadLetters(config.service, log, metrics);
  const { keep } = letters;
  const shards = new Shards({ threads, wanted: config.service.workers, log, metrics, keep });
  const heap = new HeapKeeper(threads > 1 ? "beside" : "alone");
  const parts = { log, metrics, text, heap, keep, shard: shards.share };
  const ready = readyRun(loaded, parts);
  // What read the configuration is done: the peak is not to be that of the start.
  text.release();
  const assembled = await assembleRun(ready);
  if ("errors" in assembled) return reportProblems(assembled.errors, io);
  const { pipeline } = assembled;
  const say = log.logger("main");
  sayAtStart(say, config.warnings, text);
  if (command.dryRun) return sayValid(io);
  for (const note of loaded.notes) say.info(note);
  const storage = new StorageLock();
  const refusal = await open({ command, ready, pipeline, storage, letters, shards });
  if (refusal !== undefined) {
    storage.release();
    for (const line of refusal.lines) io.stderr(`${line}\n`);
    return refusal.status;
  }
  warnOfOrphans(config, pipeline.outputs, say, metrics);
  const liveEdit = new LiveEdit(say, systemClock);
  // Each worker has plugins of its own: a change of one would not be one of the others.
  liveEdit.watch(config.service.hot_reload && !shards.areSeveral ? loaded.files : []);
  const reloader = new Reloader({
    command,
    parts,
    pipeline,
    first: ready,
    storage,
    liveEdit,
    manager,
    isAlone: !shards.areSeveral,
    log: say,
  });
  text.release();
  const status = await operate(pipeline, reloader, { ...parts, io, hangUps, manager, shards });
  await liveEdit.pause();
  letters.close();
  storage.release();
  manager.close();
  log.flush();
  return status;
}

/** Loaded when it is wanted. */
function adminServer(): typeof import("../admin/server.ts") {
  return require("../admin/server.ts");
}

function sayAtStart(say: Logger, warnings: readonly string[], { problem }: TextPages): void {
  if (problem !== undefined) say.debug(`Cannot give back pages of machine code: ${problem}`);
  for (const warning of warnings) say.warn(warning);
}

interface Opening {
  readonly command: RunCommand;
  readonly ready: ReadyRun;
  readonly pipeline: Pipeline;
  readonly storage: StorageLock;
  readonly letters: DeadLetterKeeping;
  readonly shards: Shards;
}

interface Refusal {
  readonly status: number;
  readonly lines: readonly string[];
}

/** Takes what only one collector may have, and opens everything. Resolves with what is wrong, if something is. */
async function open(
  { command, ready, pipeline, storage, letters, shards }: Opening,
): Promise<Refusal | undefined> {
  try {
    storage.take(ready.loaded.config);
    await letters.open();
  } catch (error) {
    return { status: EXIT.failed, lines: [(error as Error).message] };
  }
  shards.prepare(command, ready);
  const unopened = await pipeline.open();
  if (unopened.length > 0) {
    shards.abandon();
    await pipeline.abandon();
    return { status: EXIT.usage, lines: unopened.map(ready.reported).map(formatProblem) };
  }
  const refused = await shards.start(ready, pipeline);
  if (refused.length === 0) return undefined;
  shards.abandon();
  await pipeline.abandon();
  return { status: EXIT.failed, lines: refused };
}

interface Operation extends MainParts {
  readonly shards: Shards;
  readonly io: RunIo;
  readonly hangUps: HangUps;
  readonly manager: ServiceManager;
}

async function operate(
  pipeline: Pipeline,
  reloader: Reloader,
  { log, metrics, text, io, hangUps, manager, shards }: Operation,
): Promise<number> {
  const say = log.logger("main");
  const { config } = reloader.current.loaded;
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
  pipeline.onStopping(() => manager.stopping(reloader.current.loaded.config.service.grace));
  const { http_server: isWanted, http_listen: host, http_port: port } = config.service;
  let admin;
  try {
    const options = { host, port, version: VERSION, metrics, uptimeSec };
    admin = isWanted
      ? adminServer().startAdminServer(adminOptions(options, pipeline, shards, reloader))
      : undefined;
  } catch (error) {
    say.error(
      `Cannot serve HTTP on ${host}:${port}: ${(error as Error).message}; choose another http_port`,
    );
    return EXIT.failed;
  }
  // The build makes the runtime reluctant to compile what runs once; from here on code runs often.
  Bun.unsafe.setJITPolicy(1);
  const running = pipeline.run();
  const searching = shards.run();
  if (searching !== undefined) await searching;
  text.release();
  // The inputs have looked around: what is written from now on is new to them.
  say.info(`logcollector ${VERSION} started`, { inputs: config.inputs.length });
  if (admin) say.info(`HTTP server on ${admin.url}`);
  manager.ready(() => statusOf(pipeline, shards, reloader, metrics), () => shards.areAlive);
  hangUps.serve(() => {
    say.info("Reloading the configuration on SIGHUP");
    void reloader.request();
  });
  const status = await Promise.race([running, abandoned]);
  await admin?.stop();
  processMetrics.stop();
  say.info("Stopped");
  return status;
}

function statusOf(
  pipeline: Pipeline,
  shards: Shards,
  reloader: Reloader,
  metrics: MetricsRegistry,
): string {
  const outputs = shards.outputsWith(pipeline.outputs);
  const delivered = metrics.samples("output_proc_records_total");
  return runStatus({
    inputs: reloader.current.loaded.config.inputs.length,
    outputs,
    delivered: delivered.reduce((sum, { value }) => sum + value, 0),
    refusal: reloader.refusal,
  });
}

function sayValid(io: CommandIo): number {
  io.stdout("configuration test is successful\n");
  return EXIT.ok;
}

function reportProblems(problems: readonly ConfigProblem[], io: CommandIo): number {
  for (const problem of problems) io.stderr(`${formatProblem(problem)}\n`);
  return EXIT.usage;
}
