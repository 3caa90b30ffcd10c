import type { Stats } from "node:fs";
import { type BirthTimes, isSameBirth } from "./birth-times.ts";

/** The identity of a file on this machine while it exists: it survives a rename. */
export function identityOf(stat: Stats): string {
  return `${stat.dev}:${stat.ino}`;
}

/** Which file it is, and where records say that it is. */
export interface FileIdentity {
  /** The path that records and tags speak of. */
  readonly path: string;
  /** Where it was made, with links resolved: there its successors appear, and it is looked for when it was renamed. */
  readonly home: string;
  /** `undefined` when that is not known, as in positions of another program. */
  readonly dev: number | undefined;
  readonly ino: number;
  /** Milliseconds since 1970; 0 when it is not known. */
  readonly birthMs: number;
  /** It cannot have been made later than this, in milliseconds since 1970; for when its birth is not known. */
  readonly madeBeforeMs: number | undefined;
  /**
   * Set for a file that was there before anybody looked, in milliseconds since 1970: what was made earlier than this
   * did not come after it, whatever its name says.
   */
  readonly sinceMs: number | undefined;
}

/** Of a file whose inode has the number: whether it is the one, as far as can be told without its content. */
export type Likeness = "same" | "other" | "perhaps";

/**
 * Whether a file that was looked at is the one that is known. `perhaps`: its path or its content must decide. The
 * number of a device may be another one after the machine was started again.
 */
export function likeness(known: FileIdentity, stat: Stats, births: BirthTimes): Likeness {
  if (known.ino !== stat.ino) return "other";
  const birthMs = births.of(stat);
  if (birthMs > 0 && known.birthMs > 0) {
    if (!isSameBirth(birthMs, known.birthMs)) return "other";
    return known.dev === stat.dev ? "same" : "perhaps";
  }
  const tooYoung = birthMs > 0 && known.madeBeforeMs !== undefined && birthMs > known.madeBeforeMs;
  return tooYoung ? "other" : "perhaps";
}

/** The name of a file's stream: another file that gets its inode has another one. */
export function streamOf(stat: Stats, births: BirthTimes): string {
  const birthMs = births.of(stat);
  return birthMs > 0 ? `${identityOf(stat)}:${Math.floor(birthMs)}` : identityOf(stat);
}
