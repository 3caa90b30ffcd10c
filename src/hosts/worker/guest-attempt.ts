import { PartialError, PermanentError, type RefusedPart } from "../../sdk/errors.ts";
import { type OwnPayload, toEncodedDelivery } from "./delivery-text.ts";
import { cut, type ErrorMessage, toErrorMessage } from "./error-message.ts";
import type { WriteResult } from "./messages.ts";

const MiB = 1024 * 1024;
/** What crosses to the host of the records that one attempt has refused. What is more is counted only. */
const MAX_REFUSED_BYTES = 64 * MiB;

/** What becomes of the payloads of one delivery at one attempt. */
export class GuestAttempt {
  /** What is not done with, in the order in which it is sent. */
  readonly payloads: OwnPayload[];
  private readonly format: string;
  private readonly dropped: Record<string, number>;
  private readonly refusedParts: RefusedPart[] = [];
  private refusedBytes = 0;
  private error: ErrorMessage | undefined;

  constructor(
    format: string,
    payloads: OwnPayload[],
    dropped: Record<string, number> = {},
    error?: Error,
  ) {
    this.format = format;
    this.payloads = payloads;
    this.dropped = dropped;
    this.error = error && toErrorMessage(error);
  }

  /** Some of the delivery is done with: the host must hear of it. */
  get hasDropped(): boolean {
    return Object.keys(this.dropped).length > 0;
  }

  /** Notes what an error means for the first payload. True when the next one can be sent. */
  goesOn(error: unknown): boolean {
    const payload = this.payloads[0]!;
    // What a throttling destination asks for lies in the cause.
    const reason = error instanceof PartialError ? error.cause : undefined;
    this.error = {
      ...toErrorMessage(reason instanceof Error ? reason : error),
      message: toErrorMessage(error).message,
    };
    if (error instanceof PartialError) {
      this.refusePart(payload, error);
      payload.bytes = error.remaining;
      payload.records = error.records;
      if (error.records > 0) return false;
    } else if (error instanceof PermanentError) {
      this.refuse(payload.records);
      this.hand({ ...payload, message: error.message });
    } else return false;
    this.payloads.shift();
    return true;
  }

  /** What the host must know; nothing when everything was delivered. */
  get result(): WriteResult | undefined {
    const { payloads, dropped, format, refusedParts, error } = this;
    if (payloads.length === 0 && !this.hasDropped) return undefined;
    return {
      remaining: payloads.length === 0 ? new Uint8Array() : toEncodedDelivery({ format, payloads }),
      records: payloads.reduce((sum, payload) => sum + payload.records, 0),
      dropped,
      refusedParts,
      error,
    };
  }

  private refusePart({ partition }: OwnPayload, { refused, refusedParts, message }: PartialError) {
    this.refuse(refused);
    let left = refused;
    for (const { bytes, records, message: own } of refusedParts) {
      // More records than were refused would be counted twice.
      if (records <= 0 || records > left) continue;
      left -= records;
      this.hand({ partition, bytes, records, message: own ?? message });
    }
  }

  private refuse(records: number): void {
    if (records > 0) this.dropped["refused"] = (this.dropped["refused"] ?? 0) + records;
  }

  private hand({ message, ...payload }: OwnPayload & { message: string }): void {
    if (this.refusedBytes + payload.bytes.length > MAX_REFUSED_BYTES) return;
    this.refusedBytes += payload.bytes.length;
    const bytes = toEncodedDelivery({ format: this.format, payloads: [payload] });
    this.refusedParts.push({ bytes, records: payload.records, message: cut(message) });
  }
}
