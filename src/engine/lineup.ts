import type { Draft, FilterMember, InputMember, OutputMember } from "./draft.ts";
import type { FilterChain } from "./filter-chain.ts";
import type { FilterRunner } from "./filter-runner.ts";
import type { InputRunner } from "./input-runner.ts";
import type { OutputRunner } from "./output-runner.ts";
import type { SharedParts } from "./shared-parts.ts";

/** Who is at work: what the configuration names, and what it named before and has not come to its end. */
export class Lineup {
  inputs: readonly InputMember[];
  filters: readonly FilterMember[];
  outputs: readonly OutputMember[];
  chain: FilterChain;
  /** Inputs that have returned, with batches that are not safe yet. */
  readonly leavingInputs = new Set<InputMember>();
  /** Filters that may hold records, or get some from a chain of before. */
  readonly leavingFilters = new Set<FilterRunner>();
  /** Outputs that have something left to deliver. */
  readonly leavingOutputs = new Map<OutputMember, AbortController>();
  /** Chains of before with batches inside. */
  readonly leavingChains = new Set<FilterChain>();
  /** Resolves when no change is under way. */
  changing: Promise<unknown> = Promise.resolve();
  /** Outputs whose last is being seen to. */
  readonly closing = new Set<Promise<void>>();
  /** Records of this run that outputs left in queues on disk, which nobody has open any more. */
  recordsLeft = 0;
  private readonly parts: SharedParts;

  constructor(parts: SharedParts, { inputs, filters, outputs }: Draft) {
    this.parts = parts;
    this.inputs = inputs;
    this.filters = filters;
    this.outputs = outputs;
    this.chain = parts.chainOf(runnersOf(filters), runnersOf(outputs));
    parts.entrance.open(this.chain);
    parts.flushOutputs = () => this.allOutputs.forEach((output) => output.flush());
  }

  get allInputs(): readonly InputRunner[] {
    return runnersOf([...this.inputs, ...this.leavingInputs]);
  }

  get allFilters(): readonly FilterRunner[] {
    return [...this.leavingFilters, ...runnersOf(this.filters)];
  }

  get allOutputs(): readonly OutputRunner[] {
    return runnersOf([...this.outputs, ...this.leavingOutputs.keys()]);
  }

  /** Goes on looking after a chain of before. Resolves when no batch is inside it, or inside one before it, any more. */
  async leave(chain: FilterChain): Promise<void> {
    this.leavingChains.add(chain);
    // Its batches may be in filters that work on in another chain.
    await Promise.all([...this.leavingChains].map((each) => each.settled()));
    this.leavingChains.delete(chain);
  }

  /** Resolves when no batch is inside a filter. */
  async settled(): Promise<void> {
    await Promise.all([this.chain, ...this.leavingChains].map((each) => each.settled()));
  }

  closeLater(work: Promise<void>): void {
    const closing = work.finally(() => this.closing.delete(closing));
    this.closing.add(closing);
  }

  /** What does not add up in the books: a sentence for each. */
  get imbalances(): string[] {
    const held = new Map<string, { own: number; recovered: number }>();
    for (const { id, held: { own, recovered } } of this.allOutputs) {
      const others = held.get(id) ?? { own: 0, recovered: 0 };
      held.set(id, { own: others.own + own, recovered: others.recovered + recovered });
    }
    const chains = [this.chain, ...this.leavingChains];
    const passing = chains.reduce((sum, chain) => sum + chain.passing, 0);
    const elsewhere = passing + this.parts.entrance.waitingRecords + this.recordsLeft;
    return this.parts.books.problems(held, elsewhere);
  }
}

export function runnersOf<R>(members: Iterable<{ readonly runner: R }>): R[] {
  return [...members].map(({ runner }) => runner);
}
