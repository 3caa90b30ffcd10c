import { PositionDatabase, type PositionDatabaseOptions } from "./position-database.ts";
import type { KeptPosition } from "./position-table.ts";

/** Of `owner`, which tells the inputs apart that share the file: an alias, or nothing. */
export type CheckpointFileOptions = PositionDatabaseOptions;

/** A database that is open, for all inputs of this process that keep their positions in it. */
interface Shared {
  readonly database: PositionDatabase;
  /** The inputs, one entry for each. */
  readonly owners: string[];
}

const open = new Map<string, Shared>();

/** Positions of one input in an SQLite database. Shaped like the engine's `CheckpointFile`. */
export class CheckpointFile {
  /** What was there when the file was opened, by stream. */
  readonly saved: ReadonlyMap<string, KeptPosition>;
  private readonly shared: Shared;
  private readonly owner: string;
  private closed = false;

  private constructor(shared: Shared, owner: string) {
    this.shared = shared;
    this.owner = owner;
    this.saved = shared.database.positionsOf(owner);
  }

  /**
   * Opens the file, or makes it. A damaged one is put aside, and what can be read of it goes on. Throws an Error for
   * the user when another process has it, when it is another program's, or when it cannot be written.
   */
  static open(options: CheckpointFileOptions): CheckpointFile {
    const { owner, log } = options;
    const path = PositionDatabase.pathOf(options.path);
    const known = open.get(path);
    const shared = known ?? { database: PositionDatabase.open({ ...options, path }), owners: [] };
    try {
      shared.database.takeOver(options);
    } catch (error) {
      if (known === undefined) shared.database.close();
      throw error;
    }
    open.set(path, shared);
    if (shared.owners.includes(owner)) {
      log.warn(`Another input keeps its positions in ${path} too: give both an alias`);
    }
    shared.owners.push(owner);
    return new CheckpointFile(shared, owner);
  }

  /**
   * Writes changes in one transaction. `durable`: returns when a loss of power cannot undo it; otherwise only the
   * end of the process cannot. Throws an Error for the user when it cannot be written; then nothing of it is there.
   */
  commit(
    changed: ReadonlyMap<string, KeptPosition>,
    removed: ReadonlySet<string>,
    durable: boolean,
  ): void {
    this.shared.database.commit(this.owner, changed, removed, durable);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    const { database, owners } = this.shared;
    owners.splice(owners.indexOf(this.owner), 1);
    if (owners.length > 0) return;
    open.delete(database.path);
    database.close();
  }
}
