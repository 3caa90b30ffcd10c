import { Batch, defineFilter, field, type LogRecord } from "logcollector/plugin";
import * as z from "zod";

/** More values than this in one period are counted together. */
const MAX_GROUPS = 1000;
const OTHERS = "(others)";

/** What was counted in one period, and what its records' acks wait for. */
interface Period {
  readonly counts: Map<string, number>;
  readonly holds: (() => void)[];
}

export default defineFilter({
  name: "count_per_minute",
  summary: "Counts records by a field, and sends one record a period instead of them all.",
  config: z.object({
    key: field.text().default("level").describe("Field to count by"),
    period: field.duration().default(60_000).describe("How long is counted"),
    tag: field.text().default("counts").describe("Tag of the counts"),
    keep: field.bool().default(false).describe("Let the counted records pass too"),
  }),
  create({ key, period: periodMs, tag, keep }, ctx) {
    let current: Period = { counts: new Map(), holds: [] };
    let cancel: (() => void) | undefined;

    const count = (value: string): void => {
      const { counts } = current;
      const name = counts.has(value) || counts.size < MAX_GROUPS ? value : OTHERS;
      counts.set(name, (counts.get(name) ?? 0) + 1);
    };
    /** The counts of the period that ends, and a new one. */
    const take = (): { batch: Batch; release: () => void } => {
      const { counts, holds } = current;
      current = { counts: new Map(), holds: [] };
      const time = ctx.clock.wall();
      const records = [...counts].map(([value, records]): LogRecord => ({
        ...time,
        body: { [key]: value, records },
      }));
      return { batch: Batch.of(tag, records), release: () => holds.forEach((each) => each()) };
    };
    const tick = (): void => {
      cancel = undefined;
      const { batch, release } = take();
      // What was counted counts as delivered when the counts are.
      Promise.resolve(ctx.emit(batch, release)).catch((error: Error) =>
        ctx.log.error(`Cannot send counts: ${error.message}`)
      );
    };
    return {
      process(batch) {
        if (batch.length === 0) return batch;
        for (const { body } of batch.records) count(String(body[key] ?? "(none)"));
        cancel ??= ctx.clock.after(periodMs, tick);
        if (keep) return batch;
        current.holds.push(ctx.hold());
        return batch.with([]);
      },
      flush() {
        cancel?.();
        cancel = undefined;
        // At the end the engine lets go of the holds, once what is returned here is safe.
        const { batch } = take();
        return batch.length === 0 ? [] : [batch];
      },
      close: () => cancel?.(),
    };
  },
});
