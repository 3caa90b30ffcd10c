import type { Draft, FilterMember } from "./draft.ts";
import type { FilterChain } from "./filter-chain.ts";
import type { FilterRunner } from "./filter-runner.ts";
import { flushFilter } from "./flush-filter.ts";
import type { PipelineChange } from "./pipeline-change.ts";
import { CLOSE_MS, type ReloadScene } from "./reload-scene.ts";
import { within } from "./within.ts";

/** How long batches may be held back at the entrance while filters are exchanged, in milliseconds. */
const STANDSTILL_MS = 1000;

/** Filters that change or go: what they hold back goes out before anything comes in behind it. */
export class ReloadFilters {
  private readonly scene: ReloadScene;

  constructor(scene: ReloadScene, { replaces }: PipelineChange, draft: Draft) {
    this.scene = scene;
    const { lineup } = scene;
    for (const { runner } of draft.filters) {
      const id = replaces.filter.get(runner.id);
      runner.predecessor = lineup.filters.find((before) => before.runner.id === id)?.runner;
    }
  }

  /**
   * Opens the entrance to the new chain. When filters leave, everything before them is first let through, and what they
   * hold back is sent through the new chain; a filter that takes long is not waited for, and followed up later.
   */
  async exchange(
    leaving: readonly FilterMember[],
    chain: FilterChain,
    settled: Promise<void>,
  ): Promise<void> {
    const { parts: { entrance }, clock, lineup } = this.scene;
    if (leaving.length === 0) return entrance.open(chain);
    for (const { runner } of leaving) lineup.leavingFilters.add(runner);
    entrance.close();
    const flushed = settled.then(async () => {
      for (const { runner } of leaving) await this.flush(runner, chain);
    });
    await within(clock, STANDSTILL_MS, flushed);
    entrance.open(chain);
    void flushed.then(() => this.finish(leaving));
  }

  private async flush(runner: FilterRunner, chain: FilterChain): Promise<void> {
    await flushFilter(runner, (batch, ticket) => chain.process(batch, ticket, runner));
  }

  private async finish(leaving: readonly FilterMember[]): Promise<void> {
    const { clock, log, lineup } = this.scene;
    for (const { runner } of leaving) {
      if (!await within(clock, CLOSE_MS, runner.close())) {
        log.warn(`Cannot close ${runner.id}: it takes longer than ${CLOSE_MS} ms`);
      }
      lineup.leavingFilters.delete(runner);
    }
    for (const { runner } of lineup.filters) {
      if (leaving.some((each) => each.runner === runner.predecessor)) {
        runner.predecessor = undefined;
      }
    }
  }
}
