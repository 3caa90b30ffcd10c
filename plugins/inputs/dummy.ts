import {
  Batch,
  type Body,
  ConfigError,
  defineInput,
  field,
  type LogRecord,
  parseJsonObject,
} from "logcollector/plugin";
import * as z from "zod";

const config = z.object({
  dummy: field.text().default('{"message":"dummy"}').describe("The record's fields, a JSON object"),
  metadata: field.text().default("{}").describe("The record's metadata, a JSON object"),
  rate: field.float({ min: 0 }).default(1).describe("Records per second"),
  copies: field.int({ min: 1, max: 1_000_000 }).default(1).describe("Copies of each record"),
  samples: field.int({ min: 0 }).default(0).describe(
    "Stop making records after so many; 0 for never",
  ),
  interval_sec: field.int({ min: 0 }).default(0).describe(
    "Seconds from one record to the next, instead of rate",
  ),
  interval_nsec: field.int({ min: 0 }).default(0).describe(
    "Nanoseconds from one record to the next, added to interval_sec",
  ),
  start_time_sec: field.int({ min: -1 }).default(-1).describe(
    "Time of the first record in seconds since 1970; -1 for now",
  ),
  start_time_nsec: field.int({ min: -1 }).default(-1).describe(
    "Nanoseconds of the first record's time; -1 for now",
  ),
  fixed_timestamp: field.bool().default(false).describe("Gives all records the first one's time"),
  flush_on_startup: field.bool().default(false).describe("Makes the first record at once"),
});

export default defineInput({
  name: "dummy",
  summary: "Makes the same record again and again, for trying out a configuration",
  config,
  create(options, ctx) {
    const body = objectOf(options.dummy, "dummy");
    const metadata = objectOf(options.metadata, "metadata");
    const time = timestamps(options, () => ctx.clock.wall());
    const periodMs = options.interval_sec > 0 || options.interval_nsec > 0
      ? options.interval_sec * 1000 + options.interval_nsec / 1e6
      : 1000 / (options.rate || 1);
    const make = (): Batch => {
      const records: LogRecord[] = [];
      for (let i = 0; i < options.copies; i++) {
        records.push({
          ...time(),
          body: structuredClone(body),
          metadata: structuredClone(metadata),
        });
      }
      return Batch.of(ctx.tag, records);
    };
    return {
      async run(signal) {
        let dueMs = ctx.clock.nowMs() + (options.flush_on_startup ? 0 : periodMs);
        for (let made = 0; options.samples === 0 || made < options.samples; made++) {
          await ctx.clock.sleep(Math.max(0, dueMs - ctx.clock.nowMs()), signal);
          if (signal.aborted) return;
          await ctx.emit(make());
          // Counted from when it was due, so that the rate holds; what a pause cost is not made up for.
          dueMs = Math.max(dueMs + periodMs, ctx.clock.nowMs());
        }
      },
    };
  },
});

function objectOf(text: string, option: string): Body {
  const body = parseJsonObject(text);
  if (body === null) {
    throw new ConfigError(`expected a JSON object, got ${JSON.stringify(text)}`, option);
  }
  return body;
}

interface TimeOptions {
  readonly start_time_sec: number;
  readonly start_time_nsec: number;
  readonly fixed_timestamp: boolean;
}

/** The time of the next record: the wall clock, or a clock that was started at the given time. */
function timestamps(
  { start_time_sec: sec, start_time_nsec: nsec, fixed_timestamp: fixed }: TimeOptions,
  wall: () => { sec: number; nsec: number },
): () => { sec: number; nsec: number } {
  const start = sec >= 0 || nsec >= 0
    ? { sec: Math.max(0, sec), nsec: Math.max(0, nsec) }
    : undefined;
  let first: { sec: number; nsec: number } | undefined;
  return () => {
    const now = wall();
    first ??= now;
    if (fixed) return start ?? first;
    if (start === undefined) return now;
    const passed = (now.sec - first.sec) * 1e9 + (now.nsec - first.nsec) + start.nsec;
    const seconds = Math.floor(passed / 1e9);
    return { sec: start.sec + seconds, nsec: passed - seconds * 1e9 };
  };
}
