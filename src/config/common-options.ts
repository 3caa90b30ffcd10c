import * as z from "zod";
import * as field from "../sdk/fields.ts";

/** Levels of the own log. `warning` is Fluent Bit's other name for `warn`. */
export const LOG_LEVELS = ["off", "error", "warn", "warning", "info", "debug", "trace"] as const;

const alias = field.text().optional()
  .describe("Name of this instance in logs and metrics instead of its number");
const logLevel = field.oneOf(...LOG_LEVELS).optional()
  .describe("Log level of this instance instead of the service's");
const logSuppressInterval = field.duration("s").default(0)
  .describe("Period in which a message is logged only once");
const match = field.text().optional().describe("Tags to take; `*` stands for any text");
const matchRegex = field.pattern().optional()
  .describe("Tags to take, as a regular expression that starts at the tag's first character");

/** Fluent Bit's third type, a ring in memory, does not exist here. */
export const storageType = () =>
  z.union([z.string(), z.number(), z.boolean()]).transform((value, check) => {
    const word = String(value).toLowerCase();
    if (word === "memory" || word === "filesystem") return word;
    const remedy = word === "memrb"
      ? "use memory, with storage.full_policy: drop_oldest on the output"
      : "use memory or filesystem";
    const message = `${JSON.stringify(value)} is not available in this version: ${remedy}`;
    check.addIssue({ code: "custom", message, input: value });
    return z.NEVER;
  }).meta({ fieldType: "memory or filesystem" }).optional();

/** Options that the collector gives to every input. */
export const inputOptions = z.object({
  tag: field.text().optional().describe("Tag of the records; default is the instance's number"),
  alias,
  log_level: logLevel,
  log_suppress_interval: logSuppressInterval,
  mem_buf_limit: field.size().default(0)
    .describe("Memory that undelivered records may take before the input pauses; 0 for no limit"),
  "storage.type": storageType().describe(
    "Where records wait until they are delivered: memory, or filesystem, which needs storage.path. Default memory",
  ),
  "storage.pause_on_chunks_overlimit": field.bool().default(false)
    .describe("Pause the input when its queue is full (always so here)"),
  threaded: field.bool().default(false)
    .describe("Run in a thread of its own (accepted; no effect in this version)"),
  "thread.ring_buffer.capacity": field.int({ min: 1 }).default(1024)
    .describe("Queue of a thread (accepted; no effect in this version)"),
  "thread.ring_buffer.window": field.int({ min: 1 }).default(5)
    .describe("Percent at which a thread's queue is emptied (accepted; no effect in this version)"),
  routable: field.bool().refine((value) => value, {
    error: `"off" is not available in this version: leave the input out instead`,
  }).default(true).describe("Whether the records go to outputs at all; must be on"),
});

/** Options that the collector gives to every filter. */
export const filterOptions = z.object({
  match,
  match_regex: matchRegex,
  alias,
  log_level: logLevel,
  log_suppress_interval: logSuppressInterval,
  on_error: field.oneOf("reject", "pass", "drop").default("reject").describe(
    "What becomes of records at which the filter fails: reject gives them up with an error in the log, " +
      "drop with a warning, pass sends them on as the filter left them",
  ),
});

const UNLIMITED = new Set(["no_limits", "false", "off", "no", "unlimited"]);

/** `no_limits`, `no_retries` or how often to try again. */
function retryLimit(): z.ZodType<number> {
  return z.union([z.string(), z.number(), z.boolean()]).transform((value, check) => {
    const word = String(value).trim().toLowerCase();
    if (UNLIMITED.has(word)) return Infinity;
    if (word === "no_retries") return 0;
    if (/^[1-9]\d{0,8}$/.test(word)) return Number(word);
    check.addIssue({
      code: "custom",
      message: `expected a whole number from 1, no_limits or no_retries, got ${
        JSON.stringify(value)
      }`,
      input: value,
    });
    return z.NEVER;
  }).meta({ fieldType: "integer, no_limits or no_retries" });
}

/** Options that the collector gives to every output. */
export const outputOptions = z.object({
  match,
  match_regex: matchRegex,
  alias,
  log_level: logLevel,
  log_suppress_interval: logSuppressInterval,
  retry_limit: retryLimit().default(Infinity)
    .describe("How often a failed delivery is tried again before it is given up"),
  workers: field.int({ min: 0 }).default(0)
    .describe("Threads of the output (accepted; no effect in this version)"),
  "storage.type": storageType().describe(
    "Where what waits for this output is kept: memory or filesystem. Default is filesystem when an input's records wait there",
  ),
  "storage.total_limit_size": field.size().optional()
    .describe(
      "Space that what waits for this output may take. Default 2 MiB in memory, and no limit on disk",
    ),
  "storage.full_policy": field.oneOf("block", "drop_oldest", "drop_newest").default("block")
    .describe(
      "What happens when that is reached: block makes inputs wait; drop_oldest and drop_newest give records up, and count them",
    ),
});

export type CommonInputOptions = z.output<typeof inputOptions>;
export type CommonFilterOptions = z.output<typeof filterOptions>;
export type CommonOutputOptions = z.output<typeof outputOptions>;

/** The host's options by kind of plugin. */
export const COMMON_OPTIONS = { input: inputOptions, filter: filterOptions, output: outputOptions };

export type PipelineKind = keyof typeof COMMON_OPTIONS;

const REFUSED: Readonly<Record<PipelineKind, RegExp>> = {
  // The last four are tail's old way of joining lines, before `multiline.parser`.
  input:
    /^(processors|routes|telemetry|rate_window|rate_gate(\..*)?|multiline|multiline_flush|parser_(firstline|\d+))$/,
  filter: /^(processors|condition)$/,
  output: /^(processors|upstream)$/,
};

/** True for an option of Fluent Bit that is known and not built yet. */
export function isRefusedOption(kind: PipelineKind, option: string): boolean {
  return REFUSED[kind].test(option);
}
