import type { Measurement } from "../measure.ts";
import { median, spread } from "../statistics.ts";

/** One run of one collector on one pipeline. */
export interface Run extends Measurement {
  /** Counted from 1, and the place in it. */
  readonly round: number;
  readonly place: number;
  /** Records that arrived; undefined where nobody can count them. */
  readonly delivered: number | undefined;
}

/** All runs of one collector on one pipeline. */
export interface Row {
  readonly pipeline: string;
  readonly collector: string;
  readonly megabytes: number;
  readonly expected: number;
  readonly runs: readonly Run[];
}

export const HEAD = [
  "pipeline",
  "collector",
  "MB per CPU s",
  "min–max",
  "ours to it",
  "MB/s wall",
  "peak RSS, MB",
  "delivered",
] as const;

/** A row of the table; `ours` is what the ratio is taken of. */
export function cellsOf(row: Row, ours: Row): string[] {
  const perCpuSec = mbPerCpuSec(row);
  const { min, max } = spread(perCpuSec);
  return [
    row.pipeline,
    row.collector,
    median(perCpuSec).toFixed(0),
    `${min.toFixed(0)}–${max.toFixed(0)}`,
    row === ours ? "" : (median(mbPerCpuSec(ours)) / median(perCpuSec)).toFixed(2),
    median(row.runs.map(({ wallSec }) => row.megabytes / wallSec)).toFixed(0),
    (median(row.runs.map(({ peakBytes }) => peakBytes)) / 1e6).toFixed(0),
    deliveredOf(row),
  ];
}

function mbPerCpuSec({ megabytes, runs }: Row): number[] {
  return runs.map(({ cpuSec }) => megabytes / cpuSec);
}

/** "all", or the share of the records that arrived in the worst run and in the best. */
function deliveredOf({ runs, expected }: Row): string {
  const counts = runs.flatMap(({ delivered }) => delivered === undefined ? [] : [delivered]);
  if (counts.length === 0) return "not counted";
  if (counts.every((count) => count === expected)) return "all";
  const { min, max } = spread(counts);
  const texts = [min, max].map((count) => shareText(count, expected));
  return texts[0] === texts[1] ? texts[0]! : texts.join(" – ");
}

/** In percent. A single record too few or too many does not round to all. */
function shareText(count: number, expected: number): string {
  const text = (count / expected * 100).toFixed(1);
  if (count !== expected && text === "100.0") return count < expected ? "< 100 %" : "> 100 %";
  return `${text} %`;
}
