import { countOf } from "../../lib/count-of.ts";
import type { Batch } from "../../sdk/batch.ts";
import type { FilterContext } from "../../sdk/context.ts";
import type { Filter } from "../../sdk/define.ts";
import { withDropReasons } from "../../sdk/drop-reasons.ts";
import type { Preparable } from "../../sdk/preparable.ts";
import { applyCommon, type OwnEvent } from "./apply-event.ts";
import { type BatchMessage, fromBatchMessage, toBatchMessage } from "./batch-message.ts";
import { fromErrorMessage } from "./error-message.ts";
import { HeldBatches, type Passage } from "./held-batches.ts";
import { HostFailure } from "./host-failure.ts";
import type { GuestEvent, ProcessResult } from "./messages.ts";
import { Turns } from "./turns.ts";
import { type HostOptions, WorkerHost } from "./worker-host.ts";
import type { WorkerThread } from "./worker-thread.ts";

type Emitted = Extract<OwnEvent, { readonly type: "emit" }>;

/**
 * A filter that runs in a worker. One batch is there at a time. Whatever happens to the worker, the batch, and
 * those that the filter held back, are given to the next one.
 */
export class IsolatedFilter implements Filter, Preparable {
  private readonly ctx: FilterContext;
  private readonly host: WorkerHost;
  private readonly turns = new Turns();
  private readonly held: HeldBatches;
  /** Emitted batches that the pipeline has not taken yet. */
  private emitting = 0;
  private inHand = 0;

  constructor(ctx: FilterContext, options: Omit<HostOptions, "onEvent" | "isWaiting">) {
    this.ctx = ctx;
    this.host = new WorkerHost({
      ...options,
      onEvent: (event, thread) => this.take(event, thread),
      isWaiting: () => this.emitting > 0,
      onStart: (thread) => this.replay(thread),
      onLost: (wasIdle) => this.lost(wasIdle),
    });
    this.held = new HeldBatches();
  }

  prepare(): Promise<void> {
    return this.host.prepare();
  }

  async process(batch: Batch): Promise<Batch | Batch[]> {
    // Asked for before the first await, because only then it is valid, and let go if the plugin holds nothing.
    const passage = this.held.passage(toBatchMessage(batch), this.ctx.hold());
    this.inHand += batch.length;
    await this.turns.enter();
    try {
      const result = await this.attempts(passage);
      this.held.processed(passage, countOfResult(result, batch.length));
      return batchesOf(result, batch);
    } catch (error) {
      this.held.processed(passage, 0);
      throw error;
    } finally {
      this.inHand -= batch.length;
      this.turns.leave();
    }
  }

  async flush(): Promise<Batch[]> {
    for (let failures = 0;;) {
      try {
        const batches = await this.host.call({ method: "flush" });
        return batches.map(fromBatchMessage);
      } catch (error) {
        if (!(error instanceof HostFailure) || this.host.isClosed) throw error;
        if (error.blamed && ++failures >= this.host.maxAttempts) {
          throw new Error(`the plugin's worker failed ${failures} times: it ${error.message}`);
        }
      }
    }
  }

  close(): Promise<void> {
    if (this.inHand > 0) {
      this.ctx.log.error(
        `Stopped with ${countOf(this.inHand, "record")} that the plugin had not processed`,
        { reason: "shutdown" },
      );
    }
    return this.host.close();
  }

  private async attempts(passage: Passage): Promise<ProcessResult> {
    for (;;) {
      try {
        return await this.host.call(
          { method: "process", batch: passage.message },
          undefined,
          (call) => this.held.posted(passage, call),
        );
      } catch (error) {
        if (!(error instanceof HostFailure)) throw error;
        // As with a filter that never returns: the batch is not acked, and read again after the next start.
        if (this.host.isClosed) return await new Promise<never>(() => undefined);
        if (error.blamed && ++passage.failures >= this.host.maxAttempts) {
          this.held.drop(passage);
          throw this.givingUp(passage, error);
        }
      }
    }
  }

  private givingUp({ failures, message: { count } }: Passage, error: HostFailure): Error {
    return withDropReasons(
      new Error(`the plugin's worker failed ${failures} times at it: it ${error.message}`),
      { plugin_failed: count },
    );
  }

  private take(event: GuestEvent, thread: WorkerThread): void {
    const own = applyCommon(event, this.ctx);
    switch (own?.type) {
      case "emit":
        return void this.emit(own, thread);
      case "hold":
        return this.held.hold(own.hold, own.call);
      case "release":
        return this.held.release(own.hold);
      case "reject":
        return void this.ctx.reject(own.record, fromErrorMessage(own.error));
      case "stop":
        return this.ctx.stop(own.status);
    }
  }

  private async emit(event: Emitted, thread: WorkerThread): Promise<void> {
    const { emit, batch, acked, call } = event;
    if (!acked && !this.held.mayEmit(call, batch)) return thread.taken(emit);
    const wait = this.ctx.emit(
      fromBatchMessage(batch),
      acked ? () => thread.acked(emit) : undefined,
    );
    if (wait === undefined) return thread.taken(emit);
    // The way of the batch may lead back here, while the plugin waits for it.
    this.emitting++;
    this.turns.lend();
    try {
      await wait;
    } finally {
      this.emitting--;
      this.turns.takeBack();
      thread.taken(emit);
    }
  }

  private lost(wasIdle: boolean): void {
    const hopeless = this.held.lost(wasIdle, this.host.maxAttempts);
    for (const passage of hopeless) {
      this.giveUp(passage, new HostFailure("fails whenever it holds these records", true));
    }
  }

  /** Gives the new worker what the old one held. What comes out of it a second time is left out. */
  private async replay(thread: WorkerThread): Promise<void> {
    for (const passage of this.held.toReplay()) {
      try {
        const answer = thread.call({ method: "process", batch: passage.message });
        this.held.posted(passage, thread.newestCall);
        const result = await answer;
        const count = countOfResult(result, passage.message.count);
        const again = this.held.replayed(passage, count);
        if (again.passOn) this.passOn(passage, result, again.emits);
      } catch (error) {
        if (error instanceof HostFailure) {
          if (error.blamed && ++passage.failures >= this.host.maxAttempts) {
            this.giveUp(passage, error);
          }
          throw error;
        }
        this.giveUp(passage, error as Error);
      }
    }
  }

  /** It came to something else than the first time: better twice than not at all. */
  private passOn(
    passage: Passage,
    result: ProcessResult,
    emits: readonly BatchMessage[],
  ): void {
    const original = fromBatchMessage(passage.message);
    const batches = [...emits.map(fromBatchMessage), batchesOf(result, original)].flat();
    for (const batch of batches) void this.ctx.emit(batch, this.held.share(passage));
    this.held.settle(passage);
  }

  private giveUp(passage: Passage, cause: Error): void {
    const { count } = passage.message;
    const error = cause instanceof HostFailure ? this.givingUp(passage, cause) : cause;
    const kept = fromBatchMessage(passage.message).records.filter((record) =>
      this.ctx.reject(record, error) !== null
    );
    this.ctx.log.error(`Gave up ${countOf(count, "record")} that were held: ${error.message}`);
    if (kept.length > 0) {
      void this.ctx.emit(fromBatchMessage(passage.message).with(kept), this.held.share(passage));
    }
    this.held.drop(passage);
  }
}

function batchesOf(result: ProcessResult, original: Batch): Batch | Batch[] {
  if ("unchanged" in result) return original;
  return "batch" in result ? fromBatchMessage(result.batch) : result.batches.map(fromBatchMessage);
}

function countOfResult(result: ProcessResult, original: number): number {
  if ("unchanged" in result) return original;
  return "batch" in result
    ? result.batch.count
    : result.batches.reduce((sum, { count }) => sum + count, 0);
}
