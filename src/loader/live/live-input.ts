import type { Input, MaybePromise } from "../../sdk/define.ts";
import type { LiveInstance } from "./live-instance.ts";

/** An input that can be exchanged: the old one is asked to return, then the new one runs. */
export class LiveInput implements Input, LiveInstance<Input> {
  private current: Input;
  private next: Input | undefined;
  private stopCurrent: (() => void) | undefined;

  private readonly onClose: () => void;

  constructor(first: Input, onClose: () => void) {
    this.current = first;
    this.onClose = onClose;
  }

  check(): void {}

  swap(next: Input): void {
    if (this.stopCurrent === undefined) {
      // It has ended on its own, or does not run yet.
      void this.current.close?.();
      this.current = next;
      return;
    }
    this.next = next;
    this.stopCurrent();
  }

  async prepare(): Promise<void> {
    await (this.current as { prepare?(): Promise<void> }).prepare?.();
  }

  async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      const stop = new AbortController();
      this.stopCurrent = () => stop.abort();
      try {
        await this.current.run(AbortSignal.any([signal, stop.signal]));
      } finally {
        this.stopCurrent = undefined;
      }
      const { next } = this;
      this.next = undefined;
      if (next === undefined || signal.aborted) return;
      const old = this.current;
      this.current = next;
      await old.close?.();
    }
  }

  close(): MaybePromise<void> {
    this.onClose();
    return this.current.close?.();
  }
}
