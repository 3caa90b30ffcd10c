import type { QueuedPayload } from "../buffer/queued-payload.ts";
import type { EncodedOutput } from "../sdk/define.ts";

export interface SealerOptions {
  /** Compresses and the like; without it payloads pass as they are. */
  readonly seal: EncodedOutput["seal"];
  readonly onSealed: (payload: QueuedPayload) => void;
  /** The payload could not be sealed: it is the caller's to give up. */
  readonly onFailed: (payload: QueuedPayload, error: unknown) => void;
}

/** Seals finished payloads one after the other, so that they stay in order. */
export class Sealer {
  private readonly options: SealerOptions;
  private line: Promise<void> = Promise.resolve();
  /** Whom what comes now must wait for. */
  private inLine = 0;
  /** What waits to be sealed. */
  bytes = 0;
  records = 0;

  constructor(options: SealerOptions) {
    this.options = options;
  }

  /** Passes a payload on: at once, when there is nothing to do and nobody to wait for. */
  add(payload: QueuedPayload): void {
    if (this.options.seal === undefined && this.inLine === 0) return this.options.onSealed(payload);
    const { queuedBytes, queuedRecords } = payload;
    this.bytes += queuedBytes;
    this.records += queuedRecords;
    this.enter(async () => {
      const error = await this.seal(payload);
      this.bytes -= queuedBytes;
      this.records -= queuedRecords;
      if (error === undefined) this.options.onSealed(payload);
      else this.options.onFailed(payload, error.reason);
    });
  }

  /** What is added from now on comes behind something else. */
  comeBehind(other: Promise<unknown>): void {
    this.enter(async () => void await other);
  }

  /** Resolves when everything that was added has been passed on. */
  done(): Promise<void> {
    return this.line;
  }

  private enter(step: () => Promise<void>): void {
    this.inLine++;
    this.line = this.line.then(step).finally(() => this.inLine--);
  }

  private async seal(payload: QueuedPayload): Promise<{ readonly reason: unknown } | undefined> {
    const { seal } = this.options;
    if (seal === undefined) return undefined;
    try {
      const sealed = await seal(payload.bytes);
      if (sealed === payload.bytes) return undefined;
      payload.recycle();
      payload.recycle = () => undefined;
      payload.bytes = sealed;
      payload.queuedBytes = sealed.length;
      return undefined;
    } catch (reason) {
      return { reason };
    }
  }
}
