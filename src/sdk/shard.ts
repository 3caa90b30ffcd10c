/**
 * The share of an input's streams that one of several threads has. Each stream belongs to one of them, and streams
 * whose order matters belong together.
 */
export interface Shard {
  /** Counted from 0. */
  readonly index: number;
  readonly count: number;
  /** Says of each stream whether it is this shard's. Who asks first decides nothing: the answer is the same for all. */
  claim(streams: readonly StreamClaim[]): Promise<readonly boolean[]>;
  /** The streams that were there at the start are known: what is added to them from now on is new. */
  found(): void;
  /** Nothing needs to be known any more of the stream that was claimed with this key last. */
  release(key: string): void;
}

/**
 * A stream by what it may be known by. Keys are compared within one input. The key `stream NAME`, with a stream's name in
 * batches, is there from the start for what an earlier run left in a queue on disk.
 */
export interface StreamClaim {
  /** Keys that an earlier stream may have left which it belongs with, the surest first. */
  readonly by: readonly string[];
  /** Keys that later streams find it by. */
  readonly as: readonly string[];
}
