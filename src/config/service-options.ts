import * as z from "zod";
import * as field from "../sdk/fields.ts";
import { LOG_LEVELS, storageType } from "./common-options.ts";

const noEffect = (text: string): string => `${text} (accepted; no effect in this version)`;

/** True for a service option that is understood and changes nothing yet. */
export function hasNoEffect(description: string): boolean {
  return description.includes("no effect in this version");
}

/** A switch that must stay off, because turning it on would promise what this version does not do. */
function offOnly(remedy: string): z.ZodType<boolean> {
  return field.bool().refine((value) => !value, {
    error: `"on" is not available in this version: ${remedy}`,
  }).default(false);
}

const percent = (value: number, text: string) =>
  field.float({ min: 0, max: 100 }).default(value).describe(noEffect(text));

/** The `service` section, with Fluent Bit's names. */
export const serviceSchema = z.object({
  flush: field.duration("s").default(1000)
    .describe(
      "How long records are gathered before they are sent; fractions allowed, and 0 sends what there is in every turn of the event loop",
    ),
  grace: field.duration("s").default(5000)
    .describe("How long a stop may take to deliver what is still waiting"),
  workers: field.int({ min: 1, max: 64 }).default(1).describe(
    "Threads that share the streams of inputs that allow it, such as the files of `tail`; each has filters and outputs of its own",
  ),
  plugin_timeout: field.duration("s").refine((ms) => ms > 0, "must be more than 0").default(30_000)
    .describe(
      "How long a call of a Go plugin, or of one with `isolation: worker`, may take before it is started again",
    ),
  log_level: field.oneOf(...LOG_LEVELS).default("info")
    .describe("How much the collector says about itself"),
  log_file: field.text().optional().describe("File for the collector's own log instead of stderr"),
  daemon: offOnly("run under a service manager instead")
    .describe("Run in the background; must be off"),
  parsers_file: field.repeated(field.text()).default([])
    .describe("Files with parsers, YAML or classic, relative to this file"),
  plugins_file: field.repeated(field.text()).default([])
    .describe("Files with paths of plugins, classic ([PLUGINS]) or YAML, relative to this file"),
  http_server: field.bool().default(false).describe("Serve metrics and health over HTTP"),
  http_listen: field.text().default("127.0.0.1").describe(
    "Address that the HTTP server listens on",
  ),
  http_port: field.int({ min: 0, max: 65535 }).default(2020).describe("Port of the HTTP server"),
  health_check: field.bool().default(false).describe("Let the health endpoint report failures"),
  hc_errors_count: field.int({ min: 0 }).default(5)
    .describe("Output errors within `hc_period` that make the service unhealthy"),
  hc_retry_failure_count: field.int({ min: 0 }).default(5)
    .describe("Given-up retries within `hc_period` that make the service unhealthy"),
  hc_period: field.duration("s").default(60_000).describe(
    "Period over which the health check counts",
  ),
  "scheduler.base": field.duration("s").default(5000).describe("First pause before a retry"),
  "scheduler.cap": field.duration("s").default(2_000_000).describe("Longest pause before a retry"),
  multiline_buffer_limit: field.size().default(2_000_000)
    .describe("Size at which a joined record is cut; 0 for no limit"),
  "storage.path": field.text().optional()
    .describe("Folder for everything that is kept on disk: queues, positions, dead letters"),
  "storage.type": storageType()
    .describe("Where records wait, for inputs that do not say; with `storage.inherit` only"),
  "storage.inherit": field.bool().default(false)
    .describe("Whether inputs that name no storage.type take the service's"),
  "storage.sync": field.oneOf("normal", "full").default("normal").describe(
    "When a disk queue is made sure of: normal once per flush interval (a second if that is 0) or 4 MiB, full after each payload",
  ),
  "storage.checksum": field.bool().default(false)
    .describe("Checksums in the disk queue; there are always some here"),
  "storage.max_chunks_up": field.int({ min: 1 }).default(128)
    .describe("Payloads per output that stay in memory besides being on disk; at most 8 do"),
  "storage.backlog.mem_limit": field.size().default(5_000_000).describe(
    noEffect(
      "Memory for what an earlier run left in the disk queue; it is read one payload at a time",
    ),
  ),
  "storage.backlog.flush_on_shutdown": field.bool().default(false)
    .describe(noEffect("Send the backlog at shutdown; as much as `grace` allows is sent")),
  "storage.delete_irrecoverable_chunks": field.bool().default(false).describe(
    noEffect("Delete damaged parts of the disk queue; they are kept beside it, up to 64 MiB"),
  ),
  "storage.trim_files": field.bool().default(false).describe(
    noEffect("Shrink the disk queue's files"),
  ),
  "storage.metrics": field.bool().default(false).describe(
    noEffect("Serve metrics of the disk queue; they are always served"),
  ),
  "storage.keep.rejected": field.bool().optional()
    .describe(
      "Keep what an output refuses or gives up as dead letters. Default: where storage.path is given",
    ),
  "storage.rejected.path": field.text().default("rejected")
    .describe("Folder of dead letters, in storage.path unless it is absolute"),
  "storage.rejected.limit": field.size().default(128_000_000)
    .describe("Space for dead letters; when it is used up the oldest are removed, and counted"),
  "storage.rejected.max_age": field.duration("s").default(0)
    .describe("How long dead letters are kept; 0 for as long as there is space"),
  "flush.adaptive": field.bool().default(false)
    .describe(noEffect("Change the flush interval with the load")),
  "flush.adaptive.min_interval": field.duration("s").default(500)
    .describe(noEffect("Shortest flush interval")),
  "flush.adaptive.max_interval": field.duration("s").default(2000)
    .describe(noEffect("Longest flush interval")),
  "flush.adaptive.low_pressure": percent(25, "Load in percent below which flushing slows down"),
  "flush.adaptive.medium_pressure": percent(50, "Load in percent that is ordinary"),
  "flush.adaptive.high_pressure": percent(75, "Load in percent above which flushing speeds up"),
  "flush.adaptive.up_steps": field.int({ min: 1 }).default(2)
    .describe(noEffect("Checks before flushing speeds up")),
  "flush.adaptive.down_steps": field.int({ min: 1 }).default(3)
    .describe(noEffect("Checks before flushing slows down")),
  "sp.convert_from_str_to_num": field.bool().default(true)
    .describe(noEffect("Number conversion of the stream processor")),
  "dns.mode": field.oneOf("UDP", "TCP").default("UDP").describe(
    noEffect("How names are looked up"),
  ),
  "dns.resolver": field.oneOf("LEGACY", "ASYNC").default("ASYNC").describe(
    noEffect("DNS resolver"),
  ),
  "dns.prefer_ipv4": field.bool().default(false).describe(noEffect("Prefer IPv4 addresses")),
  "dns.prefer_ipv6": field.bool().default(false).describe(noEffect("Prefer IPv6 addresses")),
  coro_stack_size: field.size().default(24_576).describe(noEffect("Stack size of a coroutine")),
  "json.convert_nan_to_null": field.bool().default(false)
    .describe(noEffect("Write NaN as null; it is always null here")),
  "json.escape_unicode": field.bool().default(true)
    .describe(noEffect("Escape characters beyond ASCII in JSON")),
  enable_chunk_trace: offOnly("use an output `stdout` to look at records")
    .describe("Trace records over HTTP; must be off"),
  hot_reload: field.bool().default(false)
    .describe(
      "Take changed plugins of yours into use while they run, and reload the configuration on POST /api/v2/reload; SIGHUP does that always",
    ),
  "hot_reload.ensure_thread_safety": field.bool().default(true)
    .describe(noEffect("Thread safety of a reload")),
  "hot_reload.timeout": field.duration("s").default(0).describe(noEffect("Time limit of a reload")),
  "security.fips_mode": offOnly("it cannot be promised here").describe("FIPS mode; must be off"),
  "windows.maxstdio": field.int({ min: 512 }).default(512)
    .describe(noEffect("Open files on Windows")),
});

/** The `service` section after reading. Times are in milliseconds, sizes in bytes. */
export type ServiceOptions = z.output<typeof serviceSchema>;

/** Keys of `service` that promise something which does not exist here yet. */
export const REFUSED_SERVICE_OPTIONS: ReadonlySet<string> = new Set([
  "streams_file",
  "telemetry",
]);
