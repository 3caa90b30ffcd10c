import type { CheckpointOptions, CheckpointStore } from "../sdk/checkpoint.ts";
import type { CheckpointFile, SavedPosition } from "./checkpoint-file.ts";
import type { EmissionOrder } from "./emission-order.ts";

interface Moved {
  readonly position: () => string;
  readonly order: number;
}

/** Who knows when a position may be written down. */
export interface CheckpointOwner {
  /** A position is put down that no batch stands for. */
  save(stream: string, position: string): void;
  /** For a stream that is forgotten when another has these positions already. */
  remove(stream: string): void;
  onRemoved(): void;
}

/** The positions of one input: moved by acks, written down when the engine says so. */
export class InputCheckpoints implements CheckpointStore {
  readonly options: CheckpointOptions;
  saved: ReadonlyMap<string, string> = new Map();
  private readonly order: EmissionOrder;
  private readonly owner: CheckpointOwner;
  private file: CheckpointFile | undefined;
  private isHandedOver = false;
  /** What is in the file, to the knowledge of this object. */
  private written = new Map<string, SavedPosition>();
  /** What moved since the last commit; without a file, all there is. */
  private moves = new Map<string, Moved>();
  private removed = new Set<string>();
  /** Something was written that a loss of power could undo. */
  private isVolatile = false;

  constructor(options: CheckpointOptions, order: EmissionOrder, owner: CheckpointOwner) {
    this.options = options;
    this.order = order;
    this.owner = owner;
  }

  /**
   * Takes up what is known from before, of each stream the newest: the file's positions, and those that disk queues
   * hold or that an earlier instance of the input had. `emitted` is how far that one read, beyond what is safe:
   * there this one begins.
   */
  open(
    file: CheckpointFile | undefined,
    other: ReadonlyMap<string, SavedPosition>,
    emitted: ReadonlyMap<string, SavedPosition> = new Map(),
  ): void {
    this.file = file;
    this.written = new Map(file?.saved);
    const newest = new Map<string, SavedPosition>(file?.saved);
    for (const { order } of newest.values()) this.order.seen(order);
    for (const [stream, found] of other) {
      this.order.seen(found.order);
      if (found.order <= (newest.get(stream)?.order ?? -1)) continue;
      newest.set(stream, found);
      this.moves.set(stream, { position: () => found.position, order: found.order });
    }
    const start = [...newest, ...emitted];
    this.saved = new Map(start.map(([stream, { position }]) => [stream, position]));
  }

  /** Whatever the input still says is for the positions of the one that took its place. */
  handOver(): void {
    this.isHandedOver = true;
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
    this.owner.save(stream, position);
  }

  remove(stream: string): void {
    if (this.isHandedOver) return this.owner.remove(stream);
    this.moves.delete(stream);
    if (this.file !== undefined) this.removed.add(stream);
    this.owner.onRemoved();
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
    for (const stream of removed) this.written.delete(stream);
    for (const [stream, saved] of changed) this.written.set(stream, saved);
    this.moves = new Map();
    this.removed = new Set();
    this.isVolatile = !durable;
  }

  /** How far everything is safe, as far as it is known now. */
  latest(): Map<string, SavedPosition> {
    const latest = new Map<string, SavedPosition>(this.written);
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
