import type { Payload } from "../sdk/payload.ts";

/** Something that is told when its part of a payload is safe. */
export interface Holder {
  hold(): void;
  release(): void;
}

/** A finished payload on its way to one output, with those who wait for it. */
export interface QueuedPayload extends Payload {
  bytes: Uint8Array;
  records: number;
  attempt: number;
  readonly holders: readonly Holder[];
  /** What the queue's books say of it; a partial delivery changes `bytes` and `records`, not these. */
  queuedBytes: number;
  readonly queuedRecords: number;
  /** Gives the memory back. Nothing may read `bytes` afterwards. */
  recycle: () => void;
}
