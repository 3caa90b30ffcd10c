import type { Draft, InputMember } from "./draft.ts";
import type { PipelineChange } from "./pipeline-change.ts";
import { CLOSE_MS, type ReloadScene } from "./reload-scene.ts";
import { within } from "./within.ts";

/** Inputs that come, change or go. */
export class ReloadInputs {
  private readonly scene: ReloadScene;
  private readonly draft: Draft;
  private readonly change: PipelineChange;
  /** By the successor's runner. */
  private readonly predecessors = new Map<object, InputMember>();

  constructor(scene: ReloadScene, change: PipelineChange, draft: Draft) {
    this.scene = scene;
    this.draft = draft;
    this.change = change;
    for (const { spec, runner } of draft.inputs) {
      const before = this.predecessorOf(spec.id, spec.plugin);
      if (before !== undefined) this.predecessors.set(runner, before);
    }
  }

  isSuccessor(runner: object): boolean {
    return this.predecessors.has(runner);
  }

  /** Finds out now what could only fail when it is too late to turn back. */
  check(): void {
    for (const { spec: { id }, runner } of this.draft.inputs) {
      const before = this.predecessors.get(runner);
      if (before === undefined) continue;
      try {
        runner.tryPositions(before.runner);
      } catch (error) {
        this.draft.problems.push({ kind: "input", id, error });
      }
    }
  }

  /** Starts what is new, stops what is gone, and lets what is changed go on behind what it emitted before. */
  async exchange(): Promise<void> {
    const { lineup, running } = this.scene;
    const { draft, predecessors, change: { spec } } = this;
    const gone = lineup.inputs.filter(({ spec: { id } }) => !this.change.unchanged.input.has(id));
    const kept = lineup.inputs.filter((each) => !gone.includes(each));
    for (const member of gone) lineup.leavingInputs.add(member);
    const all = [...kept, ...draft.inputs];
    lineup.inputs = spec.inputs.flatMap(({ id }) =>
      all.find((member) => member.spec.id === id) ?? []
    );
    for (const { runner } of draft.inputs) if (!this.isSuccessor(runner)) running.start(runner);
    const stopped = new Map(gone.map((member) => [member, this.stop(member)]));
    const succeeded = draft.inputs.map(async ({ runner }) => {
      const before = predecessors.get(runner);
      if (before === undefined) return;
      await stopped.get(before);
      runner.takeOver(before.runner);
      lineup.leavingInputs.delete(before);
      if (!this.scene.stopping.aborted) running.start(runner);
    });
    await Promise.all([...stopped.values(), ...succeeded]);
    for (const member of gone) if (lineup.leavingInputs.has(member)) void this.leave(member);
  }

  /** One that works now, or one that was taken out before and whose batches are still on their way. */
  private predecessorOf(id: string, plugin: string): InputMember | undefined {
    const { lineup: { inputs, leavingInputs } } = this.scene;
    const before = this.change.replaces.input.get(id);
    const ofPlugin = ({ spec }: InputMember, wanted: string | undefined): boolean =>
      spec.plugin === plugin && spec.id === wanted;
    return inputs.find((member) => ofPlugin(member, before)) ??
      [...leavingInputs].find((member) => ofPlugin(member, id));
  }

  private async stop({ runner }: InputMember): Promise<void> {
    const { running, clock, log, patienceMs } = this.scene;
    const returned = running.stop(runner);
    runner.letGo();
    if (!await within(clock, patienceMs, returned)) {
      log.warn(
        `Cannot stop ${runner.id}: it takes longer than ${patienceMs} ms; it is left behind`,
      );
    }
    runner.shutOut();
    if (!await within(clock, CLOSE_MS, runner.close())) {
      log.warn(`Cannot close ${runner.id}: it takes longer than ${CLOSE_MS} ms`);
    }
  }

  /** Keeps its positions moving for as long as something of it is on its way. */
  private async leave(member: InputMember): Promise<void> {
    const { lineup } = this.scene;
    await member.runner.settled();
    if (!lineup.leavingInputs.delete(member)) return;
    member.runner.closeCheckpoints();
  }
}
