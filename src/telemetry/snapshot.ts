export type Labels = Readonly<Record<string, string>>;

/** The values of one family at a moment, to be passed to another thread. */
export interface FamilySnapshot {
  readonly name: string;
  readonly help: string;
  readonly kind: "counter" | "gauge";
  readonly series: readonly (readonly [labels: Labels, value: number])[];
}

/** Of these the largest counts, where several threads have one; others add up. */
const MAXIMA: ReadonlySet<string> = new Set([
  "fluentbit_input_ingestion_paused",
  "fluentbit_event_loop_delay_seconds",
]);

/** What the same families of several threads make together. */
export function mergeSnapshots(all: Iterable<readonly FamilySnapshot[]>): FamilySnapshot[] {
  const merged = new Map<string, FamilySnapshot & { readonly values: Values }>();
  for (const { series, ...family } of [...all].flat()) {
    let known = merged.get(family.name);
    if (known === undefined) {
      known = { ...family, series: [], values: new Map() };
      merged.set(family.name, known);
    }
    const combine = MAXIMA.has(family.name) ? Math.max : (a: number, b: number) => a + b;
    for (const [labels, value] of series) {
      const key = JSON.stringify(Object.entries(labels));
      const before = known.values.get(key);
      known.values.set(key, [labels, before === undefined ? value : combine(before[1], value)]);
    }
  }
  return [...merged.values()].map(({ values, ...family }) => ({
    ...family,
    series: [...values.values()],
  }));
}

type Values = Map<string, readonly [labels: Labels, value: number]>;
