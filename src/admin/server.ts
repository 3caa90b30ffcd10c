import { Hono } from "hono";
import type { MetricsRegistry } from "../telemetry/metrics.ts";
import { Health, type HealthLimits, type WatchedOutput } from "./health.ts";
import { pluginMetrics } from "./v1-metrics.ts";

export interface AdminOptions {
  readonly host: string;
  readonly port: number;
  readonly version: string;
  readonly metrics: MetricsRegistry;
  readonly uptimeSec: () => number;
  readonly outputs: readonly WatchedOutput[];
  readonly health: HealthLimits;
  readonly nowMs: () => number;
}

const PROMETHEUS = { "content-type": "text/plain; version=0.0.4; charset=utf-8" };

/** Serves health, uptime and metrics under Fluent Bit's paths. Throws when the port cannot be had. */
export function startAdminServer(options: AdminOptions): { url: string; stop(): Promise<void> } {
  const health = new Health(options);
  const server = Bun.serve({
    hostname: options.host,
    port: options.port,
    idleTimeout: 10,
    maxRequestBodySize: 64 * 1024,
    fetch: adminApp(options, health).fetch,
  });
  return {
    url: `http://${options.host}:${server.port}`,
    async stop() {
      health.close();
      await server.stop(true);
    },
  };
}

/** The routes alone, for a test without a socket. */
export function adminApp(options: AdminOptions, health: Health): Hono {
  const { version, metrics, uptimeSec } = options;
  const app = new Hono();
  app.get("/", (c) =>
    c.json({ "fluent-bit": { version, edition: "logcollector", flags: [] }, logcollector: { version } }));
  app.get("/api/v1/uptime", (c) => {
    const sec = uptimeSec();
    return c.json({ uptime_sec: sec, uptime_hr: `logcollector has been running: ${inWords(sec)}` });
  });
  app.get("/api/v1/metrics", (c) => c.json(pluginMetrics(metrics)));
  for (const path of ["/api/v1/metrics/prometheus", "/api/v2/metrics/prometheus"]) {
    app.get(path, (c) => c.body(metrics.prometheus(), 200, PROMETHEUS));
  }
  app.get("/api/v2/metrics", (c) => c.body(metrics.prometheus(), 200, PROMETHEUS));
  app.get("/api/v1/health", (c) => {
    const report = health.report();
    return c.text(report.status === "ok" ? "ok\n" : "error\n", report.status === "ok" ? 200 : 500);
  });
  app.get("/api/v2/health", (c) => {
    const report = health.report();
    return c.json(report, report.status === "ok" ? 200 : 500);
  });
  return app;
}

function inWords(seconds: number): string {
  const days = Math.floor(seconds / 86_400);
  const hours = Math.floor(seconds / 3600) % 24;
  const minutes = Math.floor(seconds / 60) % 60;
  return `${days} days, ${hours} hours, ${minutes} minutes and ${seconds % 60} seconds`;
}
