import type { Checkpoint, CheckpointOptions, CheckpointStore } from "logcollector/plugin";

/**
 * An input's positions as the collector keeps them: what moves is written down at a commit, and asked for only then.
 * What was not committed is gone after a {@link kill}.
 */
export class KeptPositions implements CheckpointStore {
  readonly saved: ReadonlyMap<string, string>;
  /** What the input asked for, once it did. */
  options: CheckpointOptions | undefined;
  private readonly kept: Map<string, string>;
  private readonly commitsAtOnce: boolean;
  private moves = new Map<string, () => string>();
  private removed = new Set<string>();
  private isDead = false;

  /** `kept` is what is there at the start, and what a commit changes. */
  constructor(kept: Map<string, string>, commitsAtOnce: boolean) {
    this.kept = kept;
    this.saved = new Map(kept);
    this.commitsAtOnce = commitsAtOnce;
  }

  save(stream: string, position: string): void {
    this.move(stream, () => position);
  }

  remove(stream: string): void {
    this.moves.delete(stream);
    this.removed.add(stream);
    if (this.commitsAtOnce) this.commit();
  }

  /** The batches up to this checkpoint's are safe. */
  moved(stream: string, checkpoint: Checkpoint): void {
    this.move(stream, () => checkpoint.position());
  }

  commit(): void {
    if (this.isDead) return;
    for (const stream of this.removed) this.kept.delete(stream);
    for (const [stream, position] of this.moves) this.kept.set(stream, position());
    this.moves = new Map();
    this.removed = new Set();
  }

  /** The process ends here: nothing is written any more. */
  kill(): void {
    this.isDead = true;
  }

  private move(stream: string, position: () => string): void {
    this.removed.delete(stream);
    this.moves.set(stream, position);
    if (this.commitsAtOnce) this.commit();
  }
}
