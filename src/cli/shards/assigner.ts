import type { StreamClaim } from "../../sdk/shard.ts";

interface Assigned {
  readonly shard: number;
  readonly keys: readonly string[];
}

/** Streams that are remembered for one input; the oldest are forgotten first. */
const MAX_STREAMS = 100_000;

/** Which shard each stream of one input belongs to: with those that it is related to, else where the fewest are. */
export class Assigner {
  private readonly byKey = new Map<string, Assigned>();
  private readonly streams = new Set<Assigned>();
  private readonly loads: number[];

  constructor(count: number) {
    this.loads = new Array<number>(count).fill(0);
  }

  /** Streams that are assigned to each shard. */
  get counts(): readonly number[] {
    return this.loads;
  }

  /** The shard of a stream, which it keeps until it is released. */
  assign({ by, as }: StreamClaim): number {
    const related = by.map((key) => this.byKey.get(key)).find((known) => known !== undefined);
    // Asked again, as every shard does: nothing is new.
    if (related !== undefined && as.every((key) => this.byKey.get(key) === related)) {
      return related.shard;
    }
    const shard = related?.shard ?? this.loads.indexOf(Math.min(...this.loads));
    this.put({ shard, keys: as });
    return shard;
  }

  /** A stream that is this shard's from before. */
  seed(key: string, shard: number): void {
    this.put({ shard, keys: [key] });
  }

  release(key: string): void {
    const stream = this.byKey.get(key);
    if (stream !== undefined) this.remove(stream);
  }

  private put(stream: Assigned): void {
    // Of the streams before it that have no key left nobody can ask any more.
    const before = new Set(stream.keys.map((key) => this.byKey.get(key)));
    for (const key of stream.keys) this.byKey.set(key, stream);
    this.streams.add(stream);
    this.loads[stream.shard]!++;
    for (const other of before) {
      if (other !== undefined && !other.keys.some((key) => this.byKey.get(key) === other)) {
        this.remove(other);
      }
    }
    if (this.streams.size > MAX_STREAMS) this.remove(this.streams.values().next().value!);
  }

  private remove(stream: Assigned): void {
    if (!this.streams.delete(stream)) return;
    this.loads[stream.shard]!--;
    for (const key of stream.keys) if (this.byKey.get(key) === stream) this.byKey.delete(key);
  }
}
