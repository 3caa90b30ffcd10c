import { describe, expect, test } from "bun:test";
import { networkInterfaces } from "node:os";
import { Health } from "../../src/admin/health.ts";
import { adminApp, type AdminOptions, startAdminServer } from "../../src/admin/server.ts";
import { MetricsRegistry } from "../../src/telemetry/metrics.ts";
import { PipelineMetrics } from "../../src/telemetry/plugin-metrics.ts";
import { parseExposition } from "../support/exposition.ts";

/** The routes over a small pipeline, with time and stalls that a test sets. */
function admin(overrides: Partial<AdminOptions> = {}) {
  const metrics = new MetricsRegistry();
  const pipeline = new PipelineMetrics(metrics);
  const state = {
    nowMs: 0,
    stalledMs: 0,
    uptimeSec: 90_061,
    mayReload: true,
    outcome: { problems: [] as string[], isStopping: false },
  };
  const options: AdminOptions = {
    host: "127.0.0.1",
    port: 0,
    version: "1.2.3",
    metrics,
    uptimeSec: () => state.uptimeSec,
    outputs: [{
      id: "http.0",
      get stalledMs() {
        return state.stalledMs;
      },
    }],
    health: { enabled: true, errors: 5, retriesFailed: 5, periodMs: 60_000 },
    reload: {
      count: 3,
      get isEnabled() {
        return state.mayReload;
      },
      request: () => Promise.resolve(state.outcome),
    },
    plugins: { inputs: ["tail"], filters: [], outputs: ["http"] },
    nowMs: () => state.nowMs,
    ...overrides,
  };
  const health = new Health(options);
  const app = adminApp(options, health);
  return {
    state,
    health,
    pipeline,
    get: (path: string, method = "GET") => app.request(path, { method }),
    // deno-lint-ignore no-explicit-any
    json: async (path: string): Promise<any> => await (await app.request(path)).json(),
    [Symbol.dispose]: () => health.close(),
  };
}

describe("the admin server's paths", () => {
  test("/ tells the version under Fluent Bit's key and ours", async () => {
    using it = admin();
    expect(await it.json("/")).toEqual({
      "fluent-bit": { version: "1.2.3", edition: "logcollector", flags: [] },
      logcollector: { version: "1.2.3" },
    });
  });

  test("/api/v1/uptime tells seconds and words", async () => {
    using it = admin();
    expect(await it.json("/api/v1/uptime")).toEqual({
      uptime_sec: 90_061,
      uptime_hr: "logcollector has been running: 1 day, 1 hour, 1 minute and 1 second",
    });
    it.state.uptimeSec = 4;
    expect((await it.json("/api/v1/uptime")).uptime_hr)
      .toEndWith("0 days, 0 hours, 0 minutes and 4 seconds");
  });

  test("/api/v2/reload tells how often, and reloads, as in Fluent Bit", async () => {
    using it = admin();
    expect(await it.json("/api/v2/reload")).toEqual({ hot_reload_count: 3 });
    for (const method of ["POST", "PUT"]) {
      const answer = await it.get("/api/v2/reload", method);
      expect([answer.status, await answer.json()]).toEqual([200, { reload: "done", status: 0 }]);
    }
    expect((await it.get("/api/v2/reload", "DELETE")).status).toBe(405);
  });

  test("/api/v2/reload says why it did not", async () => {
    using it = admin();
    const post = async () => {
      const answer = await it.get("/api/v2/reload", "POST");
      return [answer.status, await answer.json()];
    };
    it.state.outcome = { problems: ["c.yaml:3:5: no"], isStopping: false };
    expect(await post()).toEqual([
      400,
      { reload: "failed", status: -1, problems: ["c.yaml:3:5: no"] },
    ]);
    it.state.outcome = { problems: [], isStopping: true };
    expect(await post()).toEqual([503, { reload: "stopping", status: -1 }]);
    it.state.mayReload = false;
    expect(await post()).toEqual([400, {
      reload: "not enabled",
      status: -1,
      error: "add hot_reload: on to service, or send SIGHUP",
    }]);
  });

  test("/api/v1/metrics has a counter per kind and plugin", async () => {
    using it = admin();
    it.pipeline.input("tail.0").records.value = 3;
    it.pipeline.plugin("tail.0").counter("input_files_opened_total", "Files").value = 1;
    it.pipeline.filter("grep.0").dropped.value = 2;
    it.pipeline.output("__proto__").deliveredRecords.value = 1;
    const body = await it.json("/api/v1/metrics");
    expect(body.input).toEqual({ "tail.0": { records: 3, bytes: 0, files_opened: 1 } });
    expect(body.filter).toEqual({ "grep.0": { drop_records: 2, add_records: 0, records: 0 } });
    expect(Object.entries(body.output)).toEqual([["__proto__", {
      proc_records: 1,
      proc_bytes: 0,
      errors: 0,
      retries: 0,
      retries_failed: 0,
      dropped_records: 0,
      retried_records: 0,
    }]]);
  });

  test("the Prometheus paths have Fluent Bit's families, and drops by reason", async () => {
    using it = admin();
    it.pipeline.input("tail.0");
    it.pipeline.filter("grep.0");
    it.pipeline.output("http.0").drop("refused").value = 7;
    for (
      const path of ["/api/v1/metrics/prometheus", "/api/v2/metrics/prometheus", "/api/v2/metrics"]
    ) {
      const response = await it.get(path);
      expect(response.headers.get("content-type")).toStartWith("text/plain; version=0.0.4");
      const families = parseExposition(await response.text());
      for (
        const name of [
          "input_records_total",
          "input_bytes_total",
          "input_ingestion_paused",
          "filter_records_total",
          "filter_add_records_total",
          "filter_drop_records_total",
          "output_proc_records_total",
          "output_proc_bytes_total",
          "output_errors_total",
          "output_retries_total",
          "output_retries_failed_total",
          "output_retried_records_total",
          "output_dropped_records_total",
        ]
      ) expect(families.get(`fluentbit_${name}`)?.samples).toHaveLength(1);
      expect(families.get("fluentbit_dropped_records_total")!.samples).toEqual([
        { labels: { kind: "output", name: "http.0", reason: "refused" }, value: 7 },
      ]);
    }
  });

  test("/api/v1/plugins lists the builtins", async () => {
    using it = admin();
    expect(await it.json("/api/v1/plugins")).toEqual({
      plugins: { inputs: ["tail"], filters: [], outputs: ["http"] },
    });
  });

  test("an unknown path is 404 with the known ones, another method 405, HEAD has no body", async () => {
    using it = admin();
    const unknown = await it.get("/api/v1/nope");
    expect(unknown.status).toBe(404);
    expect(await unknown.json()).toMatchObject({ error: "not found" });
    for (const method of ["POST", "PUT", "DELETE", "PATCH"]) {
      const refused = await it.get("/api/v1/uptime", method);
      expect(refused.status).toBe(405);
      expect(refused.headers.get("allow")).toBe("GET, HEAD");
    }
    const head = await it.get("/api/v1/uptime", "HEAD");
    expect([head.status, await head.text()]).toEqual([200, ""]);
  });
});

describe("health", () => {
  const both = async (it: ReturnType<typeof admin>) => {
    const v1 = await it.get("/api/v1/health");
    const v2 = await it.get("/api/v2/health");
    return [v1.status, await v1.text(), v2.status, await v2.json()] as const;
  };
  const REPORT = {
    status: "ok",
    errors: 0,
    retries_failed: 0,
    error_limit: 5,
    retry_failure_limit: 5,
    period_limit: 60,
    stalled: [],
  };

  test("is ok at rest", async () => {
    using it = admin();
    expect(await both(it)).toEqual([200, "ok\n", 200, REPORT]);
  });

  test("is an error while an output has something to deliver and delivers nothing", async () => {
    using it = admin();
    it.state.stalledMs = 59_999;
    expect((await both(it))[0]).toBe(200);
    it.state.stalledMs = 60_000;
    expect(await both(it)).toEqual([500, "error\n", 500, {
      ...REPORT,
      status: "error",
      stalled: ["http.0"],
    }]);
    it.state.stalledMs = 0;
    expect((await both(it))[0]).toBe(200);
  });

  test("is an error above the limits of errors or of given-up retries, and only within the period", async () => {
    using it = admin();
    const metrics = it.pipeline.output("http.0");
    metrics.errors.value = 5;
    expect((await both(it))[0]).toBe(200);
    metrics.errors.value = 6;
    expect(await both(it)).toEqual([500, "error\n", 500, {
      ...REPORT,
      status: "error",
      errors: 6,
    }]);
    it.state.nowMs = 59_999;
    it.health.sample();
    expect((await both(it))[0]).toBe(500);
    it.state.nowMs = 120_000;
    expect((await both(it))[0]).toBe(200);
    metrics.retriesFailed.value = 6;
    expect((await both(it))[2]).toBe(500);
  });

  test("always says ok when health_check is off, and still counts", async () => {
    using it = admin({ health: { enabled: false, errors: 5, retriesFailed: 5, periodMs: 60_000 } });
    it.pipeline.output("http.0").errors.value = 100;
    it.state.stalledMs = 1e9;
    expect(await both(it)).toEqual([200, "ok\n", 200, {
      ...REPORT,
      errors: 100,
      stalled: ["http.0"],
    }]);
  });
});

describe("startAdminServer", () => {
  const options = (port: number): AdminOptions => ({
    host: "127.0.0.1",
    port,
    version: "1",
    metrics: new MetricsRegistry(),
    uptimeSec: () => 1,
    outputs: [],
    health: { enabled: true, errors: 5, retriesFailed: 5, periodMs: 60_000 },
    reload: {
      count: 0,
      isEnabled: true,
      request: () => Promise.resolve({ problems: [], isStopping: false }),
    },
    plugins: {},
    nowMs: () => 0,
  });

  test("serves on a free port, throws when the port is taken, and frees it", async () => {
    const first = startAdminServer(options(0));
    const port = Number(new URL(first.url).port);
    expect((await fetch(`${first.url}/api/v1/uptime`)).status).toBe(200);
    expect(() => startAdminServer(options(port))).toThrow();
    await first.stop();
    const second = startAdminServer(options(port));
    expect(second.url).toBe(first.url);
    await second.stop();
  });

  const ipv6 = Object.values(networkInterfaces()).flat().some((at) => at?.address === "::1");
  test.skipIf(!ipv6)("writes an IPv6 address as a URL does", async () => {
    const server = startAdminServer({ ...options(0), host: "::1" });
    expect(new URL(server.url).hostname).toBe("[::1]");
    expect((await fetch(server.url)).status).toBe(200);
    await server.stop();
  });
});
