import { resolve } from "node:path";
import type { LineKind } from "./generate.ts";

/** One pipeline to measure: what it reads, and the configuration around it. */
export interface BenchPipeline {
  readonly name: string;
  readonly kind: LineKind;
  /** Records that must arrive, as a share of the lines. */
  readonly recordsPerLine: number;
  readonly sink: "null" | "file" | "http" | "forward" | "es";
  /** YAML of the input's own options and of the filters, as Fluent Bit understands it too. */
  readonly input: Readonly<Record<string, string>>;
  readonly filters?: readonly Readonly<Record<string, string>>[];
  /** Options of the output besides. */
  readonly output?: Readonly<Record<string, string>>;
  /** A plugin of the user's that the filter is, relative to the repository. Fluent Bit has no such pipeline. */
  readonly plugin?: string;
  readonly oursAlone?: boolean;
  /** Records wait on disk. */
  readonly onDisk?: boolean;
}

const GREP_MODIFY_NEST = [
  { name: "grep", exclude: "level ^none$" },
  { name: "modify", rename: "msg message", add: "cluster bench" },
  { name: "nest", operation: "nest", wildcard: "request_*", nest_under: "request" },
];

export const PIPELINES: readonly BenchPipeline[] = [
  { name: "raw → null", kind: "json", recordsPerLine: 1, sink: "null", input: {} },
  { name: "raw → file", kind: "json", recordsPerLine: 1, sink: "file", input: {} },
  {
    name: "JSON → file",
    kind: "json",
    recordsPerLine: 1,
    sink: "file",
    input: { parser: "bench_json" },
  },
  {
    name: "Apache regex → file",
    kind: "apache",
    recordsPerLine: 1,
    sink: "file",
    input: { parser: "bench_apache" },
  },
  {
    name: "CRI multiline → file",
    kind: "cri",
    recordsPerLine: 0.9,
    sink: "file",
    input: { "multiline.parser": "cri" },
  },
  {
    name: "JSON → http",
    kind: "json",
    recordsPerLine: 1,
    sink: "http",
    input: { parser: "bench_json" },
  },
  { name: "raw → forward", kind: "json", recordsPerLine: 1, sink: "forward", input: {} },
  {
    name: "JSON → forward",
    kind: "json",
    recordsPerLine: 1,
    sink: "forward",
    input: { parser: "bench_json" },
  },
  {
    name: "JSON → disk queue → http",
    kind: "json",
    recordsPerLine: 1,
    sink: "http",
    input: { parser: "bench_json", "storage.type": "filesystem" },
    onDisk: true,
  },
  { name: "raw → es", kind: "json", recordsPerLine: 1, sink: "es", input: {} },
  {
    name: "JSON → es",
    kind: "json",
    recordsPerLine: 1,
    sink: "es",
    input: { parser: "bench_json" },
  },
  {
    name: "JSON → grep → file",
    kind: "json",
    recordsPerLine: 1,
    sink: "file",
    input: { parser: "bench_json" },
    filters: [{ name: "grep", exclude: "level ^none$" }],
  },
  {
    name: "JSON → grep, modify, nest → file",
    kind: "json",
    recordsPerLine: 1,
    sink: "file",
    input: { parser: "bench_json" },
    filters: GREP_MODIFY_NEST,
  },
  {
    name: "JSON → grep, modify, nest → http",
    kind: "json",
    recordsPerLine: 1,
    sink: "http",
    input: { parser: "bench_json" },
    filters: GREP_MODIFY_NEST,
  },
  {
    name: "raw → http, gzip",
    kind: "json",
    recordsPerLine: 1,
    sink: "http",
    input: {},
    output: { compress: "gzip" },
  },
  {
    name: "JSON → script → file",
    kind: "json",
    recordsPerLine: 1,
    sink: "file",
    input: { parser: "bench_json" },
    filters: [{
      name: "script",
      code: `'(record) => record.level === "none" ? null : record'`,
    }],
    oursAlone: true,
  },
  {
    name: "JSON → user's filter → file",
    kind: "json",
    recordsPerLine: 1,
    sink: "file",
    input: { parser: "bench_json" },
    filters: [{ name: "bench_user" }],
    plugin: "bench/user-filter.ts",
    oursAlone: true,
  },
];

export interface ConfigTarget {
  readonly source: string;
  readonly outFile: string;
  readonly httpPort: number;
  readonly forwardPort: number;
  readonly stateFolder: string;
}

/** Parsers with the time formats of the generated lines, so that both collectors do the same work. */
const PARSERS = `parsers:
  - name: bench_json
    format: json
    time_key: time
    time_format: '%Y-%m-%dT%H:%M:%S.%LZ'
  - name: bench_apache
    format: regex
    regex: '^(?<host>[^ ]*) [^ ]* (?<user>[^ ]*) \\[(?<time>[^\\]]*)\\] "(?<method>\\S+)(?: +(?<path>[^ ]*) +\\S*)?" (?<code>[^ ]*) (?<size>[^ ]*)(?: "(?<referer>[^\\"]*)" "(?<agent>.*)")?$'
    time_key: time
    time_format: '%d/%b/%Y:%H:%M:%S %z'
`;

/** The configuration of a pipeline, in the dialect that both collectors read. */
export function configFor(pipeline: BenchPipeline, target: ConfigTarget): string {
  const input = {
    name: "tail",
    tag: "bench",
    path: target.source,
    read_from_head: "true",
    exit_on_eof: "true",
    mem_buf_limit: "50M",
    ...pipeline.input,
  };
  return PARSERS + [
    ...(pipeline.plugin === undefined ? [] : [`plugins: ${resolve(pipeline.plugin)}`]),
    "service:",
    "  flush: 1",
    "  log_level: error",
    ...(pipeline.onDisk ? [`  storage.path: ${target.stateFolder}`] : []),
    // Long enough for the slower one to deliver everything.
    "  grace: 60",
    "pipeline:",
    "  inputs:",
    ...listItem(input),
    ...(pipeline.filters === undefined ? [] : [
      "  filters:",
      ...pipeline.filters.flatMap((filter) => listItem({ ...filter, match: "'*'" })),
    ]),
    "  outputs:",
    ...listItem({ ...outputOptions(pipeline, target), ...pipeline.output }),
    "",
  ].join("\n");
}

function outputOptions(
  pipeline: BenchPipeline,
  { outFile, httpPort, forwardPort }: ConfigTarget,
): Record<string, string> {
  const common = { match: "'*'" };
  switch (pipeline.sink) {
    case "null":
      return { name: "null", ...common };
    case "file": {
      const slash = outFile.lastIndexOf("/");
      return {
        name: "file",
        ...common,
        path: outFile.slice(0, slash),
        file: outFile.slice(slash + 1),
        format: "plain",
      };
    }
    case "forward":
      return { name: "forward", ...common, host: "127.0.0.1", port: String(forwardPort) };
    case "http":
      return {
        name: "http",
        ...common,
        host: "127.0.0.1",
        port: String(httpPort),
        uri: "/",
        format: "json_lines",
      };
    case "es":
      return {
        name: "es",
        ...common,
        host: "127.0.0.1",
        port: String(httpPort),
        suppress_type_name: "on",
      };
  }
}

function listItem(options: Readonly<Record<string, string>>): string[] {
  return Object.entries(options).map(([key, value], i) =>
    `    ${i === 0 ? "- " : "  "}${key}: ${value}`
  );
}
