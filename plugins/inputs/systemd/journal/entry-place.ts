/** What an entry is known by, in a file and across files. */
export interface EntryPlace {
  readonly seqnumId: string;
  readonly seqnum: number;
  /** Microseconds since the epoch. */
  readonly realtimeUs: number;
  /** Microseconds since the machine was started. */
  readonly monotonicUs: number;
  readonly bootId: string;
  /** A hash of what is in it, in two numbers of 32 bits. */
  readonly xorHigh: number;
  readonly xorLow: number;
}

/**
 * The order of entries from different files, as journalctl has it: negative when `a` comes first, 0 when both are
 * the same entry.
 */
export function comparePlaces(a: EntryPlace, b: EntryPlace): number {
  if (a.seqnumId === b.seqnumId && a.seqnum !== b.seqnum) return a.seqnum - b.seqnum;
  if (a.bootId === b.bootId && a.monotonicUs !== b.monotonicUs) {
    return a.monotonicUs - b.monotonicUs;
  }
  if (a.realtimeUs !== b.realtimeUs) return a.realtimeUs - b.realtimeUs;
  return a.xorHigh - b.xorHigh || a.xorLow - b.xorLow;
}

/** Whether both are one entry, which several files may have. */
export function isSameEntry(a: EntryPlace, b: EntryPlace): boolean {
  return a.seqnum === b.seqnum && a.realtimeUs === b.realtimeUs &&
    a.monotonicUs === b.monotonicUs &&
    a.bootId === b.bootId && a.xorHigh === b.xorHigh && a.xorLow === b.xorLow;
}
