import type { DiskQueue } from "../buffer/disk/disk-queue.ts";
import { countOf } from "../lib/count-of.ts";
import type { Clock, Logger } from "../sdk/context.ts";
import type { Preparable } from "../sdk/preparable.ts";
import type { Books } from "./books.ts";
import type { SavedPosition } from "./checkpoint-file.ts";
import type { CheckpointKeeper } from "./checkpoint-keeper.ts";
import type { FilterChain } from "./filter-chain.ts";
import type { FilterRunner } from "./filter-runner.ts";
import type { InputRunner } from "./input-runner.ts";
import type { OutputRunner } from "./output-runner.ts";
import type { AssemblyProblem, SpecKind } from "./spec.ts";

export interface PipelineOptions {
  readonly inputs: readonly InputRunner[];
  readonly filters: readonly FilterRunner[];
  readonly outputs: readonly OutputRunner[];
  readonly chain: FilterChain;
  readonly keeper: CheckpointKeeper;
  readonly books: Books;
  /** The disk queues, once the outputs are open. */
  readonly queues: readonly DiskQueue[];
  readonly log: Logger;
  readonly clock: Clock;
  readonly graceMs: number;
}

/** How often a waiting stop looks at its deadline, in milliseconds. */
const SLICE_MS = 100;
/** How long one plugin may take to close, in milliseconds. */
const CLOSE_MS = 2000;

/** The running whole: starts the inputs, waits for a reason to stop, and stops in order. */
export class Pipeline {
  private readonly options: PipelineOptions;
  private readonly stopInputs = new AbortController();
  private readonly stopRequested = Promise.withResolvers<void>();
  private status = 0;
  private startedMs = 0;
  /** When a stop was asked for, on the clock's scale. Everybody who waits for room is let through since. */
  private askedMs: number | undefined;

  constructor(options: PipelineOptions) {
    this.options = options;
  }

  get outputs(): readonly OutputRunner[] {
    return this.options.outputs;
  }

  get uptimeMs(): number {
    return this.options.clock.nowMs() - this.startedMs;
  }

  /**
   * Waits until the plugins that run elsewhere are set up there. Call it before {@link run}; it returns what
   * failed, as {@link assemble} reports what fails at once.
   */
  async prepare(): Promise<AssemblyProblem[]> {
    const { inputs, filters, outputs } = this.options;
    const problems: AssemblyProblem[] = [];
    const attempt = (kind: SpecKind) => (runner: Preparable & { readonly id: string }) =>
      runner.prepare().catch((error) => void problems.push({ kind, id: runner.id, error }));
    await Promise.all([
      ...inputs.map(attempt("input")),
      ...filters.map(attempt("filter")),
      ...outputs.map(attempt("output")),
    ]);
    return problems;
  }

  /**
   * Opens the outputs' queues and the inputs' positions. Call it after {@link prepare} and before {@link run}; it
   * returns what failed. From here on the pipeline is to be closed, by running it or by {@link abandon}.
   */
  async open(): Promise<AssemblyProblem[]> {
    const { inputs, outputs, keeper } = this.options;
    const problems: AssemblyProblem[] = [];
    await Promise.all(
      outputs.map((output) =>
        output.open().catch((error) => void problems.push({ kind: "output", id: output.id, error }))
      ),
    );
    const claims = claimsOf(this.options.queues);
    for (const input of inputs) {
      try {
        input.open(claims.get(input.id));
      } catch (error) {
        problems.push({ kind: "input", id: input.id, error });
      }
    }
    // What only the queues knew is known elsewhere before they may forget it.
    if (problems.length === 0) keeper.commit(true);
    return problems;
  }

  /** Gives everything back that {@link open} took, when the pipeline is not to run. */
  async abandon(): Promise<void> {
    await this.closeState();
  }

  /** Asks for a stop; the first status that is not 0 becomes the result of {@link run}. */
  requestStop(status = 0): void {
    if (this.status === 0) this.status = status;
    this.askedMs ??= this.options.clock.nowMs();
    this.stopWaiting();
    this.stopRequested.resolve();
  }

  /** Runs until a stop is asked for or every input that ends on its own has ended. Returns the exit status. */
  async run(): Promise<number> {
    const { inputs, clock } = this.options;
    this.startedMs = clock.nowMs();
    for (const output of this.options.outputs) output.start();
    const ended = Promise.withResolvers<void>();
    const returned = new Set<InputRunner>();
    const running = inputs.map(async (input) => {
      await input.run(this.stopInputs.signal);
      returned.add(input);
      const ending = inputs.filter(({ stopsWhenDone }) => stopsWhenDone);
      if (ending.length > 0 && ending.every((each) => returned.has(each))) ended.resolve();
    });
    await Promise.race([this.stopRequested.promise, ended.promise]);
    await this.stop(running);
    return this.status;
  }

  private async stop(running: Promise<void>[]): Promise<void> {
    const { outputs } = this.options;
    this.stopInputs.abort();
    await this.within(this.leftMs, Promise.all(running));
    // Nobody is left to be held back, and a filter that waits for room would be cut off in its flush.
    this.stopWaiting();
    await this.within(this.leftMs, this.flushFilters());
    for (const output of outputs) output.flush();
    await this.within(this.leftMs, Promise.all(outputs.map((output) => output.settle())));
    await this.drain();
    this.sayWhatIsLeft();
    await this.close();
    await this.closeState();
  }

  /** What does not add up in the books: a sentence for each. */
  get imbalances(): string[] {
    const { outputs, books, chain } = this.options;
    const held = new Map(outputs.map((output) => [output.id, output.held]));
    return books.problems(held, chain.passing);
  }

  private sayWhatIsLeft(): void {
    const { inputs, outputs, log } = this.options;
    for (const output of outputs) {
      const { own, recovered } = output.held;
      if (own + recovered === 0) continue;
      const what = countOf(own + recovered, "record");
      if (output.outlastsProcess) log.info(`Kept ${what} for ${output.id} on disk`);
      else if (inputs.every(({ isReplayable }) => isReplayable)) {
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
    const { inputs, outputs, keeper } = this.options;
    await keeper.close();
    for (const output of outputs) await output.closeQueue();
    for (const input of inputs) input.closeCheckpoints();
  }

  /** What is left of the grace; all of it as long as the stop is nobody's wish. */
  private get leftMs(): number {
    const { clock, graceMs } = this.options;
    if (this.askedMs === undefined) return graceMs;
    return Math.max(SLICE_MS, this.askedMs + graceMs - clock.nowMs());
  }

  private stopWaiting(): void {
    for (const waiter of [...this.options.inputs, ...this.options.outputs]) waiter.stopWaiting();
  }

  /** Closes everything. What does not close in time is left behind: the process ends anyway. */
  private async close(): Promise<void> {
    const { inputs, filters, outputs, log } = this.options;
    for (const plugin of [...inputs, ...filters, ...outputs]) {
      const closed = await this.within(CLOSE_MS, plugin.close());
      if (!closed) log.warn(`Cannot close ${plugin.id}: it takes longer than ${CLOSE_MS} ms`);
    }
  }

  private async flushFilters(): Promise<void> {
    for (const filter of this.options.filters) {
      const batches = await filter.flush();
      let unsafe = batches.length;
      const settled = () => {
        if (--unsafe === 0) filter.releaseHolds();
      };
      if (batches.length === 0) filter.releaseHolds();
      for (const batch of batches) {
        const ticket = filter.emits(batch, settled);
        const wait = this.options.chain.process(batch, ticket, filter);
        ticket.release();
        await wait;
      }
    }
  }

  /**
   * Waits for the outputs. After a stop that somebody asked for, be it meanwhile, there is one deadline; when
   * the inputs ended on their own, the wait goes on as long as something is still being delivered.
   */
  private async drain(): Promise<void> {
    const { outputs, clock, graceMs } = this.options;
    const drained = Promise.all(outputs.map((output) => output.drained()));
    for (const output of outputs) output.cutRetryWaits();
    while (!await this.within(Math.min(SLICE_MS, graceMs), drained)) {
      const expired = this.askedMs !== undefined
        ? clock.nowMs() >= this.askedMs + graceMs
        : outputs.every((output) => output.isIdle || output.stalledMs >= graceMs);
      if (expired) return;
    }
  }

  /** True when the work was done in time. */
  private async within(ms: number, work: Promise<unknown>): Promise<boolean> {
    const timer = new AbortController();
    const late = this.options.clock.sleep(ms, timer.signal).then(() => false);
    const inTime = await Promise.race([work.then(() => true), late]);
    timer.abort();
    return inTime;
  }
}

/** How far streams are safe in the queues, by input and stream: of several claims the newest. */
function claimsOf(queues: readonly DiskQueue[]): Map<string, Map<string, SavedPosition>> {
  const claims = new Map<string, Map<string, SavedPosition>>();
  for (const { input, stream, position, order } of queues.flatMap(({ claims }) => [...claims])) {
    const streams = claims.get(input) ?? new Map<string, SavedPosition>();
    claims.set(input, streams);
    if ((streams.get(stream)?.order ?? -1) < order) streams.set(stream, { position, order });
  }
  return claims;
}
