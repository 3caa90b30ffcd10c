import { countOf } from "../lib/count-of.ts";
import type { Clock, Logger } from "../sdk/context.ts";
import type { SavedPosition } from "./checkpoint-file.ts";
import type { Companions } from "./companions.ts";
import type { Draft } from "./draft.ts";
import { flushFilter } from "./flush-filter.ts";
import { Lineup, runnersOf } from "./lineup.ts";
import type { InputRunner } from "./input-runner.ts";
import type { OutputRunner } from "./output-runner.ts";
import type { PipelineChange } from "./pipeline-change.ts";
import { Reload } from "./reload.ts";
import { CLOSE_MS } from "./reload-scene.ts";
import { RunningInputs } from "./running-inputs.ts";
import { keyOf, type SharedParts } from "./shared-parts.ts";
import type { AssemblyProblem, SpecKind } from "./spec.ts";
import { within } from "./within.ts";

/** How often a waiting stop looks at its deadline, in milliseconds. */
const SLICE_MS = 100;

/** What is under way at a change of the configuration has so much time, also when a stop has none. */
const LEAST_PATIENCE_MS = 1000;

/** The running whole: starts the inputs, waits for a reason to stop, and stops in order. */
export class Pipeline {
  private readonly parts: SharedParts;
  /** Until it runs. */
  private draft: Draft | undefined;
  private readonly lineup: Lineup;
  private readonly running = new RunningInputs();
  private readonly log: Logger;
  private readonly clock: Clock;
  private readonly stopRequested = Promise.withResolvers<void>();
  /** Aborts when the pipeline begins to stop: no change of the configuration begins any more. */
  private readonly stopping = new AbortController();
  private companions: Companions | undefined;
  private readonly stopAsked = new AbortController();
  private readonly finished = Promise.withResolvers<void>();
  private status = 0;
  /** When a stop was asked for, on the clock's scale. Everybody who waits for room is let through since. */
  private askedMs: number | undefined;

  constructor(parts: SharedParts, draft: Draft) {
    this.parts = parts;
    this.draft = draft;
    this.lineup = new Lineup(parts, draft);
    this.clock = parts.services.clock;
    this.log = parts.services.log("engine");
    parts.stop = (status) => this.requestStop(status);
  }

  get outputs(): readonly OutputRunner[] {
    return runnersOf(this.lineup.outputs);
  }

  /** Names of the folders whose queues are open, also of outputs that are gone and have something left to deliver. */
  get openQueues(): ReadonlySet<string> {
    return this.parts.openQueues;
  }

  /** Calls back when a queue on disk was closed that still holds records, because its output is gone. */
  onQueueLeft(call: () => void): void {
    this.parts.onQueueLeft = call;
  }

  /** Calls back when it begins to stop, for whatever reason. */
  onStopping(call: () => void): void {
    this.stopping.signal.addEventListener("abort", call, { once: true });
  }

  /** Ends it as if inputs that end on their own had ended. */
  finish(): void {
    this.finished.resolve();
  }

  /** The result of {@link run}, as far as it is known. */
  get exitStatus(): number {
    return this.status;
  }

  /** From now on it ends together with others. */
  join(companions: Companions): void {
    this.companions = companions;
  }

  /** Some input asked for the end of the pipeline when it has ended. */
  get endsOnItsOwn(): boolean {
    return this.lineup.allInputs.some(({ stopsWhenDone }) => stopsWhenDone);
  }

  /** What is known of how far an input's streams are safe; `undefined` when that does not outlast the process. */
  positionsOf(input: string): ReadonlyMap<string, SavedPosition> | undefined {
    return this.inputOf(input)?.durablePositions;
  }

  /** Positions of streams of this input that another pipeline reads. */
  movePositions(
    input: string,
    changed: ReadonlyMap<string, SavedPosition>,
    removed: ReadonlySet<string>,
  ): void {
    this.inputOf(input)?.movePositions(changed, removed);
  }

  /** Writes positions down that have come so far. */
  commitPositions(): void {
    this.parts.keeper.commit(false);
  }

  private inputOf(id: string): InputRunner | undefined {
    return this.lineup.allInputs.find((input) => input.id === id);
  }

  /** Calls back when somebody asks for a stop, be it while it is ending on its own. */
  onStopAsked(call: () => void): void {
    this.stopAsked.signal.addEventListener("abort", call, { once: true });
  }

  /** The plugin has asked for a parser: whatever it made of it goes with it. */
  usesParsers(kind: SpecKind, id: string): boolean {
    return this.parts.parserUsers.has(keyOf(kind, id));
  }

  /**
   * Waits until the plugins that run elsewhere are set up there. Call it before {@link run}; it returns what
   * failed, as {@link assemble} reports what fails at once.
   */
  async prepare(): Promise<readonly AssemblyProblem[]> {
    await this.draft?.prepare();
    return this.draft?.problems ?? [];
  }

  /**
   * Opens the outputs' queues and the inputs' positions. Call it after {@link prepare} and before {@link run}; it
   * returns what failed. From here on the pipeline is to be closed, by running it or by {@link abandon}.
   */
  async open(): Promise<readonly AssemblyProblem[]> {
    await this.draft?.open();
    return this.draft?.problems ?? [];
  }

  /** Gives everything back that {@link open} took, when the pipeline is not to run. */
  async abandon(): Promise<void> {
    await this.closeState();
  }

  /** Asks for a stop; the first status that is not 0 becomes the result of {@link run}. */
  requestStop(status = 0): void {
    if (this.status === 0) this.status = status;
    this.askedMs ??= this.clock.nowMs();
    this.stopAsked.abort();
    this.stopping.abort();
    this.stopWaiting();
    this.stopRequested.resolve();
  }

  /** Runs until a stop is asked for or every input that ends on its own has ended. Returns the exit status. */
  async run(): Promise<number> {
    this.draft = undefined;
    for (const output of this.outputs) output.start();
    for (const { runner } of this.lineup.inputs) this.running.start(runner);
    const ended = this.running.ended.then(() => this.companions?.inputsEnded());
    await Promise.race([this.stopRequested.promise, this.finished.promise, ended]);
    this.stopping.abort();
    await this.stop();
    return this.status;
  }

  /**
   * Changes to another configuration while everything that stays in it goes on. Resolves with what is wrong with it,
   * and then nothing has changed; with `undefined` when the pipeline is about to stop, and nothing has changed either.
   * One change at a time.
   */
  reconfigure(change: PipelineChange): Promise<readonly AssemblyProblem[] | undefined> {
    const { parts, lineup, running, clock, log } = this;
    const { signal: stopping } = this.stopping;
    const patienceMs = Math.max(LEAST_PATIENCE_MS, parts.settings.graceMs);
    const scene = { parts, lineup, running, clock, log, stopping, patienceMs };
    const result = new Reload(scene, change).run();
    this.lineup.changing = result.catch(() => undefined);
    return result;
  }

  private async stop(): Promise<void> {
    const { lineup } = this;
    await this.inTime(lineup.changing);
    await this.inTime(Promise.all(lineup.closing));
    await this.inTime(this.running.stopAll());
    // Nobody is left to be held back, and a filter that waits for room would be cut off in its flush.
    this.stopWaiting();
    await this.inTime(lineup.settled());
    await this.inTime(this.flushFilters());
    for (const output of lineup.allOutputs) output.flush();
    await this.inTime(Promise.all(lineup.allOutputs.map((output) => output.settle())));
    await this.drain();
    this.sayWhatIsLeft();
    await this.companions?.ended();
    await this.close();
    await this.closeState();
  }

  /** What does not add up in the books: a sentence for each. */
  get imbalances(): string[] {
    return this.lineup.imbalances;
  }

  private sayWhatIsLeft(): void {
    const { log, lineup: { allInputs, allOutputs } } = this;
    for (const output of allOutputs) {
      const { own, recovered } = output.held;
      if (own + recovered === 0) continue;
      const what = countOf(own + recovered, "record");
      if (output.outlastsProcess) log.info(`Kept ${what} for ${output.id} on disk`);
      else if (allInputs.every(({ isReplayable }) => isReplayable)) {
        log.warn(
          `Stopped with ${what} not delivered by ${output.id}: the next start reads them again`,
        );
      } else {
        log.error(`Stopped with ${what} not delivered by ${output.id}`, { reason: "shutdown" });
      }
    }
    for (const problem of this.imbalances) {
      log.error(`The books do not balance: ${problem}`, { reason: "books" });
    }
  }

  /** Positions first: a queue gives up what is delivered once they are written down. */
  private async closeState(): Promise<void> {
    const { lineup: { allInputs, allOutputs }, parts: { keeper } } = this;
    await keeper.close();
    for (const output of allOutputs) await output.closeQueue();
    for (const input of allInputs) input.closeCheckpoints();
  }

  private inTime(work: Promise<unknown>): Promise<boolean> {
    return within(this.clock, this.leftMs, work);
  }

  /** What is left of the grace; all of it as long as the stop is nobody's wish. */
  private get leftMs(): number {
    const { graceMs } = this.parts.settings;
    if (this.askedMs === undefined) return graceMs;
    return Math.max(SLICE_MS, this.askedMs + graceMs - this.clock.nowMs());
  }

  private stopWaiting(): void {
    const { allInputs, allOutputs } = this.lineup;
    for (const waiter of [...allInputs, ...allOutputs]) waiter.stopWaiting();
  }

  /** Closes everything. What does not close in time is left behind: the process ends anyway. */
  private async close(): Promise<void> {
    const { allInputs, allFilters, allOutputs } = this.lineup;
    for (const plugin of [...allInputs, ...allFilters, ...allOutputs]) {
      const closed = await within(this.clock, CLOSE_MS, plugin.close());
      if (!closed) {
        this.log.warn(`Cannot close ${plugin.id}: it takes longer than ${CLOSE_MS} ms`);
      }
    }
  }

  private async flushFilters(): Promise<void> {
    for (const filter of this.lineup.allFilters) {
      const waits = await flushFilter(
        filter,
        (batch, ticket) => this.parts.entrance.process(batch, ticket, filter),
      );
      for (const wait of waits) await wait;
    }
  }

  /**
   * Waits for the outputs. After a stop that somebody asked for, be it meanwhile, there is one deadline; when
   * the inputs ended on their own, the wait goes on as long as something is still being delivered.
   */
  private async drain(): Promise<void> {
    const { clock, parts: { settings: { graceMs } }, lineup: { allOutputs: outputs } } = this;
    const drained = Promise.all(outputs.map((output) => output.drained()));
    for (const output of outputs) output.cutRetryWaits();
    while (!await within(clock, Math.min(SLICE_MS, graceMs), drained)) {
      const expired = this.askedMs !== undefined
        ? clock.nowMs() >= this.askedMs + graceMs
        : outputs.every((output) => output.isIdle || output.stalledMs >= graceMs);
      if (expired) return;
    }
  }
}
