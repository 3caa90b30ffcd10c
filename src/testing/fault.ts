import { turn } from "./fake-clock.ts";

/** What goes wrong at a call: it returns when nothing does, waits when the call is slow, throws when it fails. */
export type Fault = (call: FaultCall) => void | Promise<void>;

/** The call that a {@link Fault} is asked about. */
export interface FaultCall {
  /** 1 for the first call. */
  readonly number: number;
}

/** Calls fail: the first `times` of them, or all. The error's message is `message`. */
export function failing(times: number = Infinity, message: string = "injected fault"): Fault {
  return async ({ number }) => {
    if (number > times) return;
    await turn();
    throw new Error(message);
  };
}

/** Calls throw at once instead of rejecting later. */
export function throwing(times: number = Infinity, message: string = "injected fault"): Fault {
  return ({ number }) => {
    if (number <= times) throw new Error(message);
  };
}

/** Calls take so many milliseconds of real time. */
export function slow(ms: number): Fault {
  return () => new Promise((resolve) => setTimeout(resolve, ms));
}

/** A valve: calls pass while it is open and wait while it is shut, as in a pipeline whose outputs are full. */
export interface Valve {
  readonly fault: Fault;
  /** Calls that wait now. */
  readonly waiting: number;
  /** Calls wait from now on. */
  shut(): void;
  /** Lets everybody through who waits, and all that come. */
  open(): void;
}

/**
 * ```ts
 * const valve = blocking();
 * await using input = testInput(definition, {}, { onEmit: valve.fault });
 * // … the input must stop reading …
 * valve.open();
 * ```
 */
export function blocking(): Valve {
  const waiting = new Set<() => void>();
  let isShut = true;
  return {
    fault: () => isShut ? new Promise<void>((resolve) => waiting.add(resolve)) : undefined,
    get waiting() {
      return waiting.size;
    },
    shut: () => void (isShut = true),
    open() {
      isShut = false;
      for (const resolve of waiting) resolve();
      waiting.clear();
    },
  };
}
