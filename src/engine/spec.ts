import type {
  Clock,
  FilterContext,
  InputContext,
  LineJoinerFactory,
  LineParser,
  Logger,
  OutputContext,
  PluginMetrics,
} from "../sdk/context.ts";
import type { EncodedOutput, Filter, Input, Output } from "../sdk/define.ts";
import type { BackoffLimits } from "./backoff.ts";
import type { OnFilterError } from "./filter-runner.ts";
import type { FilterMetrics, InputMetrics, OutputMetrics } from "./metrics.ts";
import type { Counter } from "../sdk/context.ts";

/** What a pipeline is made of, independent of where the configuration came from. */
export interface PipelineSpec {
  readonly inputs: readonly InputSpec[];
  readonly filters: readonly FilterSpec[];
  readonly outputs: readonly OutputSpec[];
  readonly settings: PipelineSettings;
  readonly services: PipelineServices;
}

/** Ids are unique within a kind only: a filter and an output may both be `stdout.0`. */
export type SpecKind = "input" | "filter" | "output";

/** A plugin that could not be made from its options. */
export interface AssemblyProblem {
  readonly kind: SpecKind;
  readonly id: string;
  readonly error: unknown;
}

export interface InputSpec {
  readonly id: string;
  readonly tag: string;
  /** Bytes emitted and not yet safe; 0 for no limit. */
  readonly memBufLimit: number;
  create(ctx: InputContext): Input;
}

export interface FilterSpec {
  readonly id: string;
  readonly accepts: (tag: string) => boolean;
  /** Default `reject`. */
  readonly onError?: OnFilterError | undefined;
  create(ctx: FilterContext): Filter;
}

export interface OutputSpec {
  readonly id: string;
  /** For people: the rule that `accepts` implements. */
  readonly match: string;
  readonly accepts: (tag: string) => boolean;
  /** Attempts after the first; Infinity for no limit. */
  readonly retryLimit: number;
  readonly maxInFlight: number;
  /** Bytes that wait for this output in memory. */
  readonly queueBytes: number;
  create(ctx: OutputContext): Output | EncodedOutput;
}

export interface PipelineSettings {
  readonly flushMs: number;
  /** How long a stop may take, in milliseconds. */
  readonly graceMs: number;
  readonly payloadBytes: number;
  readonly backoff: BackoffLimits;
}

/** What the engine needs from the layers that it does not import. */
export interface PipelineServices {
  readonly clock: Clock;
  log(id: string, kind?: SpecKind): Logger;
  readonly metrics: {
    input(id: string): InputMetrics;
    filter(id: string): FilterMetrics;
    output(id: string): OutputMetrics;
    plugin(id: string): PluginMetrics;
    engine(name: string, help: string): Counter;
  };
  /** Told at quiet moments, when nothing of a batch is in use, how many bytes were emitted since the last. */
  onQuiet(bytes: number): void;
  parser(name: string): LineParser;
  multiline(names: readonly string[]): LineJoinerFactory;
}
