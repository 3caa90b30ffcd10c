import type { Pattern } from "../lib/pattern.ts";
import type * as z from "zod";
import type { Batch } from "./batch.ts";
import type {
  FilterContext,
  InputContext,
  LineParser,
  OutputContext,
  PluginContext,
} from "./context.ts";
import type { Framing, Payload, PayloadWriter } from "./payload.ts";
import type { Body } from "./record.ts";

export type MaybePromise<T> = T | Promise<T>;

/** A source of records. */
export interface Input {
  /** Reads and emits until there is nothing more or the signal aborts; then returns. */
  run(signal: AbortSignal): Promise<void>;
  close?(): MaybePromise<void>;
}

/** Changes, drops or adds records. */
export interface Filter {
  /**
   * True when `process` is done with a batch as soon as it returns, or calls `batch.detach()` before its first `await`. Such
   * a filter gets batches that nobody has made records of yet: see {@link Batch.json}.
   */
  readonly borrows?: boolean;
  /** Returns the batch, changed or not, another one, or several. `batch.with([])` drops all. */
  process(batch: Batch): MaybePromise<Batch | Batch[]>;
  /** Called once when all inputs have stopped: what the filter held back. */
  flush?(): MaybePromise<Batch[]>;
  close?(): MaybePromise<void>;
}

/** A destination, the simple door: the engine keeps the records until `write` succeeds. */
export interface Output {
  open?(signal: AbortSignal): Promise<void>;
  write(batch: Batch, signal: AbortSignal): Promise<void>;
  close?(): MaybePromise<void>;
}

/** A destination in two steps: records become bytes at once, and bytes wait, are retried and sent. */
export interface EncodedOutput {
  readonly framing?: Framing;
  /**
   * One word or two for the form of the payloads, such as `json_lines`, when options change it. What waits on disk in
   * another form than this is kept, and sent when the options say so again.
   */
  readonly format?: string;
  open?(signal: AbortSignal): Promise<void>;
  /** Pure and synchronous: appends the batch to payloads. Must not change the records: other outputs share them. */
  encode(batch: Batch, into: PayloadWriter): void;
  /** Turns the finished bytes into what is sent, once per payload and before it is queued: compression. */
  seal?(bytes: Uint8Array): MaybePromise<Uint8Array>;
  /** Delivers one payload or throws; see the error classes for what a throw means. */
  send(payload: Payload, signal: AbortSignal): Promise<void>;
  close?(): MaybePromise<void>;
}

/** Makes fields of a line. Time, types and decoders are applied around it by the engine. */
export interface Parser {
  /** The fields of the line, or `null` when it does not match. */
  parse(line: string): Body | null;
  /**
   * Set when the fields are just the named groups of this expression that matched something, as text, in their order: then
   * the collector may read whole blocks of lines without a call of {@link parse}.
   */
  readonly groups?: Pattern | undefined;
}

// deno-lint-ignore no-explicit-any
type AnyObject = z.ZodObject<any>;

/**
 * The version of everything that `logcollector/plugin` offers. It grows when something is added or changed; what
 * a plugin written for an older version relies on stays.
 */
export const API_VERSION = 1;

interface Definition<S extends AnyObject> {
  /** The {@link API_VERSION} that the plugin was written for. A collector with an older one refuses it. */
  readonly apiVersion?: number;
  /** What the configuration calls it: lower_snake_case. */
  readonly name: string;
  /** One sentence for `logcollector plugins`. */
  readonly summary: string;
  /** The options, each with `.describe()`. Keys are lower case; the configuration's are case-insensitive. */
  readonly config: S;
  /** An option that takes another name for compatibility: `{ old: "new" }`. */
  readonly optionAliases?: Readonly<Record<string, string>>;
  /** Of two instances that write to one place each would spoil what the other writes: not for `service.workers` above 1. */
  readonly alone?: boolean;
}

export interface InputDefinition<S extends AnyObject = AnyObject> extends Definition<S> {
  readonly kind: "input";
  /**
   * With `service.workers` above 1 there is an instance in each worker, and they share the streams: see
   * {@link InputContext.shard}. Other inputs run once.
   */
  readonly sharded?: boolean;
  create(config: z.output<S>, ctx: InputContext): Input;
}
export interface FilterDefinition<S extends AnyObject = AnyObject> extends Definition<S> {
  readonly kind: "filter";
  create(config: z.output<S>, ctx: FilterContext): Filter;
}
export interface OutputDefinition<S extends AnyObject = AnyObject> extends Definition<S> {
  readonly kind: "output";
  create(config: z.output<S>, ctx: OutputContext): Output | EncodedOutput;
}
export interface ParserDefinition<S extends AnyObject = AnyObject> extends Definition<S> {
  readonly kind: "parser";
  create(config: z.output<S>, ctx: ParserContext): Parser;
}
/** A parser has no instance of its own in the pipeline, so it gets less. */
export type ParserContext = Pick<PluginContext, "id" | "log">;

export type PluginDefinition =
  | InputDefinition
  | FilterDefinition
  | OutputDefinition
  | ParserDefinition;

export function defineInput<S extends AnyObject>(
  definition: Omit<InputDefinition<S>, "kind">,
): InputDefinition<S> {
  return { kind: "input", ...definition };
}
export function defineFilter<S extends AnyObject>(
  definition: Omit<FilterDefinition<S>, "kind">,
): FilterDefinition<S> {
  return { kind: "filter", ...definition };
}
export function defineOutput<S extends AnyObject>(
  definition: Omit<OutputDefinition<S>, "kind">,
): OutputDefinition<S> {
  return { kind: "output", ...definition };
}
export function defineParser<S extends AnyObject>(
  definition: Omit<ParserDefinition<S>, "kind">,
): ParserDefinition<S> {
  return { kind: "parser", ...definition };
}

/** True when the output encodes for itself. */
export function isEncodedOutput(output: Output | EncodedOutput): output is EncodedOutput {
  return "encode" in output;
}
export type { LineParser };
