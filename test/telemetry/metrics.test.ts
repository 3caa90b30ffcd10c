import { describe, expect, test } from "bun:test";
import { MetricsRegistry } from "../../src/telemetry/metrics.ts";
import { addProcessMetrics } from "../../src/telemetry/process-metrics.ts";
import { parseExposition } from "../support/exposition.ts";

describe("MetricsRegistry", () => {
  test("gives the same counter for the same name and labels", () => {
    const metrics = new MetricsRegistry();
    const first = metrics.counter("input_records_total", "Records", { name: "a" });
    first.value += 2;
    expect(metrics.counter("input_records_total", "Records", { name: "a" })).toBe(first);
    expect(metrics.counter("input_records_total", "Records", { name: "b" })).not.toBe(first);
    expect(metrics.samples("input_records_total")).toMatchObject([
      { labels: { name: "a" }, value: 2 },
      { labels: { name: "b" }, value: 0 },
    ]);
  });

  test("writes HELP, TYPE and samples that a scraper can read, whatever the labels hold", () => {
    const metrics = new MetricsRegistry();
    const path = 'a\\b"c\nd{}, e="f"';
    metrics.gauge("input_file_lag_bytes", "One\ntwo \\ three", { file: path }).value = 1.5;
    metrics.gauge("strange", "Numbers", { n: "inf" }).value = Infinity;
    const families = parseExposition(metrics.prometheus());
    expect(families.get("fluentbit_input_file_lag_bytes")).toEqual({
      help: "One\\ntwo \\\\ three.",
      type: "gauge",
      samples: [{ labels: { file: path }, value: 1.5 }],
    });
    expect(families.get("fluentbit_strange")!.samples[0]!.value).toBe(Infinity);
  });

  test("takes away what is gone, and leaves out a family without series", () => {
    const metrics = new MetricsRegistry();
    metrics.gauge("input_file_lag_bytes", "Lag", { file: "a" });
    metrics.remove("input_file_lag_bytes", { file: "a" });
    expect(metrics.prometheus()).toBe("");
  });

  test("has a limit of series per family", () => {
    const metrics = new MetricsRegistry();
    for (let i = 0; i < 25_000; i++) metrics.counter("c", "C", { id: String(i) }).value++;
    expect(metrics.samples("c")).toHaveLength(20_000);
  });
});

describe("addProcessMetrics", () => {
  test("tells uptime, build, memory, processor time, own log and the loop's delay", async () => {
    const metrics = new MetricsRegistry();
    const stop = addProcessMetrics(metrics, {
      version: "1.2.3",
      hostname: "box",
      startedSec: 1000,
      uptimeSec: () => 42,
      log: { counts: { error: 1, warn: 2, info: 3, debug: 4 } },
      nowMs: () => performance.now(),
    });
    const families = parseExposition(metrics.prometheus());
    stop.stop();
    const value = (name: string) => families.get(name)?.samples[0]?.value ?? NaN;
    expect(families.get("fluentbit_uptime")).toMatchObject({
      type: "counter",
      samples: [{ labels: { hostname: "box" }, value: 42 }],
    });
    expect(families.get("fluentbit_build_info")!.samples).toEqual([{
      labels: {
        hostname: "box",
        version: "1.2.3",
        edition: "logcollector",
        os: process.platform,
      },
      value: 1,
    }]);
    expect(value("process_start_time_seconds")).toBe(1000);
    expect(value("fluentbit_process_start_time_seconds")).toBe(1000);
    expect(value("process_resident_memory_bytes")).toBeGreaterThan(1e6);
    expect(value("fluentbit_heap_used_bytes")).toBeGreaterThan(1e5);
    expect(value("process_cpu_seconds_total")).toBeGreaterThan(0);
    expect(value("fluentbit_event_loop_delay_seconds")).toBeGreaterThanOrEqual(0);
    expect(families.get("fluentbit_logger_logs_total")!.samples).toContainEqual({
      labels: { message_type: "warn" },
      value: 2,
    });
  });
});
