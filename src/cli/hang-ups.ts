import type { SignalSource } from "./stop-on-signals.ts";

/** SIGHUP as the wish for a reload. One that comes during the start is not lost, and does not end the process. */
export class HangUps {
  private serveOne: (() => void) | undefined;
  private isPending = false;

  constructor(source: Pick<SignalSource, "onHangUp">) {
    source.onHangUp(() => {
      if (this.serveOne === undefined) this.isPending = true;
      else this.serveOne();
    });
  }

  /** From now on each one calls this, and one that came before does so at once. */
  serve(call: () => void): void {
    this.serveOne = call;
    if (this.isPending) call();
    this.isPending = false;
  }
}
