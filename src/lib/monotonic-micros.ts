import { cFunctions } from "./c-library.ts";

const CLOCK_MONOTONIC = 1;

type ClockGettime = (clock: number, time: BigInt64Array) => number;

/**
 * The system's monotonic clock in microseconds, which other processes read too: the runtime's own clocks begin with
 * the process. Throws where it is not to be had.
 */
export function monotonicMicros(): bigint {
  const { clock_gettime } = cFunctions({
    clock_gettime: { args: ["i32", "ptr"], returns: "i32" },
  });
  const time = new BigInt64Array(2);
  const status = (clock_gettime as ClockGettime)(CLOCK_MONOTONIC, time);
  if (status !== 0) throw new Error("Cannot read the monotonic clock");
  return time[0]! * 1_000_000n + time[1]! / 1000n;
}
