import { describeSchema } from "../config/describe-schema.ts";
import type { ConfigProblem } from "../config/problem.ts";
import { hasNoEffect, type ServiceOptions, serviceSchema } from "../config/service-options.ts";
import { optionPlace } from "../sdk/option-place.ts";

/** Options of `service` that a reload takes up, or whose effect is seen elsewhere. */
const LIVE: ReadonlySet<string> = new Set<keyof ServiceOptions>([
  "flush",
  "grace",
  "plugin_timeout",
  "log_level",
  "parsers_file",
  "plugins_file",
  "health_check",
  "hc_errors_count",
  "hc_retry_failure_count",
  "hc_period",
  "scheduler.base",
  "scheduler.cap",
  "multiline_buffer_limit",
  "storage.type",
  "storage.inherit",
  "storage.checksum",
  "hot_reload",
]);

/** A problem for each option of `service` that differs and is only read at the start. */
export function restartProblems(before: ServiceOptions, next: ServiceOptions): ConfigProblem[] {
  const value = (service: ServiceOptions, option: string) =>
    (service as Record<string, unknown>)[option];
  return describeSchema(serviceSchema)
    .filter(({ name, description }) => !LIVE.has(name) && !hasNoEffect(description))
    .filter(({ name }) => !Bun.deepEquals(value(before, name), value(next, name)))
    .map(({ name }) => {
      // One that was taken out is nowhere.
      const place = optionPlace(next, name) ?? optionPlace(before, name);
      const { file = "service", line = 0 } = place ?? {};
      const message = `service option "${name}" has changed, and that needs a restart`;
      return { file, line, column: 0, message };
    });
}
