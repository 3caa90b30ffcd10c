import type { Clock, Logger } from "../../sdk/context.ts";

export interface DiskTroubleOptions {
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** A problem with the disk, for the metrics. */
  readonly onDiskError: () => void;
}

/** Trouble that lasts is said once in so many milliseconds. */
const SAY_AGAIN_MS = 60_000;

/** Counts and says what the disk refuses. */
export class DiskTrouble {
  private readonly options: DiskTroubleOptions;
  private readonly silentUntilMs = new Map<string, number>();

  constructor(options: DiskTroubleOptions) {
    this.options = options;
  }

  /** `what` could not be done to the queue. */
  report(what: string, error: unknown): void {
    const { folder, clock, log, onDiskError } = this.options;
    onDiskError();
    const nowMs = clock.nowMs();
    if (nowMs < (this.silentUntilMs.get(what) ?? 0)) return;
    this.silentUntilMs.set(what, nowMs + SAY_AGAIN_MS);
    log.error(
      `Cannot ${what} the queue in ${folder}: ${
        (error as Error)?.message ?? error
      }; inputs wait, and it is tried again`,
    );
  }
}
