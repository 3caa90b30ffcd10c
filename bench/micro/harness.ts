import { median, type Spread, spread } from "../statistics.ts";

/** One way to do a task. */
export interface Contestant {
  readonly name: string;
  /** Does the task once. What it returns keeps it from being optimised away, and must be the same for all of a task. */
  readonly run: () => number;
}

/** Several ways to do the same to one block. */
export interface Task {
  readonly name: string;
  /** Of the block, in bytes and in records. */
  readonly bytes: number;
  readonly records: number;
  readonly contestants: readonly Contestant[];
}

export interface Result {
  readonly task: string;
  readonly contestant: string;
  readonly bytes: number;
  readonly records: number;
  /** CPU seconds of one run, by sample. */
  readonly samplesSec: readonly number[];
}

export interface HarnessOptions {
  readonly samples: number;
  /** Least time of a sample, in milliseconds: the processor's clock of a process counts in small steps. */
  readonly sampleMs: number;
  readonly warmUpMs: number;
}

/**
 * Measures all ways to do a task: warms each up, and then takes samples of them in turn, so that a slow moment hits
 * all alike. Times are CPU time of the whole process, with the collector of garbage and the compiler.
 */
export function measureTask(
  { name, bytes, records, contestants }: Task,
  { samples, sampleMs, warmUpMs }: HarnessOptions,
): Result[] {
  checkAgreement(name, contestants);
  const repetitions = contestants.map(({ run }) => {
    const runs = runFor(run, warmUpMs);
    return Math.max(1, Math.ceil(runs * sampleMs / warmUpMs));
  });
  const taken = contestants.map(() => [] as number[]);
  for (let sample = 0; sample < samples; sample++) {
    contestants.forEach(({ run }, c) => {
      // What the one before left behind is not this one's to clear away.
      Bun.gc(true);
      taken[c]!.push(cpuSecOf(run, repetitions[c]!) / repetitions[c]!);
    });
  }
  return contestants.map(({ name: contestant }, c) => ({
    task: name,
    contestant,
    bytes,
    records,
    samplesSec: taken[c]!,
  }));
}

/** Megabytes and records per CPU second; the spread is of the megabytes. */
export function rateOf({ bytes, records, samplesSec }: Result): {
  readonly mbPerSec: number;
  readonly recordsPerSec: number;
  readonly spread: Spread;
} {
  const sec = median(samplesSec);
  return {
    mbPerSec: bytes / sec / 1e6,
    recordsPerSec: records / sec,
    spread: spread(samplesSec.map((each) => bytes / each / 1e6)),
  };
}

/** A way that does something else is none. Throws an Error that names it. */
function checkAgreement(task: string, contestants: readonly Contestant[]): void {
  const results = contestants.map(({ run }) => run());
  const odd = results.findIndex((result) => result !== results[0]);
  if (odd === -1) return;
  throw new Error(
    `Cannot compare "${task}": "${contestants[odd]!.name}" came to ${results[odd]}, not ${
      results[0]
    }`,
  );
}

/** Runs for some time, and returns how often. */
function runFor(run: () => number, ms: number): number {
  const endMs = performance.now() + ms;
  let runs = 0;
  do {
    kept ^= run();
    runs++;
  } while (performance.now() < endMs);
  return runs;
}

function cpuSecOf(run: () => number, repetitions: number): number {
  const before = process.cpuUsage();
  for (let i = 0; i < repetitions; i++) kept ^= run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

/** Seen from outside the module, so that nobody can prove that results are not wanted. */
export let kept = 0;
