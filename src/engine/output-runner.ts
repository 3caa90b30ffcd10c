import { Accumulator } from "../buffer/accumulator.ts";
import type { PayloadQueue, QueueDrop, QueueEvents, QueueLimits } from "../buffer/payload-queue.ts";
import type { QueuedPayload } from "../buffer/queued-payload.ts";
import { countOf } from "../lib/count-of.ts";
import { messageWithPlace } from "../lib/error-place.ts";
import { Gate } from "../lib/gate.ts";
import type { Batch } from "../sdk/batch.ts";
import { type EncodedOutput, isEncodedOutput } from "../sdk/define.ts";
import { prepare } from "../sdk/preparable.ts";
import type { OutputRunnerOptions } from "./output-runner-options.ts";
import { QueueOwner } from "./queue-owner.ts";
import { Sealer } from "./sealer.ts";
import { Sender } from "./sender.ts";
import type { Ticket } from "./ticket.ts";

/** Loaded when an output wants it. */
const simpleOutputs = () => require("./simple-output.ts") as typeof import("./simple-output.ts");

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
  private readonly sealer: Sealer;
  private readonly ownership: QueueEvents & QueueLimits;
  private owner: QueueOwner;
  private queue!: PayloadQueue;
  /** The queue was given to another runner. */
  private isGivenAway = false;
  private isOver = false;
  private successor: OutputRunner | undefined;
  private sender: Sender | undefined;
  /** Resolves once the queue is this runner's alone. */
  private taking: Promise<void> | undefined;
  private cancelFlush: (() => void) | undefined;
  private waits = true;
  private waitingSinceMs = 0;

  constructor(options: OutputRunnerOptions) {
    this.options = options;
    this.id = options.id;
    this.accepts = options.accepts;
    const output = isEncodedOutput(options.output)
      ? options.output
      : simpleOutputs().encodeForSimpleOutput(options.output);
    this.output = output;
    this.accumulator = new Accumulator({
      framing: output.framing ?? {},
      maxBytes: options.payloadBytes,
      maxPartitions: MAX_PARTITIONS,
      onFull: (payload) => this.enqueue(payload),
      onDrop: (records, reason, source) => this.leftOut(records, reason, source),
    });
    this.sealer = new Sealer({
      seal: output.seal && ((bytes) => output.seal!(bytes)),
      onSealed: (payload) => this.push(payload),
      onFailed: (payload, error) => this.notSealed(payload, error),
    });
    this.ownership = {
      ...options.limits,
      onReady: () => this.sender?.pump(),
      onSpace: () => this.hasSpace(),
      onDrop: (drop) => this.gaveUp(drop),
    };
    this.owner = new QueueOwner(this.ownership);
  }

  /** Waits until the output is set up. Rejects as `create` throws. */
  async prepare(): Promise<void> {
    await prepare(this.options.output);
  }

  /** Opens the queue. Call it once, before anything else but {@link prepare}, unless another's is taken over. */
  async open(): Promise<void> {
    const { options } = this;
    const opening = options.openQueue(this.format, this.owner);
    this.queue = opening instanceof Promise ? await opening : opening;
    options.book.recovered(this.queue.records);
    this.sender = this.newSender();
    this.updateGauges();
  }

  /**
   * Takes the place of another runner with the same form of payloads, which gets nothing more from now on. What waits
   * there goes out under this one's options once the attempts under way have come to their end; they have so many
   * milliseconds. If this one has no queue yet, the other's is its own. Resolves when all is taken over.
   */
  takeOver(old: OutputRunner, ms: number): Promise<void> {
    old.successor = this;
    old.flush();
    old.stopWaiting();
    old.options.book.handOver(this.options.book, old.held);
    this.waitingSinceMs = this.options.clock.nowMs();
    if (this.queue === undefined) {
      this.queue = old.queue;
      this.owner = old.owner;
      this.owner.current = this.ownership;
      old.isGivenAway = true;
      old.updateGauges();
      this.sealer.comeBehind(old.sealer.done());
      this.taking = this.takeSending(old, ms);
    } else {
      this.taking = this.takePayloads(old, ms);
      this.sealer.comeBehind(this.taking);
    }
    return this.taking;
  }

  private async takeSending(old: OutputRunner, ms: number): Promise<void> {
    await old.sealer.done();
    const taken = await old.stopSending(ms);
    this.sender = this.newSender(taken);
    this.start();
  }

  private async takePayloads(old: OutputRunner, ms: number): Promise<void> {
    await old.sealer.done();
    const taken = await old.stopSending(ms);
    for (const payload of old.queue.handOver?.(taken) ?? []) {
      // What was delivered of it already is none of this queue's.
      const { bytes, records } = payload;
      this.push({ ...payload, queuedBytes: bytes.length, queuedRecords: records });
    }
    old.updateGauges();
  }

  private async stopSending(ms: number): Promise<readonly QueuedPayload[]> {
    await this.taking;
    return await this.sender?.stop(ms) ?? [];
  }

  private newSender(taken: readonly QueuedPayload[] = []): Sender {
    const { options, output, queue } = this;
    return new Sender({
      ...options,
      backoff: options.settings.backoff,
      output,
      queue,
      taken,
      keep: options.keep && ((letter) => options.keep!(letter, this.format)),
    });
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
    // A filter took its time, and the way that the batch was on has changed meanwhile.
    if (this.successor !== undefined) return this.successor.accept(batch, ticket);
    if (this.isOver) return void this.refuse(batch, ticket);
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
    return this.accumulator.isEmpty && this.sealer.bytes === 0 && this.queue.isIdle;
  }

  cutRetryWaits(): void {
    this.sender?.cutRetryWaits();
  }

  /** Makes what has come as safe as the queue can, without waiting for its delivery. */
  async settle(): Promise<void> {
    await this.sealer.done();
    await this.queue.settle();
  }

  async drained(): Promise<void> {
    await this.taking;
    await this.sealer.done();
    await this.sender?.drained();
  }

  /** Is done with what is not delivered and lies nowhere but in memory: it is kept as dead letters, or dropped. */
  async giveUpRest(reason: string, message: string): Promise<void> {
    this.isOver = true;
    const taken = await this.stopSending(0);
    if (this.queue.isDurable) return;
    const rest = [...taken];
    for (let next = this.queue.take(); next !== undefined; next = this.queue.take()) {
      rest.push(next);
    }
    await this.sender?.giveUpAll(rest, reason, message);
  }

  /** Records that came and are not done with: of this run, and those that an earlier one left. */
  get held(): { readonly own: number; readonly recovered: number } {
    const open = this.sealer.records + this.accumulator.recordsOpen;
    if (this.isGivenAway) return { own: open, recovered: 0 };
    const { records, recoveredRecords: recovered } = this.queue;
    return { own: records - recovered + open, recovered };
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

  /** Takes what is held out of the output's book, because it stays on the disk and the output is gone. */
  leaveBehind(): void {
    if (this.queue !== undefined) this.options.book.leave(this.held);
  }

  /** Gives the queue's files back. Call it after {@link close}, once positions have been written down. */
  async closeQueue(): Promise<void> {
    if (this.isGivenAway || this.queue === undefined) return;
    await this.queue.close();
    this.options.onQueueClosed(this.queue, this.format);
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

  /** Too late: what was here has been given up already. */
  private refuse({ length }: Batch, { source }: Ticket): void {
    this.options.book.came(length);
    this.leftOut(length, "output_removed", source);
  }

  private get isFull(): boolean {
    return this.queue.isFull(this.sealer.bytes + this.accumulator.bytesOpen);
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
    this.cancelFlush ??= this.options.clock.after(this.options.settings.flushMs, () => {
      this.cancelFlush = undefined;
      this.accumulator.flush();
    });
  }

  private enqueue(payload: QueuedPayload): void {
    if (this.queue.isIdle) this.waitingSinceMs = this.options.clock.nowMs();
    this.sealer.add(payload);
  }

  private push(payload: QueuedPayload): void {
    this.queue.push(payload);
    this.updateGauges();
  }

  private notSealed(payload: QueuedPayload, error: unknown): void {
    const { queuedRecords: records } = payload;
    this.options.book.dropped(payload, records);
    this.countDrop(records, "seal_error");
    this.options.log.error(
      `Dropped ${countOf(records, "record")} that could not be sealed: ${
        (error as Error)?.message ?? error
      }`,
    );
    payload.recycle();
    for (const holder of payload.holders) holder.release();
    this.hasSpace();
  }

  private hasSpace(): void {
    // The queue may say so while it is being opened.
    if (this.queue === undefined) return;
    this.updateGauges();
    this.space.open();
  }

  private updateGauges(): void {
    const { queuedBytes, queuedRecords } = this.options.metrics;
    queuedBytes.value = this.sealer.bytes + (this.isGivenAway ? 0 : this.queue.bytes);
    queuedRecords.value = this.sealer.records + (this.isGivenAway ? 0 : this.queue.records);
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
