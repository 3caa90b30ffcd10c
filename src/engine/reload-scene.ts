import type { Clock, Logger } from "../sdk/context.ts";
import type { Lineup } from "./lineup.ts";
import type { RunningInputs } from "./running-inputs.ts";
import type { SharedParts } from "./shared-parts.ts";

/** What a change of the configuration takes place in. */
export interface ReloadScene {
  readonly parts: SharedParts;
  readonly lineup: Lineup;
  readonly running: RunningInputs;
  readonly clock: Clock;
  readonly log: Logger;
  /** How long what is under way may take to come to its end, in milliseconds. */
  readonly patienceMs: number;
  /** Aborts when the pipeline is about to stop: nothing new begins any more. */
  readonly stopping: AbortSignal;
}

/** How long one plugin may take to close, in milliseconds. */
export const CLOSE_MS = 2000;
