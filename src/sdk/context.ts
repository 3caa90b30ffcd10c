import type { Batch } from "./batch.ts";
import type { Ack, CheckpointOptions, CheckpointStore } from "./checkpoint.ts";
import type { JsonLines } from "./json-lines.ts";
import type { Body, LogRecord } from "./record.ts";
import type { Shard } from "./shard.ts";

/** What a plugin says to the operator. Repeats of one message are rate-limited by the engine. */
export interface Logger {
  /** Data was lost or the plugin cannot work. */
  error(message: string, fields?: LogFields): void;
  /** Something needs attention, and work goes on. */
  warn(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
}
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** A number that only grows. */
export interface Counter {
  value: number;
}
/** A number that goes up and down. */
export interface Gauge {
  value: number;
}

/** The plugin's own metrics; the engine adds the label `name` with the plugin's id. */
export interface PluginMetrics {
  /** Asking twice for the same name and labels gives the same counter. The name has no `fluentbit_` prefix. */
  counter(name: string, help: string, labels?: Readonly<Record<string, string>>): Counter;
  gauge(name: string, help: string, labels?: Readonly<Record<string, string>>): Gauge;
  /** Takes one series away, as when what its labels name is gone. */
  remove(name: string, labels: Readonly<Record<string, string>>): void;
}

/** Time, so that tests can hold it still. */
export interface Clock {
  /** Milliseconds that never jump, for durations. */
  nowMs(): number;
  /** The wall clock, for the time of records. */
  wall(): { sec: number; nsec: number };
  /** Resolves after `ms`, or at once when the signal aborts. Never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls back once after `ms`, unless cancelled by the returned function. */
  after(ms: number, call: () => void): () => void;
}

/** A parser from the configuration or one of the shipped ones, with its time and type options applied. */
export interface LineParser {
  readonly name: string;
  /**
   * Makes a record of a line, or returns `null` when the line does not match. `sec` and `nsec` are the
   * record's time if the line carries none.
   */
  parse(line: string, sec: number, nsec: number): LogRecord | null;
  /**
   * Reads many lines at once without making records of them, when the parser can: what pays where records go
   * out as the JSON they came in as. `undefined` when these lines are better parsed one by one.
   */
  readonly readJson?: ((block: LineBlock) => JsonLines | undefined) | undefined;
}

/** Lines for {@link LineParser.readJson}. */
export interface LineBlock {
  /** Valid UTF-8 with a line feed at the end of every line. */
  readonly bytes: Buffer;
  /** The time of a line that carries none. */
  readonly sec: number;
  readonly nsec: number;
  /** What becomes of a line that is no JSON object. */
  readonly unparsed: (line: string) => Body;
  /** See {@link JsonLines.onRecords}. */
  readonly onRecords: () => void;
}

/** Joins the lines of one stream that belong together, such as a stack trace. */
export interface LineJoiner {
  /**
   * Feeds the next line; records that are now complete are appended to `out`. `position` is whatever the
   * caller wants back from {@link pendingPosition}, such as the line's offset.
   */
  feed(line: string, sec: number, nsec: number, position: number, out: LogRecord[]): void;
  /** The same for a record of which a field is the line. The record is taken over. */
  feedRecord(record: LogRecord, position: number, out: LogRecord[]): void;
  /**
   * Feeds many lines at once without making records of them, when it can; see {@link LineParser.readJson}.
   * `position` is that of the first byte. Nothing was fed when it returns `undefined`.
   */
  readJson?(block: LineBlock, position: number): JsonLines | undefined;
  /** Completes what waits, because time passed or the stream ended. */
  flush(out: LogRecord[]): void;
  /** What waits has this position from now on: its next line comes from elsewhere. */
  moveTo?(position: number): void;
  /** The position of the first line that waits, or -1 when none does. */
  readonly pendingPosition: number;
  /** How long a line may wait for the next, in milliseconds. */
  readonly flushTimeoutMs: number;
}

/** Makes a joiner for each stream, from the names of multiline parsers; the first that matches a line wins. */
export interface LineJoinerFactory {
  create(options: LineJoinerOptions): LineJoiner;
}
export interface LineJoinerOptions {
  /** The field that a joined text becomes when no parser says otherwise. */
  readonly key: string;
  /** Fields that every record carries besides. */
  readonly extra?: Readonly<Body> | undefined;
  /** The field that holds the line, in place of the one that the multiline parser names. */
  readonly keyContent?: string | undefined;
  /** A field that gets the position of the record's first line. */
  readonly positionKey?: string | undefined;
  /** Called when a record grew over the limit and was cut. */
  readonly onTruncated?: () => void;
}

/** What every plugin gets. */
export interface PluginContext {
  /** The instance's name in logs and metrics: its `alias`, or `tail.0`. */
  readonly id: string;
  readonly log: Logger;
  readonly metrics: PluginMetrics;
  readonly clock: Clock;
  /** A parser by its name. Throws {@link ConfigError} when there is none. For `create`, not for the hot path. */
  parser(name: string): LineParser;
  /** Multiline parsers by their names. Throws {@link ConfigError} for an unknown one. */
  multiline(names: readonly string[]): LineJoinerFactory;
}

export interface InputContext extends PluginContext {
  /** The configured tag; may hold `*` for inputs that expand it. */
  readonly tag: string;
  /**
   * Hands a batch to the pipeline. Await it before the next read: that is the backpressure. `ack` is
   * called once when the batch is safe at every destination; acks of one stream come in emission order.
   * Given a {@link Checkpoint}, the collector saves its position under the batch's stream.
   */
  emit(batch: Batch, ack?: Ack): Promise<void> | undefined;
  /**
   * Where this input's positions are kept. For `create`, at most once. Nothing is opened before `run`, so that a
   * dry run leaves no trace.
   */
  checkpoints(options?: CheckpointOptions): CheckpointStore;
  /**
   * Gives timers, sockets and the collector's housekeeping a turn when it is time for one, and returns
   * `undefined` when it is not. For inputs that always have more to read: await it after every emit.
   */
  breathe(): Promise<void> | undefined;
  /**
   * Says that the pipeline should stop once `run` has returned, as for a file that was read to its end. It stops
   * when all inputs that said so have returned.
   */
  stopWhenDone(): void;
  /** Asks for a stop, after which the process ends with this status. */
  exitCode(status: number): void;
  /** Set when several instances share the streams, as `service.workers` has it: for inputs that are `sharded`. */
  readonly shard?: Shard | undefined;
}

export interface FilterContext extends PluginContext {
  /**
   * Sends records that this filter held back, or made, into the pipeline under the batch's tag. They pass
   * all filters from the first, except this one. Await the result where possible: it is the backpressure.
   * `ack` is called once when the batch is safe at every destination: pass what {@link hold} returned, so
   * that the batches the records came from are not acked before.
   */
  emit(batch: Batch, ack?: () => void): Promise<void> | undefined;
  /**
   * Keeps the batch under process from being acked until the returned function is called: for records
   * that wait inside the filter. Only valid while `process` runs, not after its first `await`.
   */
  hold(): () => void;
  /**
   * Gives up one record: counted by reason and logged. Returns what is to take its place in the result of
   * `process`: nothing, or the record itself where the filter's `on_error` says that it is to pass.
   */
  reject(record: LogRecord, error: unknown): LogRecord | null;
  /** What the configuration's `on_error` says is to become of records at which the filter fails. */
  readonly onError?: "reject" | "pass" | "drop" | undefined;
  /** Asks for a stop, after which the process ends with this status. */
  stop(status: number): void;
}

export type OutputContext = PluginContext & {
  /** The configured `match` or `match_regex`, for messages: what does not fit it never comes here. */
  readonly match: string;
};
