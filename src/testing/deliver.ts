import { PartialError, PermanentError, ThrottledError } from "../sdk/errors.ts";
import type { Payload } from "../sdk/payload.ts";
import { DEADLINE_MS, DeadlineError, inTime } from "./deadline.ts";
import type { FakeClock } from "./fake-clock.ts";

/** What became of records that were delivered as the collector does it. */
export interface Delivery {
  readonly delivered: number;
  /** Records that the output refused for good, by PermanentError or PartialError. */
  readonly refused: number;
  /** Records that were still not delivered after the last attempt. */
  readonly failed: number;
  /** Calls of `send` or `write`, those that failed at `open` too. */
  readonly attempts: number;
  /** Pauses between the attempts, in milliseconds of the plugin's time. */
  readonly waitedMs: number;
  /** What the attempts threw, in order. */
  readonly errors: readonly unknown[];
}

export interface DeliverOptions {
  /** Attempts for each payload, 5 by default. */
  readonly attempts?: number;
  /**
   * How long one attempt may take in milliseconds of real time, 5000 by default; an attempt that takes longer makes
   * `deliver` reject.
   */
  readonly deadlineMs?: number;
}

/** Something to deliver, and how to try it. */
export interface Job {
  readonly payload: Payload;
  readonly attempt: (payload: Payload, signal: AbortSignal) => Promise<void>;
}

const PAUSE_MS = 1000;

interface Settings extends DeliverOptions {
  readonly id: string;
  readonly clock: FakeClock;
}

/** Tries each payload until it is delivered, refused or out of attempts. */
export async function deliver(
  jobs: readonly Job[],
  open: (signal: AbortSignal) => Promise<void>,
  { id, clock, attempts = 5, deadlineMs = DEADLINE_MS }: Settings,
): Promise<Delivery> {
  const sum = { delivered: 0, refused: 0, failed: 0, attempts: 0, waitedMs: 0 };
  const errors: unknown[] = [];
  const { signal } = new AbortController();
  for (const { payload: first, attempt } of jobs) {
    for (let payload = first; payload.records > 0;) {
      sum.attempts++;
      try {
        const work = open(signal).then(() => attempt(payload, signal));
        await inTime(work, `${id}: attempt ${payload.attempt} succeeds or fails`, deadlineMs);
        sum.delivered += payload.records;
        break;
      } catch (error) {
        if (error instanceof DeadlineError) throw error;
        errors.push(error);
        const rest = remaining(payload, error);
        sum.refused += rest.refused;
        sum.delivered += payload.records - rest.refused - rest.payload.records;
        payload = rest.payload;
        if (payload.records === 0) break;
        if (payload.attempt > attempts) {
          sum.failed += payload.records;
          break;
        }
        const pauseMs = pauseOf(error);
        sum.waitedMs += pauseMs;
        await clock.advance(pauseMs);
      }
    }
  }
  return { ...sum, errors };
}

function pauseOf(error: unknown): number {
  return error instanceof ThrottledError && error.retryAfterMs > 0 ? error.retryAfterMs : PAUSE_MS;
}

/** What is left to send of a payload after a failed attempt, and how many of its records were refused. */
function remaining(payload: Payload, error: unknown): { payload: Payload; refused: number } {
  const attempt = payload.attempt + 1;
  if (error instanceof PermanentError) {
    return { payload: { ...payload, records: 0 }, refused: payload.records };
  }
  if (!(error instanceof PartialError)) return { payload: { ...payload, attempt }, refused: 0 };
  const rest = { ...payload, bytes: error.remaining, records: error.records, attempt };
  return { payload: rest, refused: error.refused };
}
