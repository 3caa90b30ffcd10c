/** Holds callers back while something is over its limit. */
export class Gate {
  private waiters: (() => void)[] = [];

  /** Resolves at the next {@link open}. */
  wait(): Promise<void> {
    return new Promise((resolve) => this.waiters.push(resolve));
  }

  /** Lets everybody through who waits now. */
  open(): void {
    if (this.waiters.length === 0) return;
    const waiters = this.waiters;
    this.waiters = [];
    for (const resolve of waiters) resolve();
  }
}
