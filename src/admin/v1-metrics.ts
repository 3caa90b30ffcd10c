import type { MetricsRegistry } from "../telemetry/metrics.ts";

type Numbers = Record<string, number>;

/** Which family stands behind each key of `/api/v1/metrics`. A plugin shows those that it counts. */
const FAMILIES = {
  input: {
    records: "input_records_total",
    bytes: "input_bytes_total",
    files_opened: "input_files_opened_total",
    files_closed: "input_files_closed_total",
    files_rotated: "input_files_rotated_total",
    multiline_truncated: "input_multiline_truncated_total",
    long_line_truncated: "input_long_line_truncated_total",
    long_line_skipped: "input_long_line_skipped_total",
  },
  filter: {
    drop_records: "filter_drop_records_total",
    add_records: "filter_add_records_total",
    records: "filter_records_total",
  },
  output: {
    proc_records: "output_proc_records_total",
    proc_bytes: "output_proc_bytes_total",
    errors: "output_errors_total",
    retries: "output_retries_total",
    retries_failed: "output_retries_failed_total",
    dropped_records: "output_dropped_records_total",
    retried_records: "output_retried_records_total",
  },
} as const;

/** The body of `/api/v1/metrics`: kind → plugin → counter. */
export function pluginMetrics(metrics: MetricsRegistry): Record<string, Record<string, Numbers>> {
  const report: Record<string, Record<string, Numbers>> = {};
  for (const [kind, families] of Object.entries(FAMILIES)) {
    // Without a prototype: an alias may be any word.
    const plugins: Record<string, Numbers> = Object.create(null);
    for (const [key, family] of Object.entries(families)) {
      for (const { labels, value } of metrics.samples(family)) {
        (plugins[labels.name ?? ""] ??= {})[key] = value;
      }
    }
    report[kind] = plugins;
  }
  return report;
}
