import type { OutputReport } from "./messages.ts";

/** The outputs of all threads, each once: stalled for as long as any of its instances is. */
export function mergeOutputs(all: readonly (readonly OutputReport[])[]): OutputReport[] {
  const merged = new Map<string, OutputReport>();
  for (const { id, stalledMs, held } of all.flat()) {
    const known = merged.get(id);
    merged.set(id, {
      id,
      stalledMs: Math.max(stalledMs, known?.stalledMs ?? 0),
      held: {
        own: held.own + (known?.held.own ?? 0),
        recovered: held.recovered + (known?.held.recovered ?? 0),
      },
    });
  }
  return [...merged.values()];
}
