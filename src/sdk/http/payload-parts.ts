import { PartialError, PermanentError, type RefusedPart } from "../errors.ts";
import type { RecordList } from "./record-list.ts";
import { TooLargeError } from "./response.ts";

/**
 * Sends one body with so many records. May reject with a PartialError whose remaining bytes are a body of the same kind; bodies must then be
 * such that one behind the other is a body too.
 */
export type Post = (bytes: Uint8Array, records: number) => Promise<void>;

export interface PayloadPartsOptions {
  pack(body: Uint8Array): Promise<Uint8Array>;
  /** The opposite of `pack`. */
  unpack(bytes: Uint8Array): Promise<Uint8Array>;
  readonly post: Post;
  /** True for a length that is known to be too large. */
  isTooLarge(length: number): boolean;
  /** Called when a smaller body was taken than one that was refused. */
  learn(refusedLength: number): void;
}

/** A payload on its way in parts, in the order of its records. */
export class PayloadParts {
  private readonly records: RecordList;
  private readonly options: PayloadPartsOptions;
  /** Parts that are still to be sent; the next one comes last. */
  private readonly due: (readonly [from: number, to: number])[] = [];
  private smallestRefused = Infinity;
  private refusal: PermanentError | PartialError | undefined;
  private refused = 0;
  private readonly refusedParts: RefusedPart[] = [];
  /** The smallest record that was too large by itself: its bytes as they were sent, and before. */
  private refusedRecord = { sent: Infinity, plain: Infinity };

  constructor(records: RecordList, options: PayloadPartsOptions) {
    this.records = records;
    this.options = options;
  }

  /**
   * Sends all parts. `refusedLength` is that of the whole body, if it was tried. Rejects with a PartialError when some
   * records were refused or are left, and as the first request does when nothing is done with yet.
   */
  async run(refusedLength: number | undefined): Promise<void> {
    const { length } = this.records;
    this.smallestRefused = refusedLength ?? Infinity;
    this.halve(0, length);
    for (let part = this.due.pop(); part !== undefined; part = this.due.pop()) {
      await this.send(...part);
    }
    if (this.refusal === undefined) return;
    if (this.refused === length && this.refusal instanceof PermanentError) throw this.refusal;
    const { refusal: cause, refusedParts } = this;
    const none = new Uint8Array();
    throw new PartialError(cause.message, none, 0, this.refused, { cause, refusedParts });
  }

  private async send(from: number, to: number): Promise<void> {
    const bytes = await this.options.pack(this.records.body(from, to));
    if (to - from === 1) {
      // What is larger than a record that was refused need not be asked about.
      const { sent, plain } = this.refusedRecord;
      if (bytes.length >= sent && this.records.size(from, to) >= plain) {
        return this.refuse(bytes, 1);
      }
    } else if (bytes.length >= this.smallestRefused || this.options.isTooLarge(bytes.length)) {
      return this.halve(from, to);
    }
    try {
      await this.options.post(bytes, to - from);
    } catch (error) {
      return await this.failed(error as Error, bytes, from, to);
    }
    this.learn(bytes.length);
  }

  private learn(takenLength: number): void {
    if (takenLength < this.smallestRefused && this.smallestRefused < Infinity) {
      this.options.learn(this.smallestRefused);
    }
  }

  /** Some records of a part were taken, and the rest of it says what is next. */
  private async partly(error: PartialError, sent: number, to: number): Promise<void> {
    this.learn(sent);
    this.refused += error.refused;
    this.refusedParts.push(...error.refusedParts);
    if (error.refused > 0) this.refusal = error;
    if (error.records === 0) return;
    const { length } = this.records;
    const rest = [await this.options.unpack(error.remaining)];
    if (to < length) rest.push(this.records.body(to, length));
    const remaining = await this.options.pack(Buffer.concat(rest));
    throw new PartialError(error.message, remaining, error.records + length - to, this.refused, {
      cause: error.cause,
      refusedParts: this.refusedParts,
    });
  }

  private refuse(bytes: Uint8Array, records: number): void {
    this.refused += records;
    this.refusedParts.push({ bytes: new Uint8Array(bytes), records });
  }

  private async failed(error: Error, bytes: Uint8Array, from: number, to: number): Promise<void> {
    const sent = bytes.length;
    if (error instanceof PartialError) return await this.partly(error, sent, to);
    if (error instanceof TooLargeError) {
      this.smallestRefused = Math.min(this.smallestRefused, sent);
      if (to - from > 1) return this.halve(from, to);
      this.refusedRecord = { sent, plain: this.records.size(from, to) };
    }
    if (error instanceof PermanentError) {
      this.refusal = error;
      return this.refuse(bytes, to - from);
    }
    // Nothing is done with yet: the payload stays as it is.
    if (from === 0) throw error;
    const { length } = this.records;
    const body = await this.options.pack(this.records.body(from, length));
    // A copy, since the engine takes the payload's memory back.
    const remaining = new Uint8Array(body);
    throw new PartialError(error.message, remaining, length - from, this.refused, {
      cause: error,
      refusedParts: this.refusedParts,
    });
  }

  private halve(from: number, to: number): void {
    const middle = this.records.middle(from, to);
    this.due.push([middle, to], [from, middle]);
  }
}
