import type { CommonFilterOptions } from "../config/common-options.ts";
import type { LoadedConfig } from "../config/loaded-config.ts";
import { inputStorage, outputStorage } from "../config/storage.ts";
import type {
  DiskSettings,
  FilterSpec,
  InputSpec,
  OutputSpec,
  PipelineServices,
  PipelineSpec,
} from "../engine/spec.ts";
import type { Shard } from "../sdk/shard.ts";
import { compileTagMatch } from "../lib/tag-match.ts";

const KiB = 1024;

/** A payload is finished at this size: large enough for a request, small enough to be reused often. */
const PAYLOAD_BYTES = 256 * KiB;
/**
 * What may wait for one output in memory unless `storage.total_limit_size` says otherwise. When it is full
 * the inputs wait; a file or a journal waits for free, so there is nothing to gain from more.
 */
const QUEUE_BYTES = 2048 * KiB;

/** The share of one thread of `service.workers`. */
export interface PipelineShare {
  readonly index: number;
  readonly count: number;
  /** Of one input. */
  of(input: string): Shard;
  /** See the engine's `PipelineServices`. */
  readonly shareClaims?: PipelineServices["shareClaims"];
  readonly confirmPositions?: PipelineServices["confirmPositions"];
}

const WHOLE: PipelineShare = {
  index: 0,
  count: 1,
  of: (input) => {
    throw new Error(`Nobody shares the streams of ${input}`);
  },
};

/** Turns a checked configuration into what the engine assembles. */
export function pipelineSpec(
  config: LoadedConfig,
  services: PipelineServices,
  disk: DiskSettings | undefined,
  share: PipelineShare = WHOLE,
): PipelineSpec {
  const { service } = config;
  const isSharded = ({ definition }: LoadedConfig["inputs"][number]) =>
    share.count > 1 && definition.sharded === true;
  const sharded = new Set(config.inputs.filter(isSharded).map(({ id }) => id));
  const inputs = config.inputs.filter(({ id }) => share.index === 0 || sharded.has(id));
  return {
    inputs: inputs.map((input) =>
      inputSpec(input, config, sharded.has(input.id) ? share.count : 1)
    ),
    filters: config.filters.map(filterSpec),
    outputs: config.outputs.map((output) => outputSpec(output, config, share.count)),
    settings: {
      flushMs: service.flush,
      graceMs: service.grace,
      payloadBytes: PAYLOAD_BYTES,
      backoff: { baseMs: service["scheduler.base"], capMs: service["scheduler.cap"] },
      disk,
    },
    services: {
      ...services,
      shard: (id) => sharded.has(id) ? share.of(id) : undefined,
      shareClaims: share.shareClaims,
      confirmPositions: share.confirmPositions,
    },
  };
}

/** Limits are those of the process: `sharers` have a part each. */
function inputSpec(
  input: LoadedConfig["inputs"][number],
  { service }: LoadedConfig,
  sharers: number,
): InputSpec {
  const { id, definition, config, common } = input;
  return {
    id,
    plugin: definition.name,
    alias: common.alias,
    tag: common.tag,
    memBufLimit: Math.ceil(common.mem_buf_limit / sharers),
    storage: inputStorage(input, service),
    create: (ctx) => definition.create(config as never, ctx),
  };
}

function filterSpec(
  { id, definition, config, common }: LoadedConfig["filters"][number],
): FilterSpec {
  return {
    id,
    accepts: tagRule(common),
    onError: common.on_error,
    create: (ctx) => definition.create(config as never, ctx),
  };
}

function outputSpec(
  output: LoadedConfig["outputs"][number],
  all: LoadedConfig,
  sharers: number,
): OutputSpec {
  const { id, definition, config, common } = output;
  const storage = outputStorage(output, all);
  return {
    id,
    plugin: definition.name,
    match: common.match ?? common.match_regex?.source ?? "",
    accepts: tagRule(common),
    retryLimit: common.retry_limit,
    maxInFlight: 1,
    storage,
    limitBytes: Math.ceil(
      (common["storage.total_limit_size"] || (storage === "memory" ? QUEUE_BYTES : Infinity)) /
        sharers,
    ),
    fullPolicy: common["storage.full_policy"],
    create: (ctx) => definition.create(config as never, ctx),
  };
}

/** `match` and `match_regex` together: either is enough. A regular expression counts from the tag's start. */
function tagRule(
  { match, match_regex: regex }: Pick<CommonFilterOptions, "match" | "match_regex">,
): (tag: string) => boolean {
  const wildcard = match === undefined ? undefined : compileTagMatch(match);
  return (tag) => wildcard?.(tag) === true || regex?.exec(tag)?.index === 0;
}
