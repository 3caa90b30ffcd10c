/** Counters and gauges by name and labels, and their Prometheus text. */
import { type FamilySnapshot, type Labels, mergeSnapshots } from "./snapshot.ts";

export type { Labels };
type Kind = "counter" | "gauge";

export interface Sample {
  value: number;
}

interface Series extends Sample {
  readonly labels: Labels;
}

interface Family {
  readonly name: string;
  readonly help: string;
  readonly kind: Kind;
  readonly series: Map<string, Series>;
}

/** What Fluent Bit's families begin with, so that dashboards and alerts for it go on working. */
export const PREFIX = "fluentbit_";
/** More series than this in one family means that a label takes its value from data. */
const MAX_SERIES = 20_000;

export class MetricsRegistry {
  private readonly families = new Map<string, Family>();
  private readonly collectors: (() => void)[] = [];
  private readonly others: (() => readonly FamilySnapshot[])[] = [];

  /** The counter of this name and these labels, made at the first call. Keep it: the look-up is not for hot paths. */
  counter(name: string, help: string, labels: Labels = {}, prefix: string = PREFIX): Sample {
    return this.series("counter", prefix + name, help, labels);
  }

  gauge(name: string, help: string, labels: Labels = {}, prefix: string = PREFIX): Sample {
    return this.series("gauge", prefix + name, help, labels);
  }

  /** Takes a series away, as when the file that it speaks of is gone. */
  remove(name: string, labels: Labels): void {
    this.families.get(PREFIX + name)?.series.delete(keyOf(labels));
  }

  /** Calls back before the text is made, for gauges that are cheaper to compute than to keep. */
  onCollect(collect: () => void): void {
    this.collectors.push(collect);
  }

  /** Adds what another thread counted to what is told of each family. */
  addOther(values: () => readonly FamilySnapshot[]): void {
    this.others.push(values);
  }

  /** All samples of one family. Those of {@link onCollect} may be old. */
  samples(name: string): readonly { labels: Labels; value: number }[] {
    const isWanted = (family: { readonly name: string }) => family.name === PREFIX + name;
    const [merged] = this.merged(isWanted);
    return (merged?.series ?? []).map(([labels, value]) => ({ labels, value }));
  }

  /** The values as they are now, of this thread. */
  snapshot(): FamilySnapshot[] {
    for (const collect of this.collectors) collect();
    return this.own(() => true);
  }

  /** The text exposition format, version 0.0.4. */
  prometheus(): string {
    for (const collect of this.collectors) collect();
    const parts: string[] = [];
    const families = this.merged(() => true).sort((a, b) => a.name < b.name ? -1 : 1);
    for (const { name, help, kind, series } of families) {
      if (series.length === 0) continue;
      parts.push(`# HELP ${name} ${escapeHelp(help)}.\n# TYPE ${name} ${kind}\n`);
      for (const [labels, value] of series) {
        parts.push(`${name}${labelText(labels)} ${valueText(value)}\n`);
      }
    }
    return parts.join("");
  }

  private merged(isWanted: (family: { readonly name: string }) => boolean): FamilySnapshot[] {
    const own = this.own(isWanted);
    if (this.others.length === 0) return own;
    return mergeSnapshots([own, ...this.others.map((other) => other().filter(isWanted))]);
  }

  private own(isWanted: (family: { readonly name: string }) => boolean): FamilySnapshot[] {
    return [...this.families.values()].filter(isWanted).map(({ name, help, kind, series }) => ({
      name,
      help,
      kind,
      series: [...series.values()].map(({ labels, value }) => [labels, value] as const),
    }));
  }

  private series(kind: Kind, name: string, help: string, labels: Labels): Series {
    let family = this.families.get(name);
    if (family === undefined) {
      family = { name, help, kind, series: new Map() };
      this.families.set(name, family);
    }
    const key = keyOf(labels);
    let series = family.series.get(key);
    if (series === undefined) {
      series = { labels, value: 0 };
      if (family.series.size < MAX_SERIES) family.series.set(key, series);
    }
    return series;
  }
}

function keyOf(labels: Labels): string {
  return JSON.stringify(Object.entries(labels));
}

function labelText(labels: Labels): string {
  const parts = Object.entries(labels).map(([key, value]) => `${key}="${escapeLabel(value)}"`);
  return parts.length === 0 ? "" : `{${parts.join(",")}}`;
}

function valueText(value: number): string {
  if (value === Infinity) return "+Inf";
  return value === -Infinity ? "-Inf" : String(value);
}

function escapeLabel(value: string): string {
  return escapeHelp(value).replaceAll('"', '\\"');
}

function escapeHelp(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}
