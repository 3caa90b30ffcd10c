import type { Clock, Logger } from "logcollector/plugin";

/** What is wrong with a path is said again after so many milliseconds. */
const SAY_AGAIN_MS = 60_000;
/** Paths that are remembered. */
const MAX_PATHS = 1000;

/** Says what is wrong with a path, at most once a minute. */
export class Complaints {
  private readonly clock: Clock;
  private readonly log: Logger;
  private readonly silentUntilMs = new Map<string, number>();

  constructor({ clock, log }: { readonly clock: Clock; readonly log: Logger }) {
    this.clock = clock;
    this.log = log;
  }

  say(path: string, message: string): void {
    const nowMs = this.clock.nowMs();
    const until = this.silentUntilMs.get(path);
    if (until !== undefined && nowMs < until) return;
    if (this.silentUntilMs.size >= MAX_PATHS) this.silentUntilMs.clear();
    this.silentUntilMs.set(path, nowMs + SAY_AGAIN_MS);
    this.log.warn(message);
  }
}
