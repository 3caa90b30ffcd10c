import type { QueuedPayload } from "../queued-payload.ts";

/** Payloads that were pushed and are not written yet: for a moment, or for as long as the disk refuses them. */
export class WaitingPayloads {
  private readonly payloads: QueuedPayload[] = [];
  /**
   * Those that went on their way without being written. Until they have arrived nothing is written behind them:
   * after a crash it would be sent before them.
   */
  private readonly onTheirWay = new Set<QueuedPayload>();
  bytes = 0;

  get isEmpty(): boolean {
    return this.payloads.length === 0;
  }

  get hasSome(): boolean {
    return this.onTheirWay.size > 0;
  }

  /** The next to be written; `undefined` when there is none, or when it must not be written yet. */
  get next(): QueuedPayload | undefined {
    return this.onTheirWay.size > 0 ? undefined : this.payloads[0];
  }

  push(payload: QueuedPayload): void {
    this.payloads.push(payload);
    this.bytes += payload.queuedBytes;
  }

  /** Takes the first one out. */
  shift(): QueuedPayload | undefined {
    const payload = this.payloads.shift();
    if (payload !== undefined) this.bytes -= payload.queuedBytes;
    return payload;
  }

  /** Takes the first one out, to be sent as it is. */
  send(): QueuedPayload | undefined {
    const payload = this.shift();
    if (payload !== undefined) this.onTheirWay.add(payload);
    return payload;
  }

  /** True when the payload was one of those sent as they are. */
  arrived(payload: QueuedPayload): boolean {
    return this.onTheirWay.delete(payload);
  }
}
