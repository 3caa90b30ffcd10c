import type { Payload } from "../sdk/payload.ts";

/** How far a stream got, as a disk queue writes it down beside the records. */
export interface Claim {
  readonly input: string;
  readonly stream: string;
  /** Text that only the input reads. */
  readonly position: string;
  /** Of two claims for one stream the one with the higher number is the newer. */
  readonly order: number;
}

/** Something that is told when its part of a payload is safe. */
export interface Holder {
  /** The id of the input, or of the filter, that the records come from. */
  readonly source: string;
  hold(): void;
  /** The part is safe: delivered, given up, or durable. */
  release(): void;
  /**
   * The part is in this log, behind everything that the log got before, and will be safe when the log is. Still to
   * be released, by {@link releaseLogged}.
   */
  logged(log: object): void;
  releaseLogged(log: object): void;
  /** The part is not in the log after all. */
  unlogged(log: object): void;
  /**
   * The position up to which everything of the stream is safe once this log is, when it has moved since the last
   * time that this log asked.
   */
  claim(log: object): Claim | undefined;
}

/** A finished payload on its way to one output, with those who wait for it. */
export interface QueuedPayload extends Payload {
  bytes: Uint8Array;
  records: number;
  attempt: number;
  readonly holders: readonly Holder[];
  /** Records by the source that they came from; those that are done with are taken out. */
  readonly sources: Map<string, number>;
  /** It was found in the queue, from an earlier run. */
  readonly isRecovered: boolean;
  /** What the queue's limit counts it as; a partial delivery changes `bytes`, not this. */
  queuedBytes: number;
  /** Those that the queue still answers for. */
  queuedRecords: number;
  /** Gives the memory back. Nothing may read `bytes` afterwards. */
  recycle: () => void;
}
