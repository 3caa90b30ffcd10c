import type { InputContext } from "../../sdk/context.ts";
import type { Input } from "../../sdk/define.ts";
import type { Preparable } from "../../sdk/preparable.ts";
import { applyCommon } from "./apply-event.ts";
import { fromBatchMessage } from "./batch-message.ts";
import { HostFailure } from "./host-failure.ts";
import type { GuestEvent } from "./messages.ts";
import type { HostOptions } from "./worker-host.ts";
import { WorkerHost } from "./worker-host.ts";
import type { WorkerThread } from "./worker-thread.ts";

type Emitted = Extract<GuestEvent, { readonly type: "emit" }>;

/** An input that runs in a worker. What it emits goes into the pipeline here, one batch after the other. */
export class IsolatedInput implements Input, Preparable {
  private readonly ctx: InputContext;
  private readonly host: WorkerHost;
  /** The batches that the pipeline has not taken yet; the worker keeps their number small. */
  private emitting: Promise<void> = Promise.resolve();

  constructor(ctx: InputContext, options: Omit<HostOptions, "onEvent" | "isWaiting">) {
    this.ctx = ctx;
    this.host = new WorkerHost({
      ...options,
      onEvent: (event, thread) => this.take(event, thread),
      isWaiting: () => false,
    });
  }

  prepare(): Promise<void> {
    return this.host.prepare();
  }

  /** Rejects when the worker was lost: the engine runs the input again. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      await this.host.call({ method: "run" }, signal);
    } catch (error) {
      if (!(error instanceof HostFailure)) throw error;
      throw new Error(`its worker ${error.message}`);
    } finally {
      await this.emitting;
    }
  }

  close(): Promise<void> {
    return this.host.close();
  }

  private take(event: GuestEvent, thread: WorkerThread): void {
    const own = applyCommon(event, this.ctx);
    switch (own?.type) {
      case "emit":
        this.emitting = this.emitting.then(() => this.emit(own, thread)).catch((error) =>
          this.ctx.log.error(`Cannot emit a batch: ${(error as Error)?.message ?? error}`)
        );
        return;
      case "stop":
        return this.ctx.exitCode(own.status);
      case "stopWhenDone":
        return this.ctx.stopWhenDone();
    }
  }

  private async emit({ emit, batch, acked }: Emitted, thread: WorkerThread): Promise<void> {
    try {
      await this.ctx.emit(fromBatchMessage(batch), acked ? () => thread.acked(emit) : undefined);
    } finally {
      thread.taken(emit);
    }
  }
}
