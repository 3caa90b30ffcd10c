import { ackOf } from "../../sdk/ack-of.ts";
import type { Batch } from "../../sdk/batch.ts";
import type { Ack } from "../../sdk/checkpoint.ts";
import { toBatchMessage } from "./batch-message.ts";
import type { GuestOutbox } from "./guest-outbox.ts";

/** So many batches may be on their way to the pipeline before an input has to wait. */
const WINDOW = 4;
const MAX_WAITING = 10_000;

/** Batches that the plugin emitted, until the pipeline has taken them and until they are safe. */
export class GuestEmits {
  private readonly outbox: GuestOutbox;
  private readonly waiting = new Map<number, () => void>();
  private readonly acks = new Map<number, () => void>();
  private last = 0;

  constructor(outbox: GuestOutbox) {
    this.outbox = outbox;
  }

  /** See the SDK's `InputContext.emit`. */
  emit(batch: Batch, ack?: Ack): Promise<void> | undefined {
    if (this.waiting.size >= MAX_WAITING) {
      throw new Error(`Cannot emit: ${MAX_WAITING} batches wait for room; await ctx.emit()`);
    }
    const emit = ++this.last;
    const taken = Promise.withResolvers<void>();
    this.waiting.set(emit, taken.resolve);
    const call = ackOf(ack);
    if (call !== undefined) this.acks.set(emit, call);
    const { outbox } = this;
    const acked = call !== undefined;
    outbox.push({ type: "emit", emit, batch: toBatchMessage(batch), acked, call: outbox.call });
    return this.waiting.size > WINDOW ? taken.promise : undefined;
  }

  taken(emit: number): void {
    this.waiting.get(emit)?.();
    this.waiting.delete(emit);
  }

  acked(emit: number): void {
    const ack = this.acks.get(emit);
    this.acks.delete(emit);
    ack?.();
  }
}
