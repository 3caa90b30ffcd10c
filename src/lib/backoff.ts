/** Limits of the pauses between attempts, in milliseconds. */
export interface BackoffLimits {
  readonly baseMs: number;
  readonly capMs: number;
}

/**
 * The pause before the attempt after `failures` failed ones: doubling from the base to the cap, with a
 * random half, so that many collectors do not return to a recovering server in step.
 */
export function backoffMs(
  failures: number,
  { baseMs, capMs }: BackoffLimits,
  random: () => number = Math.random,
): number {
  const full = Math.min(capMs, baseMs * 2 ** Math.min(failures - 1, 40));
  return full / 2 + random() * full / 2;
}
