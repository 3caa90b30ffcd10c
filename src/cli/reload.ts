import { hostname } from "node:os";
import { formatProblem } from "../config/problem.ts";
import type { Pipeline } from "../engine/pipeline.ts";
import { coalesced } from "../lib/coalesced.ts";
import type { Logger } from "../sdk/context.ts";
import type { RunCommand } from "./arguments.ts";
import { compareRuns, type Comparison } from "./compare-runs.ts";
import type { LiveEdit } from "./live-edit.ts";
import { loadRun } from "./load-run.ts";
import { logLevel } from "./own-log.ts";
import { countOrphans } from "./queue/warn-of-orphans.ts";
import { type MainParts, type ReadyRun, readyRun } from "./ready-run.ts";
import { restartProblems } from "./restart-options.ts";
import type { ServiceManager } from "./service-manager.ts";
import type { StorageLock } from "./storage.ts";

export interface ReloaderOptions {
  readonly command: RunCommand;
  readonly parts: MainParts;
  readonly pipeline: Pipeline;
  readonly first: ReadyRun;
  readonly storage: StorageLock;
  readonly liveEdit: LiveEdit;
  readonly manager: Pick<ServiceManager, "reloading" | "reloaded">;
  /** No other thread runs the same configuration. */
  readonly isAlone: boolean;
  readonly log: Logger;
}

/** What came of a reload: nothing to complain of, or why everything is as it was. */
export interface ReloadOutcome {
  /** One line each. */
  readonly problems: readonly string[];
  /** The collector is about to stop. */
  readonly isStopping: boolean;
}

const NEEDS_RESTART =
  "There are several workers, and a change of the configuration then needs a restart";

/** Takes up changed configurations while the pipeline runs. */
export class Reloader {
  /** How often the configuration was reloaded. */
  count = 0;
  /** Why the last reload was refused; empty when it was not. */
  refusal: readonly string[] = [];
  /** The configuration that is in force. */
  current: ReadyRun;
  /**
   * Reads the configuration again, and changes to it if nothing is wrong with it. Requests that come while another is
   * under way share the next one. Never rejects.
   */
  readonly request: () => Promise<ReloadOutcome>;
  private readonly options: ReloaderOptions;

  constructor(options: ReloaderOptions) {
    this.options = options;
    this.current = options.first;
    this.request = coalesced(() => this.reload());
    const times = options.parts.metrics.gauge(
      "hot_reloaded_times",
      "Number of times that the configuration was reloaded",
      { hostname: hostname() },
    );
    options.pipeline.onQueueLeft(() => this.countOrphans());
    options.parts.metrics.onCollect(() => void (times.value = this.count));
  }

  private async reload(): Promise<ReloadOutcome> {
    const { liveEdit, manager, parts, log } = this.options;
    if (!this.options.isAlone) return this.refused([NEEDS_RESTART]);
    manager.reloading();
    await liveEdit.pause();
    try {
      const outcome = await this.attempt();
      this.refusal = outcome.problems;
      return outcome;
    } catch (error) {
      const stack = error instanceof Error ? error.stack : String(error);
      const problem = `Reloading failed, which is a mistake of the collector's: restart it. ${
        stack?.replace(/\s*\n\s*/g, " < ")
      }`;
      log.error(problem);
      this.refusal = [problem];
      return { problems: [problem], isStopping: false };
    } finally {
      liveEdit.goOn();
      // Reading a configuration makes much that nobody needs any more.
      parts.heap.collect();
      parts.text.release();
      manager.reloaded();
    }
  }

  private async attempt(): Promise<ReloadOutcome> {
    const { command, parts, pipeline, storage } = this.options;
    const before = this.current;
    const loaded = await loadRun(command, before.loaded);
    if ("errors" in loaded) return this.refused(loaded.errors.map(formatProblem));
    const fixed = restartProblems(before.loaded.config.service, loaded.config.service);
    if (fixed.length > 0) return this.refused(fixed.map(formatProblem));
    const next = readyRun(loaded, parts, before);
    const comparison = compareRuns(before, next, (kind, id) => pipeline.usesParsers(kind, id));
    const wasHeld = storage.isHeld;
    try {
      storage.take(loaded.config);
    } catch (error) {
      return this.refused([(error as Error).message]);
    }
    const problems = await pipeline.reconfigure(comparison.change);
    if (problems === undefined || problems.length > 0) {
      if (!wasHeld) storage.release();
      if (next.parsers !== before.parsers) next.parsers.close();
      if (problems === undefined) return { problems: [], isStopping: true };
      return this.refused(problems.map((problem) => formatProblem(next.reported(problem))));
    }
    this.takeUp(before, next, comparison);
    return { problems: [], isStopping: false };
  }

  private takeUp(before: ReadyRun, next: ReadyRun, comparison: Comparison): void {
    const { parts, liveEdit, log } = this.options;
    const { config, files, limits, notes } = next.loaded;
    this.current = next;
    this.count++;
    if (next.parsers !== before.parsers) before.parsers.close();
    parts.log.level = logLevel(config.service.log_level);
    limits.timeoutMs = config.service.plugin_timeout;
    liveEdit.watch(config.service.hot_reload ? files : []);
    this.countOrphans();
    for (const note of notes) log.info(note);
    const said = new Set(before.loaded.config.warnings);
    for (const warning of config.warnings) if (!said.has(warning)) log.warn(warning);
    log.info(`Reloaded the configuration: ${summaryOf(comparison)}`, { times: this.count });
  }

  private countOrphans(): void {
    const { parts, pipeline } = this.options;
    countOrphans(this.current.loaded.config, pipeline.openQueues, parts.metrics);
  }

  private refused(problems: readonly string[]): ReloadOutcome {
    const { log, parts } = this.options;
    // Not as repeats of each other: two may differ in their line only.
    for (const problem of problems) parts.log.write("error", "main", problem);
    log.error("Did not reload: the configuration from before goes on as it was");
    return { problems, isStopping: false };
  }
}

const LISTED = 20;

function summaryOf({ differences }: Comparison): string {
  const parts = Object.entries(differences).flatMap(([kind, difference]) =>
    Object.entries(difference).flatMap(([what, ids]) =>
      ids.length === 0 ? [] : [`${kind} ${what} ${listOf(ids)}`]
    )
  );
  return parts.length === 0 ? "inputs, filters and outputs are the same" : parts.join("; ");
}

function listOf(ids: readonly string[]): string {
  if (ids.length <= LISTED) return ids.join(", ");
  return `${ids.slice(0, LISTED).join(", ")} and ${ids.length - LISTED} more`;
}
