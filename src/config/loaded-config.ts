import type { FilterDefinition, InputDefinition, OutputDefinition } from "../sdk/define.ts";
import type {
  CommonFilterOptions,
  CommonInputOptions,
  CommonOutputOptions,
  PipelineKind,
} from "./common-options.ts";
import type { ServiceOptions } from "./service-options.ts";

/** A configuration that was read and checked as a whole. */
export interface LoadedConfig {
  readonly service: ServiceOptions;
  readonly inputs: readonly InputInstance[];
  readonly filters: readonly FilterInstance[];
  readonly outputs: readonly OutputInstance[];
  readonly parsers: readonly ParserSection[];
  readonly multilineParsers: readonly ParserSection[];
  /** What works and deserves attention, each with its place. */
  readonly warnings: readonly string[];
}

/** One entry of `inputs`, `filters` or `outputs`. */
export interface PluginInstance<D, C> {
  readonly definition: D;
  /** The alias, or the plugin's name and number, as in `tail.0`. */
  readonly id: string;
  /** The output of the plugin's own schema. The options that were given come first, in their order. */
  readonly config: unknown;
  readonly common: C;
  /** `config.yaml:12:5` */
  readonly position: string;
}

/** `common.tag` is always set. */
export type InputInstance = PluginInstance<InputDefinition, CommonInputOptions & { tag: string }>;
export type FilterInstance = PluginInstance<FilterDefinition, CommonFilterOptions>;
/** With neither `match` nor `match_regex`, it gets nothing: a warning has said so. */
export type OutputInstance = PluginInstance<OutputDefinition, CommonOutputOptions>;

export interface InstanceOf {
  input: InputInstance;
  filter: FilterInstance;
  output: OutputInstance;
}
export type AnyInstance = InstanceOf[PipelineKind];

/** One entry of `parsers` or `multiline_parsers`. */
export interface ParserSection {
  readonly name: string;
  /** The output of the schema. */
  readonly options: unknown;
  /** The output of the format's own schema, when a plugin of the user's adds the format. */
  readonly formatOptions?: Readonly<Record<string, unknown>> | undefined;
  readonly position: string;
}
