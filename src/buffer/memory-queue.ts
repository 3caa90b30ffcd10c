import type { PayloadQueue, QueueEvents, QueueLimits } from "./payload-queue.ts";
import type { QueuedPayload } from "./queued-payload.ts";

export type MemoryQueueOptions = QueueEvents & QueueLimits;

/** A queue in memory: what waits is safe when it was delivered. */
export class MemoryQueue implements PayloadQueue {
  private readonly options: MemoryQueueOptions;
  private waiting: QueuedPayload[] = [];
  private onItsWay = 0;
  bytes = 0;
  records = 0;
  readonly recoveredRecords = 0;
  readonly isDurable = false;
  readonly isBehind = false;

  constructor(options: MemoryQueueOptions) {
    this.options = options;
  }

  get isIdle(): boolean {
    return this.waiting.length === 0 && this.onItsWay === 0;
  }

  isFull(openBytes: number): boolean {
    return this.options.policy === "block" && this.bytes + openBytes > this.options.limitBytes;
  }

  push(payload: QueuedPayload): void {
    const { policy, limitBytes, onReady } = this.options;
    const isOver = () => this.bytes + payload.queuedBytes > limitBytes;
    if (policy === "drop_newest" && isOver() && !this.isIdle) {
      return this.drop(payload, "queue_full_newest");
    }
    this.waiting.push(payload);
    if (policy === "drop_oldest") {
      while (isOver() && this.waiting.length > 1) {
        const oldest = this.waiting.shift()!;
        this.leave(oldest);
        this.drop(oldest, "queue_full_oldest");
      }
    }
    this.bytes += payload.queuedBytes;
    this.records += payload.queuedRecords;
    onReady();
  }

  take(): QueuedPayload | undefined {
    const payload = this.waiting.shift();
    if (payload !== undefined) this.onItsWay++;
    return payload;
  }

  partlyDone(payload: QueuedPayload, records: number): void {
    payload.queuedRecords -= records;
    this.records -= records;
    this.options.onSpace();
  }

  done(payload: QueuedPayload): void {
    this.onItsWay--;
    this.leave(payload);
    free(payload);
    this.options.onSpace();
  }

  handOver(taken: readonly QueuedPayload[]): readonly QueuedPayload[] {
    const all = [...taken, ...this.waiting];
    this.waiting = [];
    this.onItsWay -= taken.length;
    for (const payload of all) this.leave(payload);
    return all;
  }

  settle(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  private leave({ queuedBytes, queuedRecords }: QueuedPayload): void {
    this.bytes -= queuedBytes;
    this.records -= queuedRecords;
  }

  private drop(payload: QueuedPayload, reason: "queue_full_oldest" | "queue_full_newest"): void {
    const { queuedRecords: records, sources } = payload;
    this.options.onDrop({ records, sources, isRecovered: false, reason });
    free(payload);
  }
}

function free({ recycle, holders }: QueuedPayload): void {
  recycle();
  for (const holder of holders) holder.release();
}
