import type { Preparable } from "../sdk/preparable.ts";
import { claimsOf } from "./claims.ts";
import type { FilterRunner } from "./filter-runner.ts";
import type { InputRunner } from "./input-runner.ts";
import { RunnerMaker } from "./make-runners.ts";
import type { OutputRunner } from "./output-runner.ts";
import type { SharedParts } from "./shared-parts.ts";
import type {
  AssemblyProblem,
  FilterSpec,
  InputSpec,
  OutputSpec,
  PipelineSpec,
  SpecKind,
} from "./spec.ts";

/** A plugin at work, or about to be, with what the configuration says of it. */
export interface Member<S, R> {
  readonly spec: S;
  readonly runner: R;
}
export type InputMember = Member<InputSpec, InputRunner>;
export type FilterMember = Member<FilterSpec, FilterRunner>;
export type OutputMember = Member<OutputSpec, OutputRunner>;

/** Runners that were made for a configuration and do not run yet. */
export class Draft {
  readonly outputs: readonly OutputMember[];
  readonly filters: readonly FilterMember[];
  readonly inputs: readonly InputMember[];
  /** What failed so far. With a problem the draft is good for nothing but to be discarded. */
  readonly problems: AssemblyProblem[] = [];
  private readonly parts: SharedParts;
  private readonly maker: RunnerMaker;

  /** Makes the plugins that are wanted: all of them, if it is not said. Nothing reads or connects yet. */
  constructor(
    { inputs, filters, outputs, ...rest }: PipelineSpec,
    parts: SharedParts,
    isWanted: (kind: SpecKind, id: string) => boolean = () => true,
  ) {
    this.parts = parts;
    const maker = new RunnerMaker({ inputs, filters, outputs, ...rest }, parts);
    this.maker = maker;
    const make = <S extends { readonly id: string }, R>(
      kind: SpecKind,
      specs: readonly S[],
      makeOne: (spec: S) => R,
    ): Member<S, R>[] =>
      specs.filter(({ id }) => isWanted(kind, id)).flatMap((spec) => {
        try {
          return [{ spec, runner: makeOne(spec) }];
        } catch (error) {
          this.problems.push({ kind, id: spec.id, error });
          return [];
        }
      });
    this.outputs = make("output", outputs, (output) => maker.output(output));
    this.filters = make("filter", filters, (filter) => maker.filter(filter));
    this.inputs = make("input", inputs, (input) => maker.input(input));
  }

  /** Waits until the plugins that run elsewhere are set up there. */
  async prepare(): Promise<void> {
    const attempt =
      (kind: SpecKind) => ({ runner }: Member<unknown, Preparable & { id: string }>) =>
        runner.prepare().catch((error) => this.failed(kind, runner, error));
    await Promise.all([
      ...this.inputs.map(attempt("input")),
      ...this.filters.map(attempt("filter")),
      ...this.outputs.map(attempt("output")),
    ]);
  }

  /**
   * Opens the outputs' queues and the inputs' positions, but for those runners that take the place of others. From
   * here on the draft is to be discarded when it is not used.
   */
  async open(isSuccessor: (runner: object) => boolean = () => false): Promise<void> {
    const outputs = this.outputs.filter(({ runner }) => !isSuccessor(runner));
    await Promise.all(
      outputs.map(({ runner }) =>
        runner.open().catch((error) => this.failed("output", runner, error))
      ),
    );
    const own = claimsOf(this.maker.queues);
    const { shareClaims } = this.parts.services;
    const claims = this.problems.length === 0 && await shareClaims?.(own) || own;
    for (const { runner } of this.inputs) {
      if (isSuccessor(runner)) continue;
      try {
        runner.open(claims.get(runner.id));
      } catch (error) {
        this.failed("input", runner, error);
      }
    }
    // What only the queues knew is known elsewhere before they may forget it.
    if (this.problems.length === 0) this.parts.keeper.commit(true);
  }

  /** The configuration is in force. */
  takeForce(): void {
    this.maker.takeForce();
  }

  /** Closes everything again. */
  async discard(): Promise<void> {
    const { inputs, filters, outputs } = this;
    for (const { runner } of [...inputs, ...filters, ...outputs]) await runner.close();
    for (const { runner } of outputs) {
      runner.leaveBehind();
      await runner.closeQueue();
    }
    for (const { runner } of inputs) runner.closeCheckpoints();
  }

  private failed(kind: SpecKind, { id }: { readonly id: string }, error: unknown): void {
    this.problems.push({ kind, id, error });
  }
}
