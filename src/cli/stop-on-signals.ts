import type { Pipeline } from "../engine/pipeline.ts";
import { systemClock } from "../lib/clock.ts";
import type { Logger } from "../sdk/context.ts";
import { EXIT } from "./command-io.ts";

/** The process's signals. */
export interface SignalSource {
  /** Calls back when the process is asked to stop, with the signal's name. */
  onStop(call: (signal: string) => void): void;
  /** Calls back at a SIGHUP that does not mean that the terminal is gone. */
  onHangUp(call: () => void): void;
}

/** A second signal this soon is the same key press: the terminal sends one, and `npm start` passes on another. */
const SAME_KEY_MS = 500;

/** The first signal stops in order; a later one gives up what waits, and resolves the promise. */
export function stopOnSignals(
  pipeline: Pick<Pipeline, "requestStop">,
  say: Logger,
  source: Pick<SignalSource, "onStop">,
): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  let firstMs: number | undefined;
  source.onStop((signal) => {
    const nowMs = systemClock.nowMs();
    if (firstMs === undefined) {
      firstMs = nowMs;
      say.info(`Stopping on ${signal}`);
      pipeline.requestStop();
    } else if (nowMs - firstMs >= SAME_KEY_MS) {
      say.warn(`Stopping at once on another ${signal}: what still waits is not delivered`);
      resolve(EXIT.failed);
    }
  });
  return promise;
}
