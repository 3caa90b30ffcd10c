import type { Counter, Gauge, PluginMetrics } from "../sdk/context.ts";

type Labels = Readonly<Record<string, string>>;

/** One counter or gauge of a plugin's. */
export interface CapturedMetric {
  readonly type: "counter" | "gauge";
  readonly name: string;
  readonly help: string;
  readonly labels: Labels;
  value: number;
}

/** Keeps a plugin's counters and gauges. */
export class CapturedMetrics implements PluginMetrics {
  private readonly found = new Map<string, CapturedMetric>();

  /** All metrics that the plugin asked for and did not remove. */
  get all(): readonly CapturedMetric[] {
    return [...this.found.values()];
  }

  /** What a counter or gauge shows; `undefined` when the plugin has none of this name and these labels. */
  value(name: string, labels: Labels = {}): number | undefined {
    return this.found.get(keyOf(name, labels))?.value;
  }

  counter(name: string, help: string, labels: Labels = {}): Counter {
    return this.metric("counter", name, help, labels);
  }

  gauge(name: string, help: string, labels: Labels = {}): Gauge {
    return this.metric("gauge", name, help, labels);
  }

  remove(name: string, labels: Labels): void {
    this.found.delete(keyOf(name, labels));
  }

  private metric(
    type: CapturedMetric["type"],
    name: string,
    help: string,
    labels: Labels,
  ): CapturedMetric {
    const key = keyOf(name, labels);
    const known = this.found.get(key);
    if (known !== undefined) {
      if (known.type === type) return known;
      throw new Error(`Cannot use metric "${name}" as a ${type}: it is a ${known.type} already`);
    }
    const metric = { type, name, help, labels, value: 0 };
    this.found.set(key, metric);
    return metric;
  }
}

function keyOf(name: string, labels: Labels): string {
  return JSON.stringify([name, Object.entries(labels).sort(([a], [b]) => a < b ? -1 : 1)]);
}
