import type { FilterContext } from "./context.ts";
import type { Filter } from "./define.ts";
import type { LogRecord } from "./record.ts";

/**
 * A filter from a function of one record: return it, changed or not, to keep it, `null` to drop it. A
 * throw rejects that record alone.
 *
 * ```ts
 * create: (config, ctx) => perRecord(ctx, (record) => record.body.level === "debug" ? null : record)
 * ```
 */
export function perRecord(
  ctx: Pick<FilterContext, "reject">,
  call: (record: LogRecord) => LogRecord | null,
): Filter {
  const attempt = (record: LogRecord): LogRecord | null => {
    try {
      return call(record);
    } catch (error) {
      return ctx.reject(record, error);
    }
  };
  return {
    process(batch) {
      const records = batch.records;
      let kept = 0;
      for (let i = 0; i < records.length; i++) {
        const result = attempt(records[i]!);
        if (result !== null) records[kept++] = result;
      }
      records.length = kept;
      return batch;
    },
  };
}
