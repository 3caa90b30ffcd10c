import type { AdminOptions } from "../admin/server.ts";
import { PIPELINE_KINDS } from "../config/catalog.ts";
import type { Pipeline } from "../engine/pipeline.ts";
import { systemClock } from "../lib/clock.ts";
import { builtins } from "../loader/registry.ts";
import type { Reloader } from "./reload.ts";
import type { Shards } from "./shards/shards.ts";

type Fixed = Pick<AdminOptions, "host" | "port" | "version" | "metrics" | "uptimeSec">;

/** What the HTTP server tells and does, always of the configuration that is in force. */
export function adminOptions(
  fixed: Fixed,
  pipeline: Pipeline,
  shards: Shards,
  reloader: Reloader,
): AdminOptions {
  return {
    ...fixed,
    async refresh() {
      const [silent] = await shards.look();
      return silent === undefined ? undefined : `worker ${silent} does not answer`;
    },
    plugins: builtinNames(),
    nowMs: () => systemClock.nowMs(),
    get outputs() {
      return shards.outputsWith(pipeline.outputs);
    },
    get health() {
      const { service } = reloader.current.loaded.config;
      return {
        enabled: service.health_check,
        errors: service.hc_errors_count,
        retriesFailed: service.hc_retry_failure_count,
        periodMs: service.hc_period,
      };
    },
    reload: {
      get count() {
        return reloader.count;
      },
      get isEnabled() {
        return reloader.current.loaded.config.service.hot_reload;
      },
      request: () => reloader.request(),
    },
  };
}

function builtinNames(): Record<string, readonly string[]> {
  return Object.fromEntries(
    PIPELINE_KINDS.map((kind) => [`${kind}s`, builtins.names(kind)]),
  );
}
