import type { PayloadQueue } from "../buffer/payload-queue.ts";
import type { QueuedPayload } from "../buffer/queued-payload.ts";
import { countOf } from "../lib/count-of.ts";
import { Gate } from "../lib/gate.ts";
import type { Clock, Logger } from "../sdk/context.ts";
import type { EncodedOutput } from "../sdk/define.ts";
import { dropReason, dropReasons, withoutRecords } from "../sdk/drop-reasons.ts";
import { PartialError, PermanentError, ThrottledError } from "../sdk/errors.ts";
import { type BackoffLimits, backoffMs } from "../lib/backoff.ts";
import { Circuit } from "./circuit.ts";
import type { DeliveryBook } from "./delivery-book.ts";
import type { OutputMetrics } from "./metrics.ts";

/** A part of a payload that will not be tried again. */
export interface GivenUp {
  readonly partition: string;
  readonly bytes: Uint8Array;
  readonly records: number;
  /** One word in lower_snake_case. */
  readonly reason: string;
  readonly message: string;
  readonly attempts: number;
}

export interface SenderOptions {
  readonly output: EncodedOutput;
  readonly queue: PayloadQueue;
  readonly log: Logger;
  readonly clock: Clock;
  readonly metrics: OutputMetrics;
  readonly book: DeliveryBook;
  readonly backoff: BackoffLimits;
  /** Attempts after the first before a payload is given up; Infinity for no limit. */
  readonly retryLimit: number;
  /** Payloads that may be on their way at once. 1 keeps the order. */
  readonly maxInFlight: number;
  /** Keeps what is given up; rejects when it cannot. Without it such records are dropped. */
  readonly keep?: ((letter: GivenUp) => Promise<void>) | undefined;
  /** Payloads that another sender took off the queue and was stopped with: they come first. */
  readonly taken?: readonly QueuedPayload[] | undefined;
}

/** An attempt that was aborted must have ended in this time, in milliseconds. */
const ABORT_MS = 2000;

/** Takes payloads off an output's queue and sends them, again and again until they are delivered or given up. */
export class Sender {
  private readonly options: SenderOptions;
  private readonly circuit: Circuit;
  private readonly idle = new Gate();
  private readonly abortSends = new AbortController();
  /** In the order they were taken. */
  private readonly onTheirWay = new Set<QueuedPayload>();
  private readonly taken: QueuedPayload[];
  /** Those whose attempt ended without success after {@link stop}. */
  private left: QueuedPayload[] = [];
  private readonly ended = new Gate();
  private isPumping = false;
  private isStopped = false;
  private opened: Promise<void> | undefined;
  /** When something was last delivered, on the clock's scale. */
  lastDeliveredMs: number;
  /** Payloads that are done with since the start. */
  finished = 0;

  constructor(options: SenderOptions) {
    this.options = options;
    this.taken = [...options.taken ?? []];
    this.circuit = new Circuit(options.clock, options.backoff);
    this.lastDeliveredMs = options.clock.nowMs();
  }

  get isIdle(): boolean {
    return this.onTheirWay.size === 0 && this.taken.length === 0 && this.options.queue.isIdle;
  }

  /** Sends what is there to be sent. Call it when something was put into the queue. */
  pump(): void {
    // A queue that is asked for more may say that there is more.
    if (this.isPumping) return;
    this.isPumping = true;
    try {
      while (!this.isOver && this.onTheirWay.size < this.options.maxInFlight) {
        const payload = this.taken.shift() ?? this.options.queue.take();
        if (payload === undefined) break;
        this.onTheirWay.add(payload);
        void this.deliver(payload).finally(() => {
          this.onTheirWay.delete(payload);
          this.ended.open();
          this.pump();
          if (this.isIdle) this.idle.open();
        });
      }
    } finally {
      this.isPumping = false;
    }
  }

  /** Ends the pauses between attempts: at shutdown there is one more attempt at once, and then the deadline. */
  cutRetryWaits(): void {
    this.circuit.cut();
  }

  /** Resolves when everything is done with. */
  async drained(): Promise<void> {
    while (!this.isIdle) await this.idle.wait();
  }

  /** Gives up what is on its way; what waits stays undelivered and is never acked. */
  abandon(): void {
    this.abortSends.abort();
    this.circuit.cut();
  }

  /**
   * Takes nothing more off the queue, and lets attempts under way come to their end, aborting them after so many
   * milliseconds. Resolves with the payloads that were taken and are not done with, in order: they are the caller's.
   */
  async stop(ms: number): Promise<readonly QueuedPayload[]> {
    this.isStopped = true;
    this.circuit.cut();
    await this.attemptsEnded(ms);
    this.abortSends.abort();
    await this.attemptsEnded(ABORT_MS);
    // Whoever does not heed its signal may read these bytes for long.
    for (const payload of this.onTheirWay) ownCopy(payload);
    const left = [...this.left, ...this.onTheirWay, ...this.taken];
    this.taken.length = 0;
    this.onTheirWay.clear();
    return left;
  }

  private async attemptsEnded(ms: number): Promise<void> {
    if (this.onTheirWay.size === 0) return;
    const timer = new AbortController();
    let isLate = false;
    const late = this.options.clock.sleep(ms, timer.signal).then(() => void (isLate = true));
    while (this.onTheirWay.size > 0 && !isLate) await Promise.race([late, this.ended.wait()]);
    timer.abort();
  }

  private get isOver(): boolean {
    return this.isStopped || this.abortSends.signal.aborted;
  }

  private async deliver(payload: QueuedPayload): Promise<void> {
    const { signal } = this.abortSends;
    for (let isDone = false; !isDone;) {
      const leave = await this.circuit.enter(signal);
      if (this.isOver) {
        leave();
        return void this.left.push(payload);
      }
      isDone = await this.attempt(payload).finally(leave);
      if (isDone) continue;
      // What was given to another is no business of this one's.
      if (!this.onTheirWay.has(payload)) return;
      if (this.isOver) return void this.left.push(payload);
    }
    this.finished++;
    this.options.queue.done(payload);
  }

  /** True when the payload is done with; false when it is to be tried again, or when everything is given up. */
  private async attempt(payload: QueuedPayload): Promise<boolean> {
    const { metrics, book } = this.options;
    const { records: sent, bytes: { length } } = payload;
    try {
      await this.opening();
      await this.options.output.send(payload, this.abortSends.signal);
    } catch (error) {
      if (this.abortSends.signal.aborted) return false;
      return await this.failed(payload, error);
    }
    if (!this.onTheirWay.has(payload)) return false;
    this.circuit.succeeded();
    metrics.deliveredRecords.value += sent;
    metrics.deliveredBytes.value += length;
    book.delivered(payload, sent);
    this.lastDeliveredMs = this.options.clock.nowMs();
    if (payload.attempt > 1) {
      this.options.log.info(`Delivered again, at attempt ${payload.attempt}`, { records: sent });
    }
    return true;
  }

  /** Opens the output before its first payload; a failed opening is tried again with the next attempt. */
  private opening(): Promise<void> {
    this.opened ??= Promise.resolve(this.options.output.open?.(this.abortSends.signal))
      .catch((error) => {
        this.opened = undefined;
        throw error;
      });
    return this.opened;
  }

  /** True when the payload must not be tried again; it has then been counted. */
  private async failed(payload: QueuedPayload, error: unknown): Promise<boolean> {
    const { metrics, retryLimit } = this.options;
    if (error instanceof PermanentError) {
      const isDone = await this.giveUp(payload, dropReason(error, "refused"), error.message, "");
      if (!isDone) return false;
      // The destination has answered, even if it did not like it.
      this.circuit.succeeded();
      // What is tried again counts as a retry only, as in Fluent Bit: its alerts are made for that.
      metrics.errors.value++;
      return true;
    }
    if (error instanceof PartialError) {
      if (!await this.keepRemaining(payload, error)) return false;
      if (payload.records === 0) {
        this.circuit.succeeded();
        return true;
      }
    }
    if (payload.attempt <= retryLimit) {
      this.tryAgainLater(payload, error);
      return false;
    }
    metrics.retriesFailed.value++;
    this.circuit.failedOnce(askedPause(error));
    const after = ` after ${countOf(payload.attempt, "attempt")}`;
    return await this.giveUp(payload, "retry_limit", messageOf(error), after);
  }

  /**
   * Keeps a payload as a dead letter, or drops it, and counts it. False when it should be kept and could not be: then
   * it is tried once more, to the end of the trouble.
   */
  private async giveUp(
    payload: QueuedPayload,
    reason: string,
    message: string,
    after: string,
  ): Promise<boolean> {
    const { log, keep, metrics, book } = this.options;
    const { partition, bytes, records, attempt: attempts } = payload;
    const what = countOf(records, "record");
    if (keep === undefined) {
      this.drop(payload, reason, message, after);
      return true;
    }
    try {
      await keep({ partition, bytes, records, reason, message, attempts });
    } catch (error) {
      const why = `it gave up, and they cannot be kept as a dead letter: ${messageOf(error)}`;
      this.tryAgainLater(payload, new Error(why, { cause: error }));
      return false;
    }
    metrics.deadLetteredRecords.value += records;
    book.deadLettered(payload, records);
    log.error(`Kept ${what} as a dead letter${after}: ${message}`, { reason });
    return true;
  }

  /** Is done with payloads that {@link stop} left, as when their output is there no more. */
  async giveUpAll(
    payloads: Iterable<QueuedPayload>,
    reason: string,
    message: string,
  ): Promise<void> {
    for (const payload of payloads) {
      // There is no later to try it again.
      const isDone = await this.giveUp(payload, reason, message, "");
      if (!isDone) this.drop(payload, reason, message, "");
      this.options.queue.done(payload);
    }
  }

  private drop(payload: QueuedPayload, reason: string, message: string, after: string): void {
    const { metrics, book, log } = this.options;
    const { records } = payload;
    metrics.drop(reason).value += records;
    metrics.droppedRecords.value += records;
    book.dropped(payload, records);
    log.error(`Dropped ${countOf(records, "record")}${after}: ${message}`, { reason });
  }

  /**
   * Sees to what was taken and what was refused; what is left is the payload from now on. False when that could not be
   * done before the end: the payload is then as it was.
   */
  private async keepRemaining(payload: QueuedPayload, error: PartialError): Promise<boolean> {
    const { metrics, book, log } = this.options;
    const reasons = dropReasons(error, error.refused, "refused");
    const reason = "refused" in reasons ? "refused" : Object.keys(reasons)[0] ?? "refused";
    const kept = await this.keepRefused(payload, error, reason);
    if (kept === undefined) return false;
    const taken = Math.max(0, payload.records - error.records - error.refused);
    metrics.deliveredRecords.value += taken;
    metrics.deliveredBytes.value += Math.max(0, payload.bytes.length - error.remaining.length);
    book.delivered(payload, taken);
    if (taken > 0) this.lastDeliveredMs = this.options.clock.nowMs();
    if (kept > 0) {
      metrics.deadLetteredRecords.value += kept;
      book.deadLettered(payload, kept);
      log.error(`Kept ${countOf(kept, "record")} as a dead letter: ${error.message}`, { reason });
    }
    payload.bytes = error.remaining;
    payload.records = error.records;
    this.options.queue.partlyDone(payload, taken + error.refused);
    const lost = error.refused - kept;
    if (lost === 0) return true;
    const lostBy = withoutRecords(reasons, reason, kept);
    for (const [why, records] of Object.entries(lostBy)) metrics.drop(why).value += records;
    metrics.droppedRecords.value += lost;
    book.dropped(payload, lost);
    // Without a word: what an output leaves out on purpose is counted only.
    if (error.message !== "") {
      log.error(`Dropped ${countOf(lost, "record")}: ${error.message}`, {
        reason: Object.keys(lostBy).join(","),
      });
    }
    return true;
  }

  /**
   * Keeps the refused records as dead letters, as far as the output can tell them apart. Returns how many; tries again
   * until they are kept, and gives up only at the end, with `undefined`.
   */
  private async keepRefused(
    payload: QueuedPayload,
    { refusedParts, message }: PartialError,
    reason: string,
  ): Promise<number | undefined> {
    const { keep } = this.options;
    if (keep === undefined) return 0;
    const { partition, attempt: attempts } = payload;
    let kept = 0;
    for (const { bytes, records, message: own } of refusedParts) {
      const letter = { partition, bytes, records, reason, message: own ?? message, attempts };
      for (let failures = 0; !await this.keepPart(letter, failures); failures++) {
        if (this.isOver) return undefined;
      }
      kept += records;
    }
    return kept;
  }

  /** False when it could not be kept, after a pause. */
  private async keepPart(letter: GivenUp, failuresBefore: number): Promise<boolean> {
    const { keep, log, clock, backoff } = this.options;
    try {
      await keep!(letter);
      return true;
    } catch (error) {
      const ms = backoffMs(failuresBefore + 1, backoff, Math.random);
      const what = countOf(letter.records, "record");
      log.warn(
        `Cannot keep ${what} as a dead letter: ${messageOf(error)}; next attempt in ${
          (ms / 1000).toFixed(1)
        } s`,
      );
      await clock.sleep(ms, this.abortSends.signal);
      return false;
    }
  }

  private tryAgainLater(payload: QueuedPayload, error: unknown): void {
    const { log, metrics } = this.options;
    const ms = this.circuit.failedOnce(askedPause(error));
    log.warn(
      `Cannot deliver ${countOf(payload.records, "record")}: ${messageOf(error)}; next attempt in ${
        (ms / 1000).toFixed(1)
      } s`,
      { attempt: payload.attempt },
    );
    metrics.retries.value++;
    metrics.retriedRecords.value += payload.records;
    payload.attempt++;
  }
}

/** What the destination said when it took only a part counts too. */
function askedPause(error: unknown): number | undefined {
  if (error instanceof PartialError) return askedPause(error.cause);
  return error instanceof ThrottledError ? error.retryAfterMs : undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function ownCopy(payload: QueuedPayload): void {
  payload.bytes = payload.bytes.slice();
  payload.recycle = () => undefined;
}
