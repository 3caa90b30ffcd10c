import type { Clock } from "../context.ts";
import { PermanentError } from "../errors.ts";
import type { Payload } from "../payload.ts";
import type { Compression } from "./compression.ts";
import { PayloadParts, type Post } from "./payload-parts.ts";
import type { RecordList } from "./record-list.ts";
import { TooLargeError } from "./response.ts";

export interface PartSenderOptions {
  readonly clock: Clock;
  /** Takes a body apart that holds so many records. Throws when it cannot. */
  readonly list: (bytes: Uint8Array, records: number) => RecordList;
  readonly compression?: Compression | undefined;
}

/** For so long no payload is tried whole that is as large as one that a server refused, in milliseconds. */
const REMEMBER_MS = 600_000;

/**
 * Sends payloads whole, and one that is too large for the server as two halves, and those as halves, down to single
 * records: only a record that is too large all by itself is refused for good.
 */
export class PartSender {
  private readonly options: PartSenderOptions;
  /** A body of so many bytes was too large, and a smaller one was not. */
  private tooLargeBytes = Infinity;
  private rememberUntilMs = 0;

  constructor(options: PartSenderOptions) {
    this.options = options;
  }

  /** Rejects as `post` does, or with a PartialError when only some of the records were taken. */
  async send(payload: Payload, post: Post): Promise<void> {
    const { bytes, records } = payload;
    let refusal: TooLargeError | undefined;
    if (records === 1 || !this.isTooLarge(bytes.length)) {
      try {
        return await post(bytes, records);
      } catch (error) {
        if (!(error instanceof TooLargeError) || records === 1) throw error;
        refusal = error;
      }
    }
    const sending = new PayloadParts(await this.takeApart(payload, refusal), {
      pack: (body) => this.options.compression?.pack(body) ?? Promise.resolve(body),
      unpack: (body) => this.options.compression?.unpack(body) ?? Promise.resolve(body),
      post,
      isTooLarge: (length) => this.isTooLarge(length),
      learn: (length) => this.remember(length),
    });
    await sending.run(refusal && bytes.length);
  }

  private isTooLarge(length: number): boolean {
    if (this.options.clock.nowMs() >= this.rememberUntilMs) this.tooLargeBytes = Infinity;
    return length >= this.tooLargeBytes;
  }

  private remember(length: number): void {
    this.tooLargeBytes = Math.min(this.tooLargeBytes, length);
    this.rememberUntilMs = this.options.clock.nowMs() + REMEMBER_MS;
  }

  private async takeApart(
    { bytes, records }: Payload,
    refusal: TooLargeError | undefined,
  ): Promise<RecordList> {
    const { list, compression } = this.options;
    try {
      return list(compression === undefined ? bytes : await compression.unpack(bytes), records);
    } catch (cause) {
      const why = `cannot be split: ${(cause as Error).message}`;
      throw new PermanentError(`${refusal?.message ?? "A body that is too large"}, and ${why}`, {
        cause,
      });
    }
  }
}
