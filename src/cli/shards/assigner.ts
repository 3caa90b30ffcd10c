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
  private readonly count: number;
  private readonly seeds = new Set<string>();

  /** Shards from `count` on get only what belongs with what is theirs from before. */
  constructor(count: number) {
    this.count = count;
    this.loads = new Array<number>(count).fill(0);
  }

  /** Streams that are assigned to each shard. */
  get counts(): readonly number[] {
    return this.loads;
  }

  /** The shards of streams that are asked of together: those that are some shard's from before decide first. */
  assignAll(streams: readonly StreamClaim[]): number[] {
    const isSeeded = ({ by }: StreamClaim) => by.some((key) => this.seeds.has(key));
    for (const stream of streams) if (isSeeded(stream)) this.assign(stream);
    return streams.map((stream) => this.assign(stream));
  }

  /** The shard of a stream, which it keeps until it is released. */
  assign({ by, as }: StreamClaim): number {
    const related = by.map((key) => this.byKey.get(key)).find((known) => known !== undefined);
    // Asked again, as every shard does: nothing is new.
    if (related !== undefined && as.every((key) => this.byKey.get(key) === related)) {
      return related.shard;
    }
    const shard = related?.shard ?? this.emptiest;
    this.put({ shard, keys: as });
    return shard;
  }

  /** A stream that is this shard's from before. */
  seed(key: string, shard: number): void {
    this.seeds.add(key);
    this.put({ shard, keys: [key] });
  }

  release(key: string): void {
    const stream = this.byKey.get(key);
    if (stream !== undefined) this.remove(stream);
  }

  private get emptiest(): number {
    const loads = this.loads.slice(0, this.count);
    return loads.indexOf(Math.min(...loads));
  }

  private put(stream: Assigned): void {
    // Of the streams before it that have no key left nobody can ask any more.
    const before = new Set(stream.keys.map((key) => this.byKey.get(key)));
    for (const key of stream.keys) this.byKey.set(key, stream);
    this.streams.add(stream);
    this.loads[stream.shard] = (this.loads[stream.shard] ?? 0) + 1;
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
