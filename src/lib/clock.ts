/** Timers take no more: a longer time would pass at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The machine's own time. Shaped like the SDK's `Clock`. */
export const systemClock = {
  nowMs: (): number => performance.now(),
  wall(): { sec: number; nsec: number } {
    // Date.now() has milliseconds only; the performance clock adds the rest, and is re-based on every call,
    // so that a clock that was set does not linger.
    const ms = Date.now();
    const sec = Math.floor(ms / 1000);
    const micros = Math.floor((performance.now() % 1) * 1000);
    return { sec, nsec: (ms - sec * 1000) * 1_000_000 + micros * 1000 };
  },
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, Math.min(ms, MAX_TIMER_MS));
      signal?.addEventListener("abort", done, { once: true });
    });
  },
  after(ms: number, call: () => void): () => void {
    const timer = setTimeout(call, Math.min(ms, MAX_TIMER_MS));
    return () => clearTimeout(timer);
  },
};
