import { defineFilter, field, type FilterContext } from "logcollector/plugin";
import * as z from "zod";

const DEFAULT_RATE = 1;
const DEFAULT_WINDOW = 5;

const config = z.object({
  rate: field.float().default(DEFAULT_RATE)
    .describe("Records that pass per interval, on average over the window; at least 1"),
  window: field.int().default(DEFAULT_WINDOW)
    .describe("Number of intervals that the average is taken over; 1 and less mean 5"),
  interval: field.duration().default(1000)
    .describe("Length of an interval"),
  print_status: field.bool().default(false)
    .describe("Log the limit and the current rate in every interval"),
});

export default defineFilter({
  name: "throttle",
  summary: "Drops records beyond an average rate, measured over a sliding window.",
  config,
  create(options, ctx) {
    // Fluent Bit does the same with values that make no sense.
    const rate = options.rate <= 1 ? DEFAULT_RATE : options.rate;
    const panes = options.window <= 1 ? DEFAULT_WINDOW : options.window;
    const intervalMs = options.interval > 0 ? options.interval : 1000;
    const window = new SlidingWindow(panes, intervalMs, ctx.clock.nowMs());
    const stopPrinting = options.print_status
      ? printStatus(ctx, intervalMs, (nowMs) => {
        const current = Math.trunc(window.total(nowMs) / panes);
        return `Limit is ${rate} per ${intervalMs / 1000}s with a window of ${panes}, ` +
          `current rate is ${current} per interval`;
      })
      : undefined;
    return {
      process(batch) {
        const nowMs = ctx.clock.nowMs();
        const free = Math.max(0, Math.ceil(rate * panes - window.total(nowMs)));
        window.add(Math.min(free, batch.length));
        if (batch.length <= free) return batch;
        batch.records.length = free;
        return batch;
      },
      close: () => stopPrinting?.(),
    };
  },
});

/** Counts per interval, for the last few intervals. */
class SlidingWindow {
  private readonly counts: number[];
  private readonly intervalMs: number;
  private readonly startMs: number;
  private sum = 0;
  /** Number of the current interval since the start. */
  private current = 0;

  constructor(panes: number, intervalMs: number, startMs: number) {
    this.counts = new Array<number>(panes).fill(0);
    this.intervalMs = intervalMs;
    this.startMs = startMs;
  }

  /** Adds to the interval that the last call of {@link total} made current. */
  add(count: number): void {
    this.counts[this.current % this.counts.length]! += count;
    this.sum += count;
  }

  total(nowMs: number): number {
    const interval = Math.floor((nowMs - this.startMs) / this.intervalMs);
    const passed = Math.min(interval - this.current, this.counts.length);
    for (let i = 1; i <= passed; i++) {
      const pane = (interval - passed + i) % this.counts.length;
      this.sum -= this.counts[pane]!;
      this.counts[pane] = 0;
    }
    this.current = interval;
    return this.sum;
  }
}

/** Returns a function that ends it. */
function printStatus(
  { clock, log }: FilterContext,
  intervalMs: number,
  status: (nowMs: number) => string,
): () => void {
  let cancel: () => void;
  const print = (): void => {
    log.info(status(clock.nowMs()));
    cancel = clock.after(intervalMs, print);
  };
  cancel = clock.after(intervalMs, print);
  return () => cancel();
}
