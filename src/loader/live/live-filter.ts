import type { Batch } from "../../sdk/batch.ts";
import type { FilterContext } from "../../sdk/context.ts";
import type { Filter, MaybePromise } from "../../sdk/define.ts";
import type { LiveInstance } from "./live-instance.ts";

/** One plugin with what it has in hand. */
interface Generation {
  readonly filter: Filter;
  /** What it holds back and has not let go of. */
  readonly holds: Set<() => void>;
  /** Calls that have not returned. */
  busy: number;
  retired: boolean;
}

/** A filter that can be exchanged between two batches. What the old one held back is sent on first. */
export class LiveFilter implements Filter, LiveInstance<Generation> {
  private readonly ctx: FilterContext;
  private readonly onClose: () => void;
  private current!: Generation;

  constructor(ctx: FilterContext, onClose: () => void) {
    this.ctx = ctx;
    this.onClose = onClose;
  }

  /** A generation whose holds are known, so that none outlives it. */
  make(create: (ctx: FilterContext) => Filter): Generation {
    const holds = new Set<() => void>();
    const hold = (): () => void => {
      const inner = this.ctx.hold();
      const release = (): void => {
        if (holds.delete(release)) inner();
      };
      holds.add(release);
      return release;
    };
    return { filter: create({ ...this.ctx, hold }), holds, busy: 0, retired: false };
  }

  start(first: Generation): void {
    this.current = first;
  }

  check(): void {}

  swap(next: Generation): void {
    const old = this.current;
    this.current = next;
    old.retired = true;
    if (old.busy === 0) void this.retire(old);
  }

  async prepare(): Promise<void> {
    await (this.current.filter as { prepare?(): Promise<void> }).prepare?.();
  }

  process(batch: Batch): MaybePromise<Batch | Batch[]> {
    const { current } = this;
    current.busy++;
    try {
      const result = current.filter.process(batch);
      if (!(result instanceof Promise)) {
        this.done(current);
        return result;
      }
      return result.finally(() => this.done(current));
    } catch (error) {
      this.done(current);
      throw error;
    }
  }

  flush(): ReturnType<NonNullable<Filter["flush"]>> {
    return this.current.filter.flush?.() ?? [];
  }

  close(): MaybePromise<void> {
    this.onClose();
    return this.current.filter.close?.();
  }

  private done(generation: Generation): void {
    generation.busy--;
    if (generation.retired && generation.busy === 0) void this.retire(generation);
  }

  /** Sends on what the old plugin held back, lets go of what it came from once that is safe, and closes it. */
  private async retire({ filter, holds }: Generation): Promise<void> {
    const releaseAll = (): void => {
      for (const release of [...holds]) release();
    };
    try {
      const batches = await filter.flush?.() ?? [];
      let unsafe = batches.length;
      if (unsafe === 0) releaseAll();
      for (const batch of batches) {
        await this.ctx.emit(batch, () => {
          if (--unsafe === 0) releaseAll();
        });
      }
      await filter.close?.();
    } catch (error) {
      this.ctx.log.warn(`The replaced plugin failed at its end: ${(error as Error).message}`);
      releaseAll();
    }
  }
}
