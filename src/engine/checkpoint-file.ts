import type { CheckpointOptions } from "../sdk/checkpoint.ts";

/** A position as it is kept. */
export interface SavedPosition {
  /** Text that only the input reads. */
  readonly position: string;
  /** Grows with every batch that is emitted, over all runs: of two positions of one stream the higher one counts. */
  readonly order: number;
}

/** Positions of one input on disk, as the engine sees them. */
export interface CheckpointFile {
  /** What was there when the file was opened, by stream. */
  readonly saved: ReadonlyMap<string, SavedPosition>;
  /**
   * Writes changes in one transaction. `durable`: returns when a loss of power cannot undo it; otherwise only the
   * end of the process cannot. Throws when it cannot be written; then nothing of it is there.
   */
  commit(
    changed: ReadonlyMap<string, SavedPosition>,
    removed: ReadonlySet<string>,
    durable: boolean,
  ): void;
  close(): void;
}

/** Opens an input's file. Throws with a message for the user when that cannot be. */
export type OpenCheckpoints = (
  input: CheckpointOwner,
  options: CheckpointOptions & { readonly path: string },
) => CheckpointFile;

export interface CheckpointOwner {
  readonly id: string;
}
