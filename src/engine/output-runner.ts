import { Accumulator } from "../buffer/accumulator.ts";
import type { PayloadQueue, QueueDrop, QueueEvents } from "../buffer/payload-queue.ts";
import type { QueuedPayload } from "../buffer/queued-payload.ts";
import { countOf } from "../lib/count-of.ts";
import { messageWithPlace } from "../lib/error-place.ts";
import { Gate } from "../lib/gate.ts";
import type { Batch } from "../sdk/batch.ts";
import type { Clock, Logger } from "../sdk/context.ts";
import { type EncodedOutput, isEncodedOutput, type Output } from "../sdk/define.ts";
import { prepare } from "../sdk/preparable.ts";
import type { BackoffLimits } from "./backoff.ts";
import type { DeliveryBook } from "./delivery-book.ts";
import type { OutputMetrics } from "./metrics.ts";
import { type GivenUp, Sender } from "./sender.ts";
import { encodeForSimpleOutput } from "./simple-output.ts";
import type { Ticket } from "./ticket.ts";

export interface OutputRunnerOptions {
  readonly id: string;
  readonly output: Output | EncodedOutput;
  readonly log: Logger;
  readonly clock: Clock;
  readonly metrics: OutputMetrics;
  readonly book: DeliveryBook;
  /** True when records under this tag go to this output. */
  readonly accepts: (tag: string) => boolean;
  /** The oldest record of a payload waits at most this long for others, in milliseconds. */
  readonly flushMs: number;
  /** A payload is finished at this size, in bytes. */
  readonly payloadBytes: number;
  /** Makes the queue, whose payloads have this form. Rejects with a message for the user. */
  readonly openQueue: (
    format: string,
    events: QueueEvents,
  ) => PayloadQueue | Promise<PayloadQueue>;
  /** The queue is at its limit, and somebody waits. */
  readonly onFull: () => void;
  readonly maxInFlight: number;
  readonly retryLimit: number;
  readonly backoff: BackoffLimits;
  /** Keeps what is given up, in this form. */
  readonly keep?: ((letter: GivenUp, format: string) => Promise<void>) | undefined;
}

const MAX_PARTITIONS = 1024;
/** An output that delivered something within this time is at work. */
const MOVING_MS = 100;
/** How long a batch may be held back for it. */
const CATCH_UP_MS = 5;

/** One output at work: encodes batches into payloads at once, queues the payloads, and has them sent. */
export class OutputRunner {
  readonly id: string;
  readonly accepts: (tag: string) => boolean;
  private readonly options: OutputRunnerOptions;
  private readonly output: EncodedOutput;
  private readonly accumulator: Accumulator;
  private readonly space = new Gate();
  private queue!: PayloadQueue;
  private sender: Sender | undefined;
  private cancelFlush: (() => void) | undefined;
  private sealing: Promise<void> = Promise.resolve();
  private sealingBytes = 0;
  private sealingRecords = 0;
  private waits = true;
  private waitingSinceMs = 0;

  constructor(options: OutputRunnerOptions) {
    this.options = options;
    this.id = options.id;
    this.accepts = options.accepts;
    this.output = isEncodedOutput(options.output)
      ? options.output
      : encodeForSimpleOutput(options.output);
    this.accumulator = new Accumulator({
      framing: this.output.framing ?? {},
      maxBytes: options.payloadBytes,
      maxPartitions: MAX_PARTITIONS,
      onFull: (payload) => this.enqueue(payload),
      onDrop: (records, reason, source) => this.leftOut(records, reason, source),
    });
  }

  /** Waits until the output is set up. Rejects as `create` throws. */
  async prepare(): Promise<void> {
    await prepare(this.options.output);
  }

  /** Opens the queue. Call it once, before anything else but {@link prepare}. */
  async open(): Promise<void> {
    const { options, output } = this;
    const opening = options.openQueue(this.format, {
      onReady: () => this.sender?.pump(),
      onSpace: () => this.hasSpace(),
      onDrop: (drop) => this.gaveUp(drop),
    });
    this.queue = opening instanceof Promise ? await opening : opening;
    options.book.recovered(this.queue.records);
    this.sender = new Sender({
      ...options,
      output,
      queue: this.queue,
      keep: options.keep && ((letter) => options.keep!(letter, this.format)),
    });
    this.updateGauges();
  }

  /** Begins to send what an earlier run left. */
  start(): void {
    this.sender?.pump();
  }

  /** The form of this output's payloads. */
  get format(): string {
    return this.output.format ?? "";
  }

  /** For how long something has waited while nothing was delivered, in milliseconds; 0 when nothing waits. */
  get stalledMs(): number {
    if (this.queue.isIdle) return 0;
    const lastMs = Math.max(this.sender?.lastDeliveredMs ?? 0, this.waitingSinceMs);
    return this.options.clock.nowMs() - lastMs;
  }

  /**
   * Takes a batch over as bytes. Returns a promise when the queue is over its limit: wait for it before
   * the next batch.
   */
  accept(batch: Batch, ticket: Ticket): Promise<void> | undefined {
    this.options.book.came(batch.length);
    this.accumulator.begin(ticket);
    try {
      this.output.encode(batch, this.accumulator);
      // What an output leaves out without a word is lost all the same.
      this.leftOut(batch.length - this.accumulator.counted, "not_encoded", ticket.source);
    } catch (error) {
      const lost = batch.length - this.accumulator.counted;
      this.leftOut(lost, "encode_error", ticket.source);
      this.options.log.error(
        `Dropped ${countOf(lost, "record")} that could not be encoded: ${messageWithPlace(error)}`,
      );
    }
    this.accumulator.end();
    if (!this.accumulator.isEmpty) this.scheduleFlush();
    if (this.isFull) return this.waitForSpace();
    return this.queue.isBehind && this.isMoving ? this.letCatchUp() : undefined;
  }

  /** Finishes open payloads now instead of when they are old enough. */
  flush(): void {
    this.cancelFlush?.();
    this.cancelFlush = undefined;
    this.accumulator.flush();
  }

  /** Nothing is open, queued or on its way. */
  get isIdle(): boolean {
    return this.accumulator.isEmpty && this.sealingBytes === 0 && this.queue.isIdle;
  }

  cutRetryWaits(): void {
    this.sender?.cutRetryWaits();
  }

  /** Makes what has come as safe as the queue can, without waiting for its delivery. */
  async settle(): Promise<void> {
    await this.sealing;
    await this.queue.settle();
  }

  async drained(): Promise<void> {
    await this.sealing;
    await this.sender?.drained();
  }

  /** Records that came and are not done with: of this run, and those that an earlier one left. */
  get held(): { readonly own: number; readonly recovered: number } {
    const { records, recoveredRecords: recovered } = this.queue;
    const own = records - recovered + this.sealingRecords + this.accumulator.recordsOpen;
    return { own, recovered };
  }

  /** Gives up what is not delivered, and closes. What is queued on disk stays there. */
  async close(): Promise<void> {
    this.cancelFlush?.();
    this.sender?.abandon();
    try {
      await this.output.close?.();
    } catch (error) {
      this.options.log.warn(`Cannot close: ${error instanceof Error ? error.message : error}`);
    }
  }

  /** Gives the queue's files back. Call it after {@link close}, once positions have been written down. */
  async closeQueue(): Promise<void> {
    await this.queue?.close();
  }

  /** What is not delivered stays, and goes out at the next start. */
  get outlastsProcess(): boolean {
    return this.queue.isDurable;
  }

  /** Lets everybody through who waits for space, now and later: at shutdown nobody may hang here. */
  stopWaiting(): void {
    this.waits = false;
    this.space.open();
  }

  private get isFull(): boolean {
    return this.queue.isFull(this.sealingBytes + this.accumulator.bytesOpen);
  }

  private async waitForSpace(): Promise<void> {
    while (this.waits && this.isFull) {
      // Open payloads count too: when they alone are over the limit, nothing would ever make room.
      if (this.queue.isIdle && !this.accumulator.isEmpty) this.flush();
      this.options.onFull();
      if (this.isFull) await this.space.wait();
    }
  }

  /** Something was delivered a moment ago. */
  private get isMoving(): boolean {
    const { sender, options: { clock } } = this;
    return sender !== undefined && clock.nowMs() - sender.lastDeliveredMs < MOVING_MS;
  }

  /**
   * An output that is at work is let catch up for a moment: what goes out from memory need not be read from the disk
   * again. One that is slow or away holds nobody back.
   */
  private async letCatchUp(): Promise<void> {
    const { clock } = this.options;
    const before = this.sender!.finished;
    const untilMs = clock.nowMs() + CATCH_UP_MS;
    const timer = new AbortController();
    const late = clock.sleep(CATCH_UP_MS, timer.signal);
    while (this.waits && this.sender!.finished === before && clock.nowMs() < untilMs) {
      await Promise.race([late, this.space.wait()]);
    }
    timer.abort();
  }

  private scheduleFlush(): void {
    this.cancelFlush ??= this.options.clock.after(this.options.flushMs, () => {
      this.cancelFlush = undefined;
      this.accumulator.flush();
    });
  }

  private enqueue(payload: QueuedPayload): void {
    if (this.queue.isIdle) this.waitingSinceMs = this.options.clock.nowMs();
    if (this.output.seal === undefined) return this.push(payload);
    this.sealingBytes += payload.queuedBytes;
    this.sealingRecords += payload.queuedRecords;
    this.sealing = this.sealing.then(() => this.seal(payload));
  }

  private push(payload: QueuedPayload): void {
    this.queue.push(payload);
    this.updateGauges();
  }

  /** Compresses and the like. Payloads are sealed one after the other, so that they stay in order. */
  private async seal(payload: QueuedPayload): Promise<void> {
    const { queuedBytes: bytes, queuedRecords: records } = payload;
    try {
      const sealed = await this.output.seal!(payload.bytes);
      if (sealed !== payload.bytes) {
        payload.recycle();
        payload.recycle = () => undefined;
        payload.bytes = sealed;
        payload.queuedBytes = sealed.length;
      }
    } catch (error) {
      this.options.book.dropped(payload, records);
      this.countDrop(records, "seal_error");
      this.options.log.error(
        `Dropped ${countOf(records, "record")} that could not be sealed: ${
          (error as Error)?.message ?? error
        }`,
      );
      payload.recycle();
      for (const holder of payload.holders) holder.release();
      return this.hasSpace();
    } finally {
      this.sealingBytes -= bytes;
      this.sealingRecords -= records;
    }
    this.push(payload);
  }

  private hasSpace(): void {
    // The queue may say so while it is being opened.
    if (this.queue === undefined) return;
    this.updateGauges();
    this.space.open();
  }

  private updateGauges(): void {
    this.options.metrics.queuedBytes.value = this.queue.bytes + this.sealingBytes;
    this.options.metrics.queuedRecords.value = this.queue.records + this.sealingRecords;
  }

  private gaveUp(drop: QueueDrop): void {
    const { records, reason } = drop;
    this.options.book.gaveUp(drop);
    this.countDrop(records, reason);
    if (reason === "corrupt") return;
    this.options.log.warn(
      `Dropped ${countOf(records, "record")}: the queue has reached its limit`,
      {
        reason,
      },
    );
  }

  private leftOut(records: number, reason: string, source: string): void {
    if (records <= 0) return;
    this.options.book.leftOut(records, source);
    this.countDrop(records, reason);
  }

  private countDrop(records: number, reason: string): void {
    this.options.metrics.drop(reason).value += records;
    this.options.metrics.droppedRecords.value += records;
  }
}
