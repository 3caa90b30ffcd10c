const BASE_MS = 500;
const CAP_MS = 30_000;

/**
 * The pause before a process is started again after it ended `failures` times without having done anything,
 * in milliseconds: doubling, with a random half.
 */
export function restartPauseMs(failures: number, random: () => number = Math.random): number {
  const full = Math.min(CAP_MS, BASE_MS * 2 ** Math.min(failures - 1, 20));
  return full / 2 + random() * full / 2;
}
