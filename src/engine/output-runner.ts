import { Accumulator } from "../buffer/accumulator.ts";
import type { QueuedPayload } from "../buffer/queued-payload.ts";
import { countOf } from "../lib/count-of.ts";
import { messageWithPlace } from "../lib/error-place.ts";
import { Gate } from "../lib/gate.ts";
import type { Batch } from "../sdk/batch.ts";
import type { Clock, Logger } from "../sdk/context.ts";
import { type EncodedOutput, isEncodedOutput, type Output } from "../sdk/define.ts";
import { prepare } from "../sdk/preparable.ts";
import type { BackoffLimits } from "./backoff.ts";
import type { OutputMetrics } from "./metrics.ts";
import { Sender } from "./sender.ts";
import { encodeForSimpleOutput } from "./simple-output.ts";
import type { Ticket } from "./ticket.ts";

export interface OutputRunnerOptions {
  readonly id: string;
  readonly output: Output | EncodedOutput;
  readonly log: Logger;
  readonly clock: Clock;
  readonly metrics: OutputMetrics;
  /** True when records under this tag go to this output. */
  readonly accepts: (tag: string) => boolean;
  /** The oldest record of a payload waits at most this long for others, in milliseconds. */
  readonly flushMs: number;
  /** A payload is finished at this size, in bytes. */
  readonly payloadBytes: number;
  /** Finished and open payloads together, in bytes; above it the inputs wait. */
  readonly queueBytes: number;
  readonly maxInFlight: number;
  readonly retryLimit: number;
  readonly backoff: BackoffLimits;
}

const MAX_PARTITIONS = 1024;

/** One output at work: encodes batches into payloads at once, queues the payloads, and has them sent. */
export class OutputRunner {
  readonly id: string;
  readonly accepts: (tag: string) => boolean;
  private readonly options: OutputRunnerOptions;
  private readonly output: EncodedOutput;
  private readonly accumulator: Accumulator;
  private readonly sender: Sender;
  private readonly space = new Gate();
  private cancelFlush: (() => void) | undefined;
  private sealing: Promise<void> = Promise.resolve();
  private waits = true;
  private waitingSinceMs = 0;
  private queuedBytes = 0;
  private queuedRecords = 0;

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
      onDrop: (records, reason) => this.countDrop(records, reason),
    });
    this.sender = new Sender({ ...options, output: this.output, onDone: (p) => this.done(p) });
  }

  /** Waits until the output is set up. Rejects as `create` throws. */
  async prepare(): Promise<void> {
    await prepare(this.options.output);
  }

  /** For how long something has waited while nothing was delivered, in milliseconds; 0 when nothing waits. */
  get stalledMs(): number {
    if (this.queuedBytes === 0) return 0;
    return this.options.clock.nowMs() - Math.max(this.sender.lastDeliveredMs, this.waitingSinceMs);
  }

  /**
   * Takes a batch over as bytes. Returns a promise when the queue is over its limit: wait for it before
   * the next batch.
   */
  accept(batch: Batch, ticket: Ticket): Promise<void> | undefined {
    this.accumulator.begin(ticket);
    try {
      this.output.encode(batch, this.accumulator);
      // What an output leaves out without a word is lost all the same.
      this.countDrop(batch.length - this.accumulator.counted, "not_encoded");
    } catch (error) {
      const lost = batch.length - this.accumulator.counted;
      this.countDrop(lost, "encode_error");
      this.options.log.error(
        `Dropped ${countOf(lost, "record")} that could not be encoded: ${messageWithPlace(error)}`,
      );
    }
    if (!this.accumulator.isEmpty) this.scheduleFlush();
    if (this.load <= this.options.queueBytes) return undefined;
    return this.waitForSpace();
  }

  /** Finishes open payloads now instead of when they are old enough. */
  flush(): void {
    this.cancelFlush?.();
    this.cancelFlush = undefined;
    this.accumulator.flush();
  }

  /** Nothing is open, queued or on its way. */
  get isIdle(): boolean {
    return this.queuedBytes === 0 && this.accumulator.isEmpty;
  }

  cutRetryWaits(): void {
    this.sender.cutRetryWaits();
  }

  async drained(): Promise<void> {
    await this.sealing;
    await this.sender.drained();
  }

  /** Records that are queued or on their way. */
  get heldRecords(): number {
    return this.queuedRecords;
  }

  /** Gives up what is not delivered, and closes. */
  async close(): Promise<void> {
    this.cancelFlush?.();
    this.sender.abandon();
    try {
      await this.output.close?.();
    } catch (error) {
      this.options.log.warn(`Cannot close: ${error instanceof Error ? error.message : error}`);
    }
  }

  private get load(): number {
    return this.queuedBytes + this.accumulator.bytesOpen;
  }

  /** Lets everybody through who waits for space, now and later: at shutdown nobody may hang here. */
  stopWaiting(): void {
    this.waits = false;
    this.space.open();
  }

  private async waitForSpace(): Promise<void> {
    while (this.waits && this.load > this.options.queueBytes) {
      // Open payloads count too: when they alone are over the limit, nothing would ever make room.
      if (this.queuedBytes === 0) this.flush();
      else await this.space.wait();
    }
  }

  private scheduleFlush(): void {
    this.cancelFlush ??= this.options.clock.after(this.options.flushMs, () => {
      this.cancelFlush = undefined;
      this.accumulator.flush();
    });
  }

  private enqueue(payload: QueuedPayload): void {
    if (this.queuedBytes === 0) this.waitingSinceMs = this.options.clock.nowMs();
    this.queuedBytes += payload.queuedBytes;
    this.queuedRecords += payload.queuedRecords;
    this.updateGauges();
    if (this.output.seal === undefined) this.sender.push(payload);
    else this.sealing = this.sealing.then(() => this.seal(payload));
  }

  /** Compresses and the like. Payloads are sealed one after the other, so that they stay in order. */
  private async seal(payload: QueuedPayload): Promise<void> {
    try {
      const sealed = await this.output.seal!(payload.bytes);
      if (sealed !== payload.bytes) {
        payload.recycle();
        payload.recycle = () => undefined;
        payload.bytes = sealed;
        this.queuedBytes += sealed.length - payload.queuedBytes;
        payload.queuedBytes = sealed.length;
      }
      this.sender.push(payload);
    } catch (error) {
      this.countDrop(payload.records, "seal_error");
      this.options.log.error(
        `Dropped ${countOf(payload.records, "record")} that could not be sealed: ${
          (error as Error)?.message ?? error
        }`,
      );
      this.done(payload);
    }
  }

  private done(payload: QueuedPayload): void {
    this.queuedBytes -= payload.queuedBytes;
    this.queuedRecords -= payload.queuedRecords;
    this.updateGauges();
    payload.recycle();
    for (const holder of payload.holders) holder.release();
    this.space.open();
  }

  private updateGauges(): void {
    this.options.metrics.queuedBytes.value = this.queuedBytes;
    this.options.metrics.queuedRecords.value = this.queuedRecords;
  }

  private countDrop(records: number, reason: string): void {
    if (records <= 0) return;
    this.options.metrics.drop(reason).value += records;
    this.options.metrics.droppedRecords.value += records;
  }
}
