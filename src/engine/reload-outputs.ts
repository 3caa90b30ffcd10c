import { countOf } from "../lib/count-of.ts";
import type { Draft, OutputMember } from "./draft.ts";
import type { PipelineChange } from "./pipeline-change.ts";
import { CLOSE_MS, type ReloadScene } from "./reload-scene.ts";
import { within } from "./within.ts";

/** Outputs that come, change or go, with what waits for them. */
export class ReloadOutputs {
  private readonly scene: ReloadScene;
  private readonly change: PipelineChange;
  /** By the successor. */
  private readonly predecessors = new Map<OutputMember, OutputMember>();

  constructor(scene: ReloadScene, change: PipelineChange, draft: Draft) {
    this.scene = scene;
    this.change = change;
    for (const member of draft.outputs) {
      const before = this.predecessorOf(member);
      if (before !== undefined) this.predecessors.set(member, before);
    }
  }

  /** The runner has no queue of its own: it takes over the one of another. */
  isAdopting(runner: object): boolean {
    for (const [member, before] of this.predecessors) {
      if (member.runner === runner) return member.spec.storage === before.spec.storage;
    }
    return false;
  }

  /** Lets those that changed go on with what waits for the ones before them. Resolves when all of it is theirs. */
  async takeOver(): Promise<void> {
    const { lineup, patienceMs } = this.scene;
    const handed = [...this.predecessors].map(async ([{ runner }, before]) => {
      lineup.leavingOutputs.get(before)?.abort();
      lineup.leavingOutputs.delete(before);
      await runner.takeOver(before.runner, patienceMs);
      await this.close(before);
    });
    await Promise.all(handed);
  }

  /** Sees those that are gone off. `settled` resolves when nothing is on the way to them any more. */
  retire(gone: readonly OutputMember[], settled: Promise<void>): void {
    const { lineup, stopping } = this.scene;
    const replaced = new Set(this.predecessors.values());
    for (const member of gone) {
      if (replaced.has(member)) continue;
      const leave = new AbortController();
      lineup.leavingOutputs.set(member, leave);
      void this.seeOff(member, settled, AbortSignal.any([stopping, leave.signal]));
    }
  }

  /** Whose waiting payloads can go out through this one: one that works now, or one that is being seen off. */
  private predecessorOf({ spec, runner }: OutputMember): OutputMember | undefined {
    const { lineup: { outputs, leavingOutputs } } = this.scene;
    const id = this.change.replaces.output.get(spec.id);
    const candidates = [
      ...outputs.filter((before) => before.spec.id === id),
      ...[...leavingOutputs.keys()].filter((before) => before.spec.id === spec.id),
    ];
    return candidates.find((before) => {
      if (before.spec.plugin !== spec.plugin || before.runner.format !== runner.format) {
        return false;
      }
      // What lies on disk lies in the folder of its output.
      const isOnDisk = before.spec.storage === "filesystem";
      return !isOnDisk || (spec.storage === "filesystem" && before.spec.id === spec.id);
    });
  }

  /**
   * Delivers what is left for as long as a stop may take. A stop of the pipeline, or a successor, puts an end to it:
   * what is left is theirs then.
   */
  private async seeOff(
    member: OutputMember,
    settled: Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    const { lineup, clock, parts: { settings: { graceMs } } } = this.scene;
    const { runner } = member;
    runner.stopWaiting();
    const drained = settled.then(() => {
      runner.flush();
      runner.cutRetryWaits();
      return runner.drained();
    });
    await Promise.race([drained, clock.sleep(graceMs, signal)]);
    // A change that is under way may have chosen a successor.
    await lineup.changing;
    if (signal.aborted) return;
    lineup.leavingOutputs.delete(member);
    lineup.closeLater(this.end(member, graceMs));
  }

  private async end(member: OutputMember, graceMs: number): Promise<void> {
    const { lineup, log, parts } = this.scene;
    const { runner } = member;
    runner.flush();
    await runner.giveUpRest(
      "output_removed",
      `the output was taken out by a reload, and they were not delivered within ${
        graceMs / 1000
      } s`,
    );
    await this.close(member);
    parts.keeper.commit(true);
    const { own, recovered } = runner.held;
    if (own + recovered > 0) {
      runner.leaveBehind();
      lineup.recordsLeft += own;
      const what = countOf(own + recovered, "record");
      log.warn(
        `Kept ${what} for ${runner.id} on disk, which was taken out by a reload: they go out when it is configured again`,
      );
    }
    await runner.closeQueue();
    if (own + recovered > 0) parts.onQueueLeft();
  }

  private async close({ runner }: OutputMember): Promise<void> {
    const { clock, log } = this.scene;
    if (!await within(clock, CLOSE_MS, runner.close())) {
      log.warn(`Cannot close ${runner.id}: it takes longer than ${CLOSE_MS} ms`);
    }
  }
}
