/** The value in the middle; of an even number, the mean of the two there. NaN when there is none. */
export function median(values: readonly number[]): number {
  const half = (values.length - 1) / 2;
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[Math.floor(half)]! + sorted[Math.ceil(half)]!) / 2;
}

/** The smallest of the values that a share of all does not exceed, by nearest rank. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? NaN;
}

export interface Spread {
  readonly min: number;
  readonly max: number;
}

export function spread(values: readonly number[]): Spread {
  return { min: Math.min(...values), max: Math.max(...values) };
}
