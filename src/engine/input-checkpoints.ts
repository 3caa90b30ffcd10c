import type { CheckpointOptions, CheckpointStore } from "../sdk/checkpoint.ts";
import type { CheckpointFile, SavedPosition } from "./checkpoint-file.ts";
import type { EmissionOrder } from "./emission-order.ts";

interface Moved {
  readonly position: () => string;
  readonly order: number;
}

/** The positions of one input: moved by acks, written down when the engine says so. */
export class InputCheckpoints implements CheckpointStore {
  readonly options: CheckpointOptions;
  saved: ReadonlyMap<string, string> = new Map();
  private readonly order: EmissionOrder;
  private readonly onSave: () => void;
  private file: CheckpointFile | undefined;
  /** What moved since the last commit; without a file, all there is. */
  private moves = new Map<string, Moved>();
  private removed = new Set<string>();
  /** Something was written that a loss of power could undo. */
  private isVolatile = false;

  /** `onSave` is told of positions that are put down without a batch. */
  constructor(options: CheckpointOptions, order: EmissionOrder, onSave: () => void) {
    this.options = options;
    this.order = order;
    this.onSave = onSave;
  }

  /**
   * Takes up what is known from before, of each stream the newest: the file's positions, and those that disk queues
   * hold or that an earlier instance of the input had.
   */
  open(file: CheckpointFile | undefined, other: ReadonlyMap<string, SavedPosition>): void {
    this.file = file;
    const newest = new Map<string, SavedPosition>(file?.saved);
    for (const { order } of newest.values()) this.order.seen(order);
    for (const [stream, found] of other) {
      this.order.seen(found.order);
      if (found.order <= (newest.get(stream)?.order ?? -1)) continue;
      newest.set(stream, found);
      this.moves.set(stream, { position: () => found.position, order: found.order });
    }
    this.saved = new Map([...newest].map(([stream, { position }]) => [stream, position]));
  }

  /** Positions outlast the process. */
  get isDurable(): boolean {
    return this.file !== undefined;
  }

  /** A batch of the stream is safe. */
  moved(stream: string, position: () => string, order: number): void {
    this.removed.delete(stream);
    this.moves.set(stream, { position, order });
  }

  save(stream: string, position: string): void {
    this.moved(stream, () => position, this.order.next());
    this.onSave();
  }

  remove(stream: string): void {
    this.moves.delete(stream);
    if (this.file !== undefined) this.removed.add(stream);
    this.onSave();
  }

  /** Something is to be written, or to be made durable. */
  isDirty(durable: boolean): boolean {
    if (this.file === undefined) return false;
    return this.moves.size > 0 || this.removed.size > 0 || (durable && this.isVolatile);
  }

  /** Writes down what moved. Throws when that fails; the next commit tries it again. */
  commit(durable: boolean): void {
    const { file, moves, removed } = this;
    if (file === undefined || !this.isDirty(durable)) return;
    const changed = new Map<string, SavedPosition>();
    for (const [stream, { position, order }] of moves) {
      changed.set(stream, { position: position(), order });
    }
    file.commit(changed, removed, durable);
    this.moves = new Map();
    this.removed = new Set();
    this.isVolatile = !durable;
  }

  /** What is known now: what an input that takes this one's place goes on with. */
  latest(): Map<string, SavedPosition> {
    const latest = new Map<string, SavedPosition>(this.file?.saved);
    for (const stream of this.removed) latest.delete(stream);
    for (const [stream, { position, order }] of this.moves) {
      latest.set(stream, { position: position(), order });
    }
    return latest;
  }

  close(): void {
    this.file?.close();
    this.file = undefined;
  }
}
