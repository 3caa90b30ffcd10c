import type { CheckpointOptions, CheckpointStore } from "../sdk/checkpoint.ts";

/** Positions that last as long as the test, or as long as the map that the test gives to the next input. */
export class FakeCheckpoints implements CheckpointStore {
  /** What the input finds, and what it leaves, by stream. */
  readonly positions: Map<string, string>;
  readonly saved: ReadonlyMap<string, string>;
  /** What the input asked for, once it did. */
  options: CheckpointOptions | undefined;

  constructor(positions: Map<string, string>) {
    this.positions = positions;
    this.saved = new Map(positions);
  }

  save(stream: string, position: string): void {
    this.positions.set(stream, position);
  }

  remove(stream: string): void {
    this.positions.delete(stream);
  }
}
