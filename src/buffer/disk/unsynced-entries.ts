import type { Holder } from "../queued-payload.ts";

interface Unsynced {
  readonly seq: number;
  readonly bytes: number;
  readonly holders: readonly Holder[];
}

/** Entries that were written and are not known to be on the disk, with those who wait for that. */
export class UnsyncedEntries {
  private readonly log: object;
  // A Map keeps the order of insertion, which is that of the numbers.
  private readonly entries = new Map<number, Unsynced>();
  /** Bytes of those entries. */
  bytes = 0;

  constructor(log: object) {
    this.log = log;
  }

  get isEmpty(): boolean {
    return this.entries.size === 0;
  }

  add(entry: Unsynced): void {
    this.entries.set(entry.seq, entry);
    this.bytes += entry.bytes;
  }

  /** Everything up to this number is on the disk. */
  synced(upTo: number): void {
    for (const entry of this.entries.values()) {
      if (entry.seq > upTo) return;
      this.release(entry);
    }
  }

  /** The entry is delivered or given up, on the disk or not. */
  done(seq: number): void {
    const entry = this.entries.get(seq);
    if (entry !== undefined) this.release(entry);
  }

  private release(entry: Unsynced): void {
    this.entries.delete(entry.seq);
    this.bytes -= entry.bytes;
    for (const holder of entry.holders) holder.releaseLogged(this.log);
  }
}
