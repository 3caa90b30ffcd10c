/**
 * What an input gives to `emit` in place of a plain function, so that the collector keeps its position: durably,
 * and in the disk queues too, so that after a crash nothing that is queued is read again.
 */
export interface Checkpoint {
  /**
   * The position behind the batch, as text that only the input reads. It is asked for when the position is written
   * down: later than the batch was emitted, several times, or never. So it must be what held at the emission.
   */
  position(): string;
  /** The batch is safe at every destination. Called once, in emission order per stream. */
  ack?(): void;
}

/** What is called when a batch is safe. */
export type Ack = (() => void) | Checkpoint;

/**
 * An input's positions, stream by stream. They move by themselves: with the acks of batches whose `emit` was
 * given a {@link Checkpoint}, under the batch's stream.
 */
export interface CheckpointStore {
  /** What was saved by stream. Complete from the call of `run` on; it does not follow what happens since. */
  readonly saved: ReadonlyMap<string, string>;
  /** Puts down a position that no batch stands for, such as where reading begins. Not for what is not safe yet. */
  save(stream: string, position: string): void;
  /** Forgets a stream, as when a file is gone and everything in it is safe. */
  remove(stream: string): void;
}

/** How and where an input's positions are kept. */
export interface CheckpointOptions {
  /**
   * The file, as the configuration names it. Without one the collector finds a place in `storage.path` if the
   * input's records wait on disk; else positions last as long as the process.
   */
  readonly path?: string | undefined;
  /** `off` never waits for the disk; the others do, once per interval. Default `full`. */
  readonly sync?: "off" | "normal" | "full" | "extra" | undefined;
  /** No other program may even read the file while the collector runs. Default false. */
  readonly exclusive?: boolean | undefined;
  /** Default WAL. */
  readonly journalMode?: string | undefined;
  /**
   * Takes over the positions of another program whose SQLite database is at the path, when the input has none of its
   * own in it. Called once for each input that names the file, whenever it comes: that program's tables stay. Returns
   * them by stream; `undefined` when the database is not that program's.
   */
  readonly migrate?: (database: ForeignDatabase) => ReadonlyMap<string, string> | undefined;
}

/** A database of another program, for {@link CheckpointOptions.migrate}. */
export interface ForeignDatabase {
  hasTable(name: string): boolean;
  /** The rows of a query; whole numbers beyond 2^53 are `bigint`. */
  query(sql: string): readonly Readonly<Record<string, unknown>>[];
}
