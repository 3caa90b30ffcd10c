import type { QueuedPayload } from "../buffer/queued-payload.ts";
import { countOf } from "../lib/count-of.ts";
import { Gate } from "../lib/gate.ts";
import type { Clock, Logger } from "../sdk/context.ts";
import type { EncodedOutput } from "../sdk/define.ts";
import { dropReason, dropReasons } from "../sdk/drop-reasons.ts";
import { PartialError, PermanentError, ThrottledError } from "../sdk/errors.ts";
import { type BackoffLimits, backoffMs } from "./backoff.ts";
import type { OutputMetrics } from "./metrics.ts";

export interface SenderOptions {
  readonly output: EncodedOutput;
  readonly log: Logger;
  readonly clock: Clock;
  readonly metrics: OutputMetrics;
  readonly backoff: BackoffLimits;
  /** Attempts after the first before a payload is dropped; Infinity for no limit. */
  readonly retryLimit: number;
  /** Payloads that may be on their way at once. 1 keeps the order. */
  readonly maxInFlight: number;
  /** Called whenever a payload is done with, delivered or not. */
  readonly onDone: (payload: QueuedPayload) => void;
}

/** Takes payloads off an output's queue and sends them, again and again until they are delivered or refused. */
export class Sender {
  private readonly queue: QueuedPayload[] = [];
  private readonly options: SenderOptions;
  private readonly idle = new Gate();
  private readonly cutWaits = new AbortController();
  private readonly abortSends = new AbortController();
  private inFlight = 0;
  private opened: Promise<void> | undefined;
  /** When something was last delivered, on the clock's scale. */
  lastDeliveredMs: number;

  constructor(options: SenderOptions) {
    this.options = options;
    this.lastDeliveredMs = options.clock.nowMs();
  }

  get isIdle(): boolean {
    return this.queue.length === 0 && this.inFlight === 0;
  }

  push(payload: QueuedPayload): void {
    this.queue.push(payload);
    this.pump();
  }

  /** Ends the pauses between attempts: at shutdown there is one more attempt at once, and then the deadline. */
  cutRetryWaits(): void {
    this.cutWaits.abort();
  }

  /** Resolves when everything is done with. */
  async drained(): Promise<void> {
    while (!this.isIdle) await this.idle.wait();
  }

  /** Gives up what is on its way; what waits stays undelivered and is never acked. */
  abandon(): void {
    this.abortSends.abort();
  }

  private pump(): void {
    if (this.abortSends.signal.aborted) return;
    while (this.inFlight < this.options.maxInFlight && this.queue.length > 0) {
      const payload = this.queue.shift()!;
      this.inFlight++;
      this.deliver(payload).finally(() => {
        this.inFlight--;
        this.pump();
        if (this.isIdle) this.idle.open();
      });
    }
  }

  private async deliver(payload: QueuedPayload): Promise<void> {
    while (!await this.attempt(payload)) {
      if (this.abortSends.signal.aborted) return;
    }
    this.options.onDone(payload);
  }

  /** True when the payload is done with; false after a pause, or when everything is given up. */
  private async attempt(payload: QueuedPayload): Promise<boolean> {
    const { metrics } = this.options;
    const { records: sent, bytes: { length } } = payload;
    try {
      await this.opening();
      await this.options.output.send(payload, this.abortSends.signal);
    } catch (error) {
      if (this.abortSends.signal.aborted) return false;
      if (this.isFinal(payload, error)) return true;
      await this.pause(payload, error);
      return false;
    }
    metrics.deliveredRecords.value += sent;
    metrics.deliveredBytes.value += length;
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
  private isFinal(payload: QueuedPayload, error: unknown): boolean {
    const { metrics, log, retryLimit } = this.options;
    if (error instanceof PermanentError) {
      // What is tried again counts as a retry only, as in Fluent Bit: its alerts are made for that.
      metrics.errors.value++;
      const reason = dropReason(error, "refused");
      metrics.drop(reason).value += payload.records;
      metrics.droppedRecords.value += payload.records;
      log.error(`Dropped ${countOf(payload.records, "record")}: ${error.message}`, { reason });
      return true;
    }
    if (error instanceof PartialError) {
      this.keepRemaining(payload, error);
      if (payload.records === 0) return true;
    }
    if (payload.attempt <= retryLimit) return false;
    metrics.retriesFailed.value++;
    metrics.drop("retry_limit").value += payload.records;
    metrics.droppedRecords.value += payload.records;
    log.error(
      `Dropped ${countOf(payload.records, "record")} after ${
        countOf(payload.attempt, "attempt")
      }: ${messageOf(error)}`,
      { reason: "retry_limit" },
    );
    return true;
  }

  private keepRemaining(payload: QueuedPayload, error: PartialError): void {
    const { metrics } = this.options;
    const taken = Math.max(0, payload.records - error.records - error.refused);
    metrics.deliveredRecords.value += taken;
    metrics.deliveredBytes.value += Math.max(0, payload.bytes.length - error.remaining.length);
    if (taken > 0) this.lastDeliveredMs = this.options.clock.nowMs();
    const reasons = dropReasons(error, error.refused, "refused");
    for (const [reason, records] of Object.entries(reasons)) metrics.drop(reason).value += records;
    metrics.droppedRecords.value += error.refused;
    // Without a word: what an output leaves out on purpose is counted only.
    if (error.refused > 0 && error.message !== "") {
      this.options.log.error(`Dropped ${countOf(error.refused, "record")}: ${error.message}`, {
        reason: Object.keys(reasons).join(","),
      });
    }
    payload.bytes = error.remaining;
    payload.records = error.records;
  }

  private async pause(payload: QueuedPayload, error: unknown): Promise<void> {
    const { log, clock, metrics, backoff } = this.options;
    // A server that asks for no pause at all, or whose clock is ahead, must not be asked without end.
    const ms = error instanceof ThrottledError && error.retryAfterMs > 0
      ? error.retryAfterMs
      : backoffMs(payload.attempt, backoff);
    log.warn(
      `Cannot deliver ${countOf(payload.records, "record")}: ${messageOf(error)}; next attempt in ${
        (ms / 1000).toFixed(1)
      } s`,
      { attempt: payload.attempt },
    );
    metrics.retries.value++;
    metrics.retriedRecords.value += payload.records;
    payload.attempt++;
    await clock.sleep(ms, this.cutWaits.signal);
    // After the waits were cut there is one attempt at once; from then on a short pause, until the deadline.
    if (this.cutWaits.signal.aborted) await clock.sleep(250, this.abortSends.signal);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
