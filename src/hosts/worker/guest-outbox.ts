import type { FromGuest, GuestEvent } from "./messages.ts";

/** More log lines than this from one stretch of work are left out: the host must not drown in them. */
const MAX_LOGS = 1000;

/**
 * What a plugin does through its context, on its way to the host. What happens while a call runs is gathered and
 * goes with the answer: one message for a batch, and nothing from a call that never returns.
 */
export class GuestOutbox {
  private readonly post: (message: FromGuest) => void;
  private events: GuestEvent[] = [];
  private logs = 0;
  private skippedLogs = 0;
  /** The call whose synchronous part is running; 0 between calls. */
  call = 0;

  constructor(post: (message: FromGuest) => void) {
    this.post = post;
  }

  push(event: GuestEvent): void {
    if (event.type === "log" && ++this.logs > MAX_LOGS) {
      this.skippedLogs++;
      return;
    }
    this.events.push(event);
    if (this.call === 0) this.flush();
  }

  /** Runs the synchronous part of a call. */
  during<T>(call: number, work: () => T): T {
    const outer = this.call;
    this.call = call;
    try {
      return work();
    } finally {
      this.call = outer;
    }
  }

  flush(): void {
    const events = this.take();
    if (events.length > 0) this.post({ type: "events", events });
  }

  take(): GuestEvent[] {
    const { events, skippedLogs } = this;
    if (skippedLogs > 0) {
      const message = `${skippedLogs} more messages at once were left out`;
      events.push({ type: "log", level: "warn", message, fields: undefined });
    }
    this.events = [];
    this.logs = 0;
    this.skippedLogs = 0;
    return events;
  }
}
