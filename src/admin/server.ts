import { type Context, Hono } from "hono";
import type { MetricsRegistry } from "../telemetry/metrics.ts";
import { Health, type HealthLimits, type WatchedOutput } from "./health.ts";
import { reload, type ReloadControl, reloadCount } from "./reload.ts";
import { pluginMetrics } from "./v1-metrics.ts";

export interface AdminOptions {
  readonly host: string;
  readonly port: number;
  readonly version: string;
  readonly metrics: MetricsRegistry;
  readonly uptimeSec: () => number;
  readonly outputs: readonly WatchedOutput[];
  readonly health: HealthLimits;
  readonly reload: ReloadControl;
  /** Names of the builtins: `{ inputs: [...], filters: [...], outputs: [...] }`. */
  readonly plugins: Readonly<Record<string, readonly string[]>>;
  readonly nowMs: () => number;
  /** Brings in what other threads know before a question is answered. Resolves with what keeps it from that. */
  readonly refresh?: () => Promise<string | undefined>;
}

const RELOAD_PATH = "/api/v2/reload";
const PROMETHEUS = { "content-type": "text/plain; version=0.0.4; charset=utf-8" };

/** Serves health, uptime and metrics under Fluent Bit's paths. Throws when the port cannot be had. */
export function startAdminServer(options: AdminOptions): { url: string; stop(): Promise<void> } {
  const health = new Health(options);
  const app = adminApp(options, health);
  try {
    const server = Bun.serve({
      hostname: options.host,
      port: options.port,
      idleTimeout: 10,
      maxRequestBodySize: 64 * 1024,
      fetch: async (request, server) => {
        // A reload may take as long as what it waits for.
        if (new URL(request.url).pathname === RELOAD_PATH) server.timeout(request, 0);
        const problem = await options.refresh?.();
        if (problem !== undefined) return Response.json({ error: problem }, { status: 503 });
        return app.fetch(request);
      },
    });
    return {
      url: `http://${
        options.host.includes(":") ? `[${options.host}]` : options.host
      }:${server.port}`,
      async stop() {
        health.close();
        await server.stop(true);
      },
    };
  } catch (error) {
    health.close();
    throw error;
  }
}

/** The routes alone, for a test without a socket. */
export function adminApp(options: AdminOptions, health: Health): Hono {
  const { version, metrics, uptimeSec } = options;
  const exposition = (c: Context) => c.body(metrics.prometheus(), 200, PROMETHEUS);
  const routes: Readonly<Record<string, (c: Context) => Response>> = {
    "/": (c) =>
      c.json({
        "fluent-bit": { version, edition: "logcollector", flags: [] },
        logcollector: { version },
      }),
    "/api/v1/uptime": (c) => c.json(uptimeReport(uptimeSec())),
    "/api/v1/metrics": (c) => c.json(pluginMetrics(metrics)),
    "/api/v1/metrics/prometheus": exposition,
    "/api/v1/plugins": (c) => c.json({ plugins: options.plugins }),
    "/api/v1/health": (c) => {
      const { status } = health.report();
      return c.text(`${status}\n`, status === "ok" ? 200 : 500);
    },
    "/api/v2/metrics": exposition,
    "/api/v2/metrics/prometheus": exposition,
    "/api/v2/health": (c) => {
      const report = health.report();
      return c.json(report, report.status === "ok" ? 200 : 500);
    },
    [RELOAD_PATH]: (c) => reloadCount(c, options.reload),
  };
  const app = new Hono();
  app.on(["POST", "PUT"], RELOAD_PATH, (c) => reload(c, options.reload));
  for (const [path, answer] of Object.entries(routes)) {
    const allow = path === RELOAD_PATH ? "GET, HEAD, POST, PUT" : "GET, HEAD";
    // A GET route answers HEAD too.
    app.get(path, answer);
    app.all(path, (c) => c.json({ error: "method not allowed" }, 405, { allow }));
  }
  app.notFound((c) => c.json({ error: "not found", paths: Object.keys(routes) }, 404));
  app.onError((error, c) => c.json({ error: error.message }, 500));
  return app;
}

function uptimeReport(seconds: number): { uptime_sec: number; uptime_hr: string } {
  const count = (value: number, unit: string) => `${value} ${unit}${value === 1 ? "" : "s"}`;
  const days = count(Math.floor(seconds / 86_400), "day");
  const hours = count(Math.floor(seconds / 3600) % 24, "hour");
  const minutes = count(Math.floor(seconds / 60) % 60, "minute");
  const rest = count(seconds % 60, "second");
  return {
    uptime_sec: seconds,
    uptime_hr: `logcollector has been running: ${days}, ${hours}, ${minutes} and ${rest}`,
  };
}
