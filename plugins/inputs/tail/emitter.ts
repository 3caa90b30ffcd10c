import type { Batch, InputContext } from "logcollector/plugin";
import { FileCheckpoint } from "./file-checkpoint.ts";
import type { Place } from "./place.ts";
import type { TailedFile } from "./tailed-file.ts";

export interface EmitterOptions {
  readonly ctx: InputContext;
  /** Waits for room in the pipeline. */
  readonly whenRoom: (wait: Promise<void>) => Promise<void>;
}

/** Hands batches to the pipeline, each with the position behind it, and sees to what joiners hold back. */
export class Emitter {
  private readonly options: EmitterOptions;
  /** Files whose joiner waits with lines, and since when. */
  private readonly joining = new Map<TailedFile, number>();

  constructor(options: EmitterOptions) {
    this.options = options;
  }

  /** Some joiner waits for the next line. */
  get isJoining(): boolean {
    return this.joining.size > 0;
  }

  /** Emits what was read. A failure leaves the file where it stood after the batch before. */
  emit(
    file: TailedFile,
    batch: Batch | undefined,
    place: Place = file.place,
  ): Promise<void> | undefined {
    const { ctx, whenRoom } = this.options;
    this.noteJoiner(file);
    if (batch === undefined) return undefined;
    const { ledger } = file;
    const before = ledger.last;
    const checkpoint = new FileCheckpoint(ledger, place, file.seenSec ?? ctx.clock.wall().sec);
    try {
      const wait = ctx.emit(batch, checkpoint);
      return wait && whenRoom(wait).catch((error) => this.failed(file, checkpoint, before, error));
    } catch (error) {
      return this.failed(file, checkpoint, before, error);
    }
  }

  /** Emits what the file's joiner holds. Then everything that was read was emitted: that is the place. */
  flush(file: TailedFile, place?: Place): Promise<void> | undefined {
    const batch = file.maker.flush();
    this.joining.delete(file);
    return this.emit(file, batch, place);
  }

  /** Emits what joiners hold whose next line did not come in time, or all of it. */
  async flushJoiners(all: boolean): Promise<void> {
    const nowMs = this.options.ctx.clock.nowMs();
    for (const [file, sinceMs] of [...this.joining]) {
      if (!all && nowMs - sinceMs < file.maker.joiner!.flushTimeoutMs) continue;
      await this.flush(file);
    }
  }

  private noteJoiner(file: TailedFile): void {
    const { joiner } = file.maker;
    if (joiner === undefined) return;
    if (joiner.pendingPosition >= 0) this.joining.set(file, this.options.ctx.clock.nowMs());
    else this.joining.delete(file);
  }

  private failed(
    file: TailedFile,
    checkpoint: FileCheckpoint,
    before: FileCheckpoint | undefined,
    error: unknown,
  ): never {
    checkpoint.abandon(before);
    this.joining.delete(file);
    file.rewind(file.ledger.place);
    throw error;
  }
}
