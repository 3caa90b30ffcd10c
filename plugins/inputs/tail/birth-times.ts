import { type Stats, statSync } from "node:fs";

/**
 * The times that a file system puts down may lie so far behind the clock, in milliseconds: their step is a few
 * milliseconds, or a second.
 */
export const FILE_TIME_STEP_MS = 1000;

/**
 * When files were made, as far as that can be relied on: a time of birth tells a file from another that got its
 * inode. Some file systems keep none, some make one up that moves.
 */
export class BirthTimes {
  private readonly real: boolean;
  private readonly distrusted = new Set<number>();

  constructor(real: boolean = areReal()) {
    this.real = real;
  }

  /** Milliseconds since 1970; 0 when it is not known. */
  of(stat: Stats): number {
    return this.real && !this.distrusted.has(stat.dev) ? stat.birthtimeMs : 0;
  }

  /** A file that cannot have been made anew has another time of birth than before: nothing there is to be trusted. */
  distrust(dev: number): void {
    this.distrusted.add(dev);
  }
}

/** Fractions of a millisecond are not compared: they are a matter of rounding. */
export function isSameBirth(one: number, other: number): boolean {
  return Math.abs(one - other) < 1;
}

/**
 * Where a file has no time of birth, the system's own call says 0. A runtime that does without that call gives the
 * time of the last change instead, for every file: then /proc, which has none, shows it.
 */
function areReal(): boolean {
  if (process.platform !== "linux") return true;
  try {
    return statSync("/proc/self").birthtimeMs === 0;
  } catch {
    return false;
  }
}
