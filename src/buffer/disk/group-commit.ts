import type { Clock } from "../../sdk/context.ts";
import type { SegmentLog } from "./segment-log.ts";
import { UnsyncedEntries } from "./unsynced-entries.ts";

export interface GroupCommitOptions {
  readonly log: SegmentLog;
  readonly clock: Clock;
  /** How long what was written may wait for the disk, in milliseconds. */
  readonly afterMs: number;
  /** Everything that waited is safe. */
  readonly onSynced: () => void;
  readonly onError: (what: string, error: unknown) => void;
  /** Entries have moved to another segment. */
  readonly onRewritten: () => void;
}

/** So much is not left waiting for the time to come. */
const AT_ONCE_BYTES = 4 * 1024 * 1024;
const RETRY_MS = 1000;

/** Has the disk asked for many entries at once, and not at all when all of them are delivered meanwhile. */
export class GroupCommit {
  readonly unsynced: UnsyncedEntries;
  private readonly options: GroupCommitOptions;
  private running: Promise<void> | undefined;
  private cancelTimer: (() => void) | undefined;
  private failed = false;
  private closed = false;

  constructor(options: GroupCommitOptions) {
    this.options = options;
    this.unsynced = new UnsyncedEntries(options.log);
  }

  /** The disk has lost something, or may have: nothing is to be written before that is put right. */
  get isFailing(): boolean {
    return this.failed;
  }

  /** Something was written. */
  wrote(): void {
    if (this.unsynced.bytes >= AT_ONCE_BYTES) void this.now();
    else this.schedule(this.options.afterMs);
  }

  /** Resolves when everything that was written is on the disk, or when that was tried in vain. */
  async now(): Promise<void> {
    while (this.running !== undefined) await this.running;
    this.cancelTimer?.();
    this.cancelTimer = undefined;
    if (this.unsynced.isEmpty && !this.failed) return;
    this.running = this.attempt().finally(() => this.running = undefined);
    await this.running;
  }

  close(): void {
    this.closed = true;
    this.cancelTimer?.();
  }

  private async attempt(): Promise<void> {
    const { log, onSynced, onError, onRewritten } = this.options;
    try {
      if (this.failed) {
        await log.rewrite();
        onRewritten();
      } else await log.sync();
    } catch (error) {
      this.failed = true;
      onError("make sure of what was written to", error);
      this.schedule(RETRY_MS);
      return;
    }
    this.failed = false;
    this.unsynced.synced(log.syncedSeq);
    onSynced();
    if (!this.unsynced.isEmpty) this.wrote();
  }

  private schedule(ms: number): void {
    if (this.closed) return;
    this.cancelTimer ??= this.options.clock.after(ms, () => {
      this.cancelTimer = undefined;
      void this.now();
    });
  }
}
