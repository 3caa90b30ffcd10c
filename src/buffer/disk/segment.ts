import type { Claim } from "../queued-payload.ts";

/** A file of entries. All but the last of a queue are closed: nothing is added to them any more. */
export interface Segment {
  readonly path: string;
  readonly firstSeq: number;
  /** Records in all entries before the first, since the queue was made. */
  readonly firstRecord: number;
  /** The last entry's number; `firstSeq - 1` when there is none. */
  lastSeq: number;
  /** Records in all entries up to the last. */
  endRecord: number;
  /** Where the last entry ends, in bytes. */
  end: number;
  /** The newest claim of every stream, by {@link claimKey}. */
  readonly claims: Map<string, Claim>;
}

export function claimKey({ input, stream }: Pick<Claim, "input" | "stream">): string {
  return `${input}\n${stream}`;
}

/** Keeps the newest of each stream. */
export function addClaims(to: Map<string, Claim>, claims: Iterable<Claim>): void {
  for (const claim of claims) {
    const key = claimKey(claim);
    if ((to.get(key)?.order ?? -1) < claim.order) to.set(key, claim);
  }
}
