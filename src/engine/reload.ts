import { Draft, type FilterMember, type Member } from "./draft.ts";
import { runnersOf } from "./lineup.ts";
import type { PipelineChange } from "./pipeline-change.ts";
import { ReloadFilters } from "./reload-filters.ts";
import { ReloadInputs } from "./reload-inputs.ts";
import { ReloadOutputs } from "./reload-outputs.ts";
import { CLOSE_MS, type ReloadScene } from "./reload-scene.ts";
import type { AssemblyProblem } from "./spec.ts";
import { within } from "./within.ts";

/**
 * One change of a running pipeline. What is new is made and opened first; should anything fail, it is thrown away.
 * Then the way through filters and outputs is exchanged between two batches, and inputs that changed are stopped and
 * started again behind what they emitted. What stays is not touched.
 */
export class Reload {
  private readonly scene: ReloadScene;
  private readonly change: PipelineChange;

  constructor(scene: ReloadScene, change: PipelineChange) {
    this.scene = scene;
    this.change = change;
  }

  /** See `Pipeline.reconfigure`. */
  async run(): Promise<readonly AssemblyProblem[] | undefined> {
    const { scene, change } = this;
    const { parts, lineup } = scene;
    // Queues that are being closed may be opened again.
    await Promise.all(lineup.closing);
    if (scene.stopping.aborted) return undefined;
    const draft = new Draft(change.spec, parts, (kind, id) => !change.unchanged[kind].has(id));
    const outputs = new ReloadOutputs(scene, change, draft);
    const inputs = new ReloadInputs(scene, change, draft);
    const filters = new ReloadFilters(scene, change, draft);
    if (!await this.makeReady(draft, inputs, outputs)) {
      await within(scene.clock, CLOSE_MS, draft.discard());
      return scene.stopping.aborted ? undefined : draft.problems;
    }
    draft.takeForce();
    parts.renew(change.spec);
    const handedOver = outputs.takeOver();
    await this.exchangeChain(draft, filters, outputs);
    await Promise.all([inputs.exchange(), handedOver]);
    return [];
  }

  private async makeReady(
    draft: Draft,
    inputs: ReloadInputs,
    outputs: ReloadOutputs,
  ): Promise<boolean> {
    const { stopping } = this.scene;
    if (draft.problems.length > 0) return false;
    // A plugin may set itself up elsewhere for long, and that is not waited for when the pipeline stops.
    const over = new AbortController();
    await Promise.race([draft.prepare(), aborted(stopping, over.signal)]);
    over.abort();
    if (draft.problems.length > 0 || stopping.aborted) return false;
    await draft.open((runner) => outputs.isAdopting(runner) || inputs.isSuccessor(runner));
    inputs.check();
    return draft.problems.length === 0 && !stopping.aborted;
  }

  /** From here on batches go the new way, and outputs that are gone get nothing more. */
  private async exchangeChain(
    draft: Draft,
    filters: ReloadFilters,
    outputs: ReloadOutputs,
  ): Promise<void> {
    const { parts, lineup } = this.scene;
    const { spec } = this.change;
    const before = lineup.chain;
    const nextFilters = merged(spec.filters, draft.filters, lineup.filters);
    const nextOutputs = merged(spec.outputs, draft.outputs, lineup.outputs);
    const isSame = isSameList(nextFilters, lineup.filters) &&
      isSameList(nextOutputs, lineup.outputs);
    if (isSame) return;
    const chain = parts.chainOf(runnersOf(nextFilters), runnersOf(nextOutputs));
    const leaving: FilterMember[] = lineup.filters.filter((each) => !nextFilters.includes(each));
    const gone = lineup.outputs.filter((each) => !nextOutputs.includes(each));
    lineup.filters = nextFilters;
    lineup.outputs = nextOutputs;
    lineup.chain = chain;
    for (const { runner } of draft.outputs) runner.start();
    const settled = lineup.leave(before);
    await filters.exchange(leaving, chain, settled);
    outputs.retire(gone, settled);
  }
}

/** The members in the configuration's order: those of the draft, and those that stay. */
function merged<S extends { readonly id: string }, M extends Member<S, unknown>>(
  specs: readonly S[],
  draft: readonly M[],
  before: readonly M[],
): readonly M[] {
  return specs.flatMap(({ id }) =>
    draft.find(({ spec }) => spec.id === id) ?? before.find(({ spec }) => spec.id === id) ?? []
  );
}

function isSameList(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((each, i) => each === b[i]);
}

/** Resolves when a signal aborts, and does not look at it any more once the work is `over`. */
function aborted(signal: AbortSignal, over: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) =>
    signal.addEventListener("abort", () => resolve(), { once: true, signal: over })
  );
}
