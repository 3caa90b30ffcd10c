import type { Logger } from "../sdk/context.ts";

/** Where errors come to light that nothing caught. */
export interface FaultSource {
  /** Calls back with what was thrown or rejected. Having asked for it, the process goes on. */
  onFault(call: (error: unknown) => void): void;
}

/**
 * Reports what nothing caught, and goes on: a mistake in one plugin's timer, or a promise that it forgot,
 * must not cost what all the others still hold. The runtime would end the process.
 */
export function surviveFaults(say: Logger, source: FaultSource): void {
  source.onFault((error) => {
    const [message, stack] = error instanceof Error
      ? [error.message, error.stack]
      : [String(error), undefined];
    say.error(`Nothing caught this error: ${message}; going on`, {
      stack: stack?.replace(/\s*\n\s*/g, " < "),
    });
  });
}
