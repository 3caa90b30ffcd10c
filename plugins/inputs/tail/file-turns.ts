import { dirname } from "node:path";
import type { Counter, InputContext } from "logcollector/plugin";
import type { TailConfig } from "./config.ts";
import { findCopies } from "./copies.ts";
import type { Emitter } from "./emitter.ts";
import type { FileOpener } from "./file-opener.ts";
import { ReadBuffer } from "./file-reader.ts";
import type { FileTable } from "./file-table.ts";
import type { FolderWatch } from "./folder-watch.ts";
import { isTelling, type Place } from "./place.ts";
import type { Positions } from "./positions.ts";
import { type ScanSchedule, SETTLE_MS } from "./scan-schedule.ts";
import type { FoundFile } from "./scan.ts";
import type { FileSettings } from "./settings.ts";
import type { TailedFile } from "./tailed-file.ts";
import type { WorkQueue } from "./work-queue.ts";

/** What all that follows files works with. */
export interface FileTurnsOptions {
  readonly config: TailConfig;
  readonly ctx: InputContext;
  readonly settings: FileSettings;
  readonly positions: Positions;
  readonly table: FileTable;
  readonly opener: FileOpener;
  readonly watch: FolderWatch;
  readonly queue: WorkQueue;
  readonly emitter: Emitter;
  readonly schedule: ScanSchedule;
  readonly closed: Counter;
  readonly missed: Counter;
}

/** Reads of one file before it is another's turn. */
const READS_PER_TURN = 4;
/** How often a busy or rotated file is looked at when nothing reports its changes, in milliseconds. */
const HOT_POLL_MS = 15;
/** The same of so many files at most: that costs little, and each of their lines waits for it. */
const FEW_HOT = { files: 16, pollMs: 10 };
/** A file that grew within this time counts as busy, in milliseconds. */
const HOT_MS = 10_000;
/**
 * How often a quiet file is looked at although its changes are reported, in milliseconds: a tenth of the
 * time that it has been quiet, within these limits.
 */
const WATCHED_POLL_MS = { least: 5000, most: 60_000 };

/** Gives files their turns: reads a little, and sees to what the end of a file means. */
export class FileTurns {
  private readonly options: FileTurnsOptions;
  private readonly shared: ReadBuffer;
  private readonly rotated: Counter;

  constructor(options: FileTurnsOptions) {
    this.options = options;
    this.shared = new ReadBuffer(options.settings.limits.chunkBytes);
    const { metrics } = options.ctx;
    this.rotated = metrics.counter(
      "input_files_rotated_total",
      "Number of files that were rotated",
    );
  }

  /** Reads a file a few times. A throw leaves it such that its next turn goes on where it was. */
  async serve(file: TailedFile, signal: AbortSignal): Promise<void> {
    const { queue, emitter, settings, ctx } = this.options;
    if (file.compressed) return this.giveUp(file);
    if (file.whereabouts === "nowhere") {
      ctx.log.warn(`File ${file.path} is gone`);
      if (file.size > file.offset) this.options.missed.value++;
      return this.giveUp(file, true);
    }
    const before = this.waitsFor(file);
    if (before !== undefined) {
      // What is read beside the queue brings those back that wait for it.
      if (before.compressed) return;
      queue.add(before);
      return queue.add(file);
    }
    for (let reads = 0; reads < READS_PER_TURN && !signal.aborted; reads++) {
      let turn;
      try {
        turn = file.turn(this.shared);
      } catch (error) {
        return await this.failed(file, error as Error);
      }
      if (turn.kind === "replaced") {
        await this.replaced(file, turn.lost);
        break;
      }
      if (file.lost !== undefined && isTelling(file.place)) file.lost = undefined;
      if (turn.kind === "end") return await this.reachedEnd(file);
      file.grewMs = ctx.clock.nowMs();
      if (file.waiting !== undefined) await this.endWaiting(file, file.waiting);
      await emitter.emit(file, turn.batch);
    }
    this.checkPath(file);
    settings.descriptors.used(file);
    queue.add(file);
  }

  /** Emits the unfinished line at the end of a file, to which nothing more comes. */
  async emitLastLine(file: TailedFile): Promise<void> {
    let last;
    try {
      last = file.lastLine(this.shared);
    } catch (error) {
      this.options.ctx.log.warn(
        `Cannot read the end of ${file.path}: ${(error as Error).message}`,
      );
    }
    await this.options.emitter.emit(file, last);
  }

  /** What is to be read before it: an earlier file, or what it held itself before. */
  private waitsFor(file: TailedFile): TailedFile | undefined {
    const { predecessor } = file;
    if (predecessor !== undefined) {
      if (this.isAwaited(predecessor)) return this.firstAwaited(predecessor);
      if (predecessor.ledger === file.ledger && !predecessor.isForeign) {
        file.lost &&= predecessor.place;
      }
      file.waiting = isWaiting(predecessor) ? predecessor : predecessor.waiting;
      file.predecessor = undefined;
    }
    // Until something of its new content is seen it may have been truncated once more.
    if (file.lost !== undefined) this.addCopies(file, file.lost);
    return file.predecessor && this.firstAwaited(file.predecessor);
  }

  private isAwaited(file: TailedFile): boolean {
    return !file.drained && this.options.table.isServed(file);
  }

  private firstAwaited(file: TailedFile): TailedFile {
    let first = file;
    while (first.predecessor !== undefined && this.isAwaited(first.predecessor)) {
      first = first.predecessor;
    }
    return first;
  }

  /** The line that an earlier file ends with does not go on in this one. */
  private async endWaiting(file: TailedFile, before: TailedFile): Promise<void> {
    file.waiting = undefined;
    await this.options.emitter.flush(before);
  }

  /** The content is another: the rest of what was there before is read first, if there is a copy of it. */
  private async replaced(file: TailedFile, lost: Place): Promise<void> {
    const { ctx, emitter } = this.options;
    if (lost.offset > 0) {
      ctx.log.info(`File ${file.path} was truncated or replaced: reading it from its start`);
    }
    file.lost = lost;
    const [first] = this.addCopies(file, lost);
    if (first?.place.offset === lost.offset) first.takeOverJoiner(file);
    // Of nothing that was read no line can wait, but one of the file before.
    else if (lost.offset > 0) await emitter.flush(file, lost);
  }

  private addCopies(file: TailedFile, lost: Place): readonly TailedFile[] {
    const { positions, table, opener, ctx } = this.options;
    const { births, known } = positions;
    const { ledger } = file;
    const { unread, done, isFound } = findCopies(ledger.file, lost, ledger.seenSec, {
      births,
      known,
      isFollowed: (other) => table.isTaken(other),
      isAtHome: file.isAtHome,
    });
    const attempt = <T>({ path }: FoundFile, call: () => T): T[] => {
      try {
        return [call()];
      } catch (error) {
        ctx.log.warn(`Cannot read ${path}: ${(error as Error).message}`);
        return [];
      }
    };
    for (const copy of done) attempt(copy, () => positions.passCopy(copy, ledger));
    const copies = unread.flatMap((copy) => attempt(copy, () => opener.openCopy(copy, file)));
    for (const { openPath } of copies) {
      ctx.log.info(`Reading what ${file.path} held before from ${openPath}`);
    }
    if (!isFound) copies.unshift(...opener.openPackedCopies(file, lost));
    table.addCopies(file, copies);
    return copies;
  }

  private async reachedEnd(file: TailedFile): Promise<void> {
    const { ctx, config, watch, queue: { hot }, settings } = this.options;
    file.drained = true;
    if (file.own !== undefined) return await this.giveUp(file);
    const nowMs = ctx.clock.nowMs();
    if (file.rotatedMs >= 0) {
      this.checkPath(file);
      return await this.endOfRotated(file, nowMs);
    }
    const watched = watch.isWatching(dirname(file.realPath));
    const quietMs = nowMs - Math.max(file.grewMs, file.changedMs);
    file.pollMs = nowMs + (watched ? watchedPollMs(quietMs) : config.refresh_interval);
    if (quietMs < (watched ? SETTLE_MS : HOT_MS)) hot.add(file);
    else hot.delete(file);
    if (quietMs < HOT_MS) this.checkPath(file);
    settings.descriptors.used(file);
  }

  /**
   * A busy folder is not watched: there a rotation shows only to who looks. So does the successor of a file
   * that is gone, when the last scan came between the two.
   */
  private checkPath(file: TailedFile): void {
    const { ctx, table, schedule } = this.options;
    const nowMs = ctx.clock.nowMs();
    if (nowMs - file.checkedMs < HOT_POLL_MS) return;
    file.checkedMs = nowMs;
    if (table.hasLost(file)) schedule.want();
  }

  /** A renamed or deleted file is read until it has not grown for `rotate_wait`. */
  private async endOfRotated(file: TailedFile, nowMs: number): Promise<void> {
    const { config, queue, settings } = this.options;
    const isExpected = nowMs - Math.max(file.grewMs, file.rotatedMs) < config.rotate_wait;
    if (!isExpected && !isWaiting(file) && !this.goesOnElsewhere(file)) {
      return await this.giveUp(file);
    }
    queue.hot.add(file);
    file.pollMs = nowMs + config.refresh_interval;
    settings.descriptors.used(file);
  }

  /** The line at its end goes on in a file that it is not yet safe with. */
  private goesOnElsewhere(file: TailedFile): boolean {
    const { goesOnIn: next } = file;
    if (next === undefined) return false;
    const isEmitted = next.place.offset > 0 || !this.options.table.isServed(next);
    if (isEmitted) next.lineWentOn(() => file.goesOnIn = undefined);
    return file.goesOnIn !== undefined;
  }

  /** Nothing more is expected of a file: what is left of it, such as a line without an end, is emitted. */
  private async giveUp(file: TailedFile, isGone = false): Promise<void> {
    const { queue, emitter, settings, table, positions, closed } = this.options;
    queue.hot.delete(file);
    if (file.isOpen) await this.emitLastLine(file);
    await emitter.flush(file);
    this.rotated.value++;
    closed.value++;
    settings.descriptors.drop(file);
    settings.lag.remove(file.path);
    const { place, isDeleted } = file;
    table.remove(file);
    positions.leave(file, place, isDeleted || isGone);
    if (file.own !== undefined) file.packed?.fileEnded();
  }

  private async failed(file: TailedFile, error: Error): Promise<void> {
    const { ctx, table, config, schedule } = this.options;
    file.drained = true;
    const { code } = error as NodeJS.ErrnoException;
    // Without a descriptor nothing can be said of it.
    const isShortage = code === "EMFILE" || code === "ENFILE";
    if (!isShortage && !file.isOpen && file.rotatedMs >= 0 && !table.isAtOpenPath(file)) {
      // One look at the folder is enough for all that are missed there. What comes after it waits.
      file.whereabouts = "sought";
      file.drained = false;
      return schedule.want();
    }
    // Another is there, or none: it was rotated while it had no descriptor, and the next scan looks for it.
    const isMissed = !file.isOpen && file.rotatedMs < 0 && !table.isAtOpenPath(file);
    if (!isMissed) ctx.log.warn(`Cannot read ${file.path}: ${error.message}`);
    if (file.own !== undefined) return await this.giveUp(file);
    file.pollMs = ctx.clock.nowMs() + config.refresh_interval;
    schedule.want();
  }
}

/** A line waits for its rest, which may come in the next file; after a while it is emitted without. */
function isWaiting({ maker }: TailedFile): boolean {
  return (maker.joiner?.pendingPosition ?? -1) >= 0;
}

/** How long to wait before so many busy or rotated files are looked at again, in milliseconds. */
export function hotPollMs(files: number): number {
  return files > 0 && files <= FEW_HOT.files ? FEW_HOT.pollMs : HOT_POLL_MS;
}

function watchedPollMs(quietMs: number): number {
  return Math.min(WATCHED_POLL_MS.most, Math.max(WATCHED_POLL_MS.least, quietMs / 10));
}
