import { describe, expect, test } from "bun:test";
import { MetricsRegistry } from "../../src/telemetry/metrics.ts";

/** Two registries as two threads have them, the second one's values passed on. */
function twoThreads(): { main: MetricsRegistry; other: MetricsRegistry } {
  const main = new MetricsRegistry();
  const other = new MetricsRegistry();
  main.addOther(() => structuredClone(other.snapshot()));
  return { main, other };
}

describe("metrics of several threads", () => {
  test("series of the same labels add up, and others stand beside each other", () => {
    const { main, other } = twoThreads();
    main.counter("records_total", "Records", { name: "a" }).value = 3;
    other.counter("records_total", "Records", { name: "a" }).value = 4;
    other.counter("records_total", "Records", { name: "b" }).value = 5;
    expect(main.samples("records_total")).toEqual([
      { labels: { name: "a" }, value: 7 },
      { labels: { name: "b" }, value: 5 },
    ]);
    expect(main.prometheus()).toBe(
      `# HELP fluentbit_records_total Records.\n# TYPE fluentbit_records_total counter\n` +
        `fluentbit_records_total{name="a"} 7\nfluentbit_records_total{name="b"} 5\n`,
    );
  });

  test("a family that only another thread has is there", () => {
    const { main, other } = twoThreads();
    other.gauge("waiting", "Waiting").value = 2;
    expect(main.prometheus()).toContain("fluentbit_waiting 2\n");
  });

  test("whether an input waits is no number of inputs", () => {
    const { main, other } = twoThreads();
    for (const thread of [main, other]) thread.gauge("input_ingestion_paused", "Paused").value = 1;
    expect(main.samples("input_ingestion_paused")).toEqual([{ labels: {}, value: 1 }]);
  });

  test("what is computed when it is asked for is computed in each", () => {
    const { main, other } = twoThreads();
    for (const thread of [main, other]) {
      const gauge = thread.gauge("computed", "Computed");
      thread.onCollect(() => void gauge.value++);
    }
    expect(main.prometheus()).toContain("fluentbit_computed 2\n");
  });
});
