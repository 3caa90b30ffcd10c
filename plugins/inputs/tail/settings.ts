import { ConfigError, type InputContext, type LineJoiner } from "logcollector/plugin";
import type { BatchMakerOptions, LongLines } from "./batch-maker.ts";
import type { TailConfig } from "./config.ts";
import { Descriptors } from "./descriptors.ts";
import { DockerModeJoiner } from "./docker-mode.ts";
import type { ReaderLimits } from "./file-reader.ts";
import { LagMetrics } from "./lag.ts";
import {
  compileExclusion,
  compilePathPattern,
  matchesPath,
  type PathPattern,
} from "./path-pattern.ts";
import { tagForFile } from "./tag.ts";
import { type TextEncoding, textEncoding, utf8 } from "./text-decoder.ts";

/** What is decided once for all files of one input. */
export interface FileSettings {
  readonly patterns: readonly PathPattern[];
  readonly excluded: (path: string) => boolean;
  /** A file that lies there is one that the configuration names. */
  readonly isWanted: (path: string) => boolean;
  readonly limits: ReaderLimits;
  readonly encoding: TextEncoding | "auto";
  readonly plain: TextEncoding;
  readonly descriptors: Descriptors;
  readonly lag: LagMetrics;
  /** How often waiting joiners are looked at, in milliseconds. */
  readonly joinCheckMs: number;
  tagFor(path: string): string | null;
  maker(path: string, tag: string, stream: string): BatchMakerOptions;
}

export function fileSettings(config: TailConfig, ctx: InputContext): FileSettings {
  const { maxLineBytes, chunkBytes } = readerLimits(config);
  const parser = config.parser === undefined ? undefined : ctx.parser(config.parser);
  const label = config["unicode.encoding"] ?? config["generic.encoding"];
  const longLines = longLinesOf(config);
  const counter = (name: string, help: string) => ctx.metrics.counter(name, help);
  const skipped = counter("input_long_line_skipped_total", "Number of long lines left out");
  const truncated = counter("input_long_line_truncated_total", "Number of long lines cut");
  const newJoiner = joinerFactory(config, ctx, parser);
  const patterns = config.path.map(compilePathPattern);
  const excluded = compileExclusion(config.exclude_path);
  return {
    patterns,
    excluded,
    isWanted: (path) => patterns.some((pattern) => matchesPath(pattern, path)) && !excluded(path),
    limits: { chunkBytes, maxLineBytes },
    encoding: label === "auto" ? "auto" : textEncoding(label),
    plain: utf8,
    descriptors: new Descriptors(undefined, ctx.shard?.count),
    lag: new LagMetrics(ctx.metrics),
    joinCheckMs: 100,
    tagFor: (path) => tagForFile(ctx.tag, path, config.tag_regex),
    maker: (path, tag, stream) => ({
      tag,
      stream,
      path,
      key: config.key,
      pathKey: config.path_key,
      offsetKey: config.offset_key,
      skipEmptyLines: config.skip_empty_lines,
      longLines,
      maxLineBytes,
      parser,
      joiner: newJoiner?.(path),
      wall: () => ctx.clock.wall(),
      skipped,
      truncated,
    }),
  };
}

function readerLimits(config: TailConfig): ReaderLimits {
  const maxLineBytes = config.buffer_max_size;
  return {
    maxLineBytes,
    chunkBytes: Math.min(Math.max(config.buffer_chunk_size, 4096), 256 * 1024),
  };
}

function longLinesOf(config: TailConfig): LongLines {
  if (config.truncate_long_lines) return "cut";
  return config.skip_long_lines ? "skip" : "mark";
}

function joinerFactory(
  config: TailConfig,
  ctx: InputContext,
  parser: ReturnType<InputContext["parser"]> | undefined,
): ((path: string) => LineJoiner) | undefined {
  const names = config["multiline.parser"];
  if (names.length > 0 && config.docker_mode) {
    throw new ConfigError(
      "docker_mode and multiline.parser exclude each other: use multiline.parser: docker",
      "docker_mode",
    );
  }
  const extra = (path: string) =>
    config.path_key === undefined ? undefined : { [config.path_key]: path };
  if (config.docker_mode) {
    const first = config.docker_mode_parser === undefined
      ? undefined
      : ctx.parser(config.docker_mode_parser);
    return (path) =>
      new DockerModeJoiner({
        key: config.key,
        extra: extra(path),
        offsetKey: config.offset_key,
        parser,
        first,
        flushTimeoutMs: config.docker_mode_flush,
      });
  }
  if (names.length === 0) return undefined;
  const factory = ctx.multiline(names);
  const counter = ctx.metrics.counter(
    "input_multiline_truncated_total",
    "Number of joined messages cut at the size limit",
  );
  return (path) =>
    factory.create({
      // Fluent Bit gives joined text this name, whatever `key` says.
      key: "log",
      extra: extra(path),
      positionKey: config.offset_key,
      onTruncated: () => void counter.value++,
    });
}
