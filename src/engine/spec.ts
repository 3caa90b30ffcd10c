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
import type { DiskFiles } from "../buffer/disk/files.ts";
import type { FullPolicy } from "../buffer/payload-queue.ts";
import type { CheckpointOptions } from "../sdk/checkpoint.ts";
import type { BackoffLimits } from "../lib/backoff.ts";
import type { BookMetrics } from "./books.ts";
import type { CheckpointFile } from "./checkpoint-file.ts";
import type { Claims } from "./claims.ts";
import type { GivenUp } from "./sender.ts";
import type { OnFilterError } from "./filter-runner.ts";
import type { FilterMetrics, InputMetrics, OutputMetrics } from "./metrics.ts";
import type { Counter } from "../sdk/context.ts";
import type { Shard } from "../sdk/shard.ts";

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
  /** The plugin's name: positions are passed on to the same plugin only. */
  readonly plugin: string;
  /** The name that the configuration gives it, if it does: the id without one changes with the order of inputs. */
  readonly alias?: string | undefined;
  readonly tag: string;
  /** Bytes emitted and not yet safe; 0 for no limit. */
  readonly memBufLimit: number;
  /** Where its records wait, and so whether its positions are kept without the configuration naming a file. */
  readonly storage: StorageType;
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
  /** The plugin's name, for its queue and its dead letters. */
  readonly plugin: string;
  readonly storage: StorageType;
  /** Bytes that wait for this output at most. */
  readonly limitBytes: number;
  /** What happens to new payloads when that is reached. */
  readonly fullPolicy: FullPolicy;
  create(ctx: OutputContext): Output | EncodedOutput;
}

export type StorageType = "memory" | "filesystem";

/** Where and how queues are kept on disk. */
export interface DiskSettings {
  readonly files: DiskFiles;
  /** The folder of all queues; each output has one in it. */
  readonly folder: string;
  /** The number of the thread that the queues are opened in. */
  readonly shard: number;
  /** How long what was written may wait for the disk, in milliseconds. */
  readonly syncMs: number;
  /** Payloads per output that stay in memory besides being on the disk. */
  readonly maxInMemory: number;
  /** The user that the process runs as. */
  readonly uid: number;
  /** 16 random bytes in hexadecimal. */
  readonly newId: () => string;
}

/** Something of an output that is kept because it was given up. */
export interface DeadLetter extends GivenUp {
  readonly output: string;
  readonly plugin: string;
  readonly format: string;
}

export interface PipelineSettings {
  readonly flushMs: number;
  /** How long a stop may take, in milliseconds. */
  readonly graceMs: number;
  readonly payloadBytes: number;
  readonly backoff: BackoffLimits;
  /** There when an output has its queue on disk. */
  readonly disk?: DiskSettings | undefined;
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
    book(kind: string, id: string): BookMetrics;
    /** Calls back before metrics are read. */
    onCollect(call: () => void): void;
  };
  /** Opens the file of an input's positions; `undefined` when there is to be none. Throws a message for the user. */
  openCheckpoints(input: InputSpec, options: CheckpointOptions): CheckpointFile | undefined;
  /** Keeps a dead letter; rejects when it cannot. Without it what is given up is dropped. */
  readonly keep?: ((letter: DeadLetter) => Promise<void>) | undefined;
  /** Told at quiet moments, when nothing of a batch is in use, how many bytes were emitted since the last. */
  onQuiet(bytes: number): void;
  /** Brings together what the queues of all shards say, in place of what this one's say. */
  readonly shareClaims?: ((own: Claims) => Promise<Claims>) | undefined;
  /** Resolves when what was committed of positions so far is written down, where others do that. */
  readonly confirmPositions?: (() => Promise<void>) | undefined;
  /** The share of an input's streams that this pipeline has; `undefined` for all of them. */
  shard?(input: string): Shard | undefined;
  parser(name: string): LineParser;
  multiline(names: readonly string[]): LineJoinerFactory;
}
