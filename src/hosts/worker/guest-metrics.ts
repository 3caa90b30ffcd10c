import type { Counter, Gauge, PluginMetrics } from "../../sdk/context.ts";
import type { GuestEvent } from "./messages.ts";

type Labels = Readonly<Record<string, string>>;

interface Series {
  readonly kind: "counter" | "gauge";
  readonly name: string;
  readonly help: string;
  readonly labels: Labels;
  readonly sample: { value: number };
  /** What the host knows. */
  told: number;
}

/** A plugin's metrics in its worker: plain numbers, of which the host is told what has changed. */
export class GuestMetrics implements PluginMetrics {
  private readonly series = new Map<string, Series>();
  private readonly push: (event: GuestEvent) => void;

  constructor(push: (event: GuestEvent) => void) {
    this.push = push;
  }

  counter(name: string, help: string, labels: Labels = {}): Counter {
    return this.sample("counter", name, help, labels);
  }

  gauge(name: string, help: string, labels: Labels = {}): Gauge {
    return this.sample("gauge", name, help, labels);
  }

  remove(name: string, labels: Labels): void {
    this.series.delete(keyOf(name, labels));
    this.push({ type: "unmetric", name, labels });
  }

  /** Says what has changed since the last time. */
  tell(): void {
    for (const series of this.series.values()) {
      const { kind, name, help, labels, sample, told } = series;
      if (sample.value === told) continue;
      const value = kind === "counter" ? sample.value - told : sample.value;
      series.told = sample.value;
      this.push({ type: "metric", kind, name, help, labels, value });
    }
  }

  private sample(kind: Series["kind"], name: string, help: string, labels: Labels): Counter {
    const key = keyOf(name, labels);
    let series = this.series.get(key);
    if (series === undefined) {
      // Told at once: a series is shown from its making on, also with 0.
      series = { kind, name, help, labels, sample: { value: 0 }, told: 0 };
      this.series.set(key, series);
      this.push({ type: "metric", kind, name, help, labels, value: 0 });
    }
    return series.sample;
  }
}

function keyOf(name: string, labels: Labels): string {
  return JSON.stringify([name, Object.entries(labels)]);
}
