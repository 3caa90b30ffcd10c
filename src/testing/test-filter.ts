import type { Batch } from "../sdk/batch.ts";
import type { Filter, FilterDefinition } from "../sdk/define.ts";
import type { Body } from "../sdk/record.ts";
import { type EmitSettings, type EmittedBatch, EmittedBatches } from "./emitted.ts";
import { type Options, readOptions } from "./options.ts";
import { closePlugin, makeBench, type PluginTest, type TestSettings } from "./plugin-test.ts";
import { batchOf, batchOfLines, bodiesOf, type FeedOptions } from "./records.ts";

/** A record that a filter gave up, and why. */
export interface RejectedRecord {
  readonly body: Body;
  readonly error: unknown;
}

/** A filter under test. */
export interface FilterTest extends PluginTest {
  /** What `create` returned. */
  readonly filter: Filter;
  /** Sends records through the filter; gives the bodies that come out, under whatever tag. */
  feed(bodies: readonly Body[], options?: FeedOptions): Promise<Body[]>;
  /** The same with lines that nobody has made records of yet, each the field `key`, `log` by default. */
  feedLines(
    lines: readonly string[],
    options?: FeedOptions & { readonly key?: string },
  ): Promise<Body[]>;
  /** Sends one batch through the filter; gives the batches that come out, with their tags. */
  process(batch: Batch): Promise<Batch[]>;
  /** What the filter held back, as at the end of all inputs. Releases all holds, as the collector does. */
  flush(): Promise<Body[]>;
  /** What the filter emitted by itself, instead of returning it. */
  readonly emitted: readonly EmittedBatch[];
  /** Tells the filter that everything it emitted is safe: for `acks: "manual"`. */
  ackAll(): void;
  readonly rejected: readonly RejectedRecord[];
  /** Batches that the filter holds back from being acked. */
  readonly held: number;
  /** The status with which the filter asked for a stop, if it did. */
  readonly stopped: number | undefined;
}

export interface FilterSettings extends TestSettings, EmitSettings {
  /** What `ctx.reject` does: `pass` gives the record back, everything else (the default) leaves it out. */
  readonly onError?: "reject" | "pass" | "drop";
}

/**
 * Makes a filter from options as a configuration gives them. Throws ConfigError for options that the collector
 * would refuse.
 *
 * ```ts
 * await using filter = testFilter(mask, { fields: "email, phone" });
 * expect(await filter.feed([{ email: "a@b.c", n: 1 }])).toEqual([{ email: "***", n: 1 }]);
 * ```
 */
export function testFilter(
  definition: FilterDefinition,
  options: Options = {},
  settings: FilterSettings = {},
): FilterTest {
  const bench = makeBench(definition, settings);
  const { context } = bench;
  const emissions = new EmittedBatches(settings);
  const rejected: RejectedRecord[] = [];
  const holds = new Holds(context.id);
  let stopped: number | undefined;
  const filter = definition.create(readOptions(definition, options), {
    ...context,
    emit: (batch, ack) => emissions.emit(batch, ack),
    hold: () => holds.add(),
    onError: settings.onError,
    reject(record, error) {
      rejected.push({ body: record.body, error });
      return settings.onError === "pass" ? record : null;
    },
    stop: (status) => void (stopped = status),
  });
  const process = async (batch: Batch): Promise<Batch[]> => {
    const result = await holds.during(() => filter.process(batch));
    return Array.isArray(result) ? result : [result];
  };
  const close = () => closePlugin(filter, context.id, settings.deadlineMs);
  return {
    clock: bench.clock,
    log: bench.log,
    metrics: bench.metrics,
    filter,
    process,
    feed: async (bodies, options) =>
      bodiesOf(await process(batchOf(bodies, context.clock, options))),
    feedLines: async (lines, options) =>
      bodiesOf(await process(batchOfLines(lines, context.clock, options))),
    async flush() {
      const batches = await filter.flush?.() ?? [];
      holds.releaseAll();
      return bodiesOf(batches);
    },
    emitted: emissions.batches,
    ackAll: () => emissions.ackAll(),
    rejected,
    get held() {
      return holds.count;
    },
    get stopped() {
      return stopped;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** The batches that a filter holds back. */
class Holds {
  private readonly open = new Set<() => void>();
  private readonly id: string;
  private isProcessing = false;

  constructor(id: string) {
    this.id = id;
  }

  get count(): number {
    return this.open.size;
  }

  /** Holds are valid while the call runs, not after its first await. */
  during<T>(call: () => T): T {
    this.isProcessing = true;
    try {
      return call();
    } finally {
      this.isProcessing = false;
    }
  }

  add(): () => void {
    if (!this.isProcessing) {
      throw new Error(
        `Cannot hold a batch in filter ${this.id}: hold() is only valid while process() runs`,
      );
    }
    const release = () => void this.open.delete(release);
    this.open.add(release);
    return release;
  }

  releaseAll(): void {
    this.open.clear();
  }
}
