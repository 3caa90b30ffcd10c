import { countOf } from "../lib/count-of.ts";

/** An output that has delivered nothing for so long while something waits is named. */
const STALLED_MS = 5000;
const NAMED_OUTPUTS = 3;

export interface StatusOutput {
  readonly id: string;
  readonly stalledMs: number;
  readonly held: { readonly own: number; readonly recovered: number };
}

export interface RunFacts {
  readonly inputs: number;
  readonly outputs: readonly StatusOutput[];
  /** Records, of all outputs. */
  readonly delivered: number;
  /** Why the last reload was refused; empty when it was not. */
  readonly refusal: readonly string[];
}

/** One line that tells how a run is getting on; what is wrong comes first. */
export function runStatus({ inputs, outputs, delivered, refusal }: RunFacts): string {
  const stalled = outputs.filter(({ stalledMs }) => stalledMs >= STALLED_MS);
  const parts = stalled.slice(0, NAMED_OUTPUTS).map(waiting);
  if (stalled.length > NAMED_OUTPUTS) {
    parts.push(`${stalled.length - NAMED_OUTPUTS} more outputs are waiting`);
  }
  if (refusal.length > 0) {
    const more = refusal.length > 1 ? ` (and ${refusal.length - 1} more)` : "";
    parts.push(`last reload refused: ${refusal[0]}${more}`);
  }
  const counts = `${countOf(inputs, "input")}, ${countOf(outputs.length, "output")}`;
  return [...parts, `${counts}, ${countOf(delivered, "record")} delivered`].join("; ");
}

function waiting({ id, stalledMs, held: { own, recovered } }: StatusOutput): string {
  const queued = countOf(own + recovered, "record");
  return `output ${id}: waiting for ${Math.floor(stalledMs / 1000)} s, ${queued} queued`;
}
