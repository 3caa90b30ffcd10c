import { dirname } from "node:path";
import type { Batch, Counter, Input, InputContext } from "logcollector/plugin";
import { BatchMaker } from "./batch-maker.ts";
import type { TailConfig } from "./config.ts";
import { ReadBuffer } from "./file-reader.ts";
import { FileTable, type NewFile } from "./file-table.ts";
import { FolderWatch } from "./folder-watch.ts";
import { type FileSettings, fileSettings } from "./settings.ts";
import { TailedFile } from "./tailed-file.ts";
import { Unpacker } from "./unpacker.ts";
import { Wake } from "./wake.ts";

/** Reads of one file before it is another's turn. */
const READS_PER_TURN = 4;
/** How often a busy or rotated file is looked at when nothing reports its changes, in milliseconds. */
const HOT_POLL_MS = 15;
/** How often the folders are looked at while the pipeline has no room, in milliseconds. */
const WAIT_SLICE_MS = 100;
/** A file that grew within this time counts as busy, in milliseconds. */
const HOT_MS = 10_000;
/**
 * The system's reports of changes that follow each other within a millisecond or two are merged into the
 * first: for so long after a report it is looked at what came with no report of its own.
 */
const SETTLE_MS = 40;
/**
 * How often a quiet file is looked at although its changes are reported, in milliseconds: a tenth of the
 * time that it has been quiet, within these limits.
 */
const WATCHED_POLL_MS = { least: 5000, most: 60_000 };

/** The tail input at work: finds files, reads them in fair turns, follows them through rotations. */
export class Tailer implements Input {
  private readonly config: TailConfig;
  private readonly ctx: InputContext;
  private readonly settings: FileSettings;
  private readonly table: FileTable;
  private readonly watch: FolderWatch;
  private readonly shared: ReadBuffer;
  private readonly wake = new Wake();
  private readonly queue: TailedFile[] = [];
  private readonly hot = new Set<TailedFile>();
  private readonly joining = new Map<TailedFile, number>();
  private readonly unpacker: Unpacker;
  private readonly opened: Counter;
  private readonly closed: Counter;
  private readonly rotated: Counter;
  private signal: AbortSignal = new AbortController().signal;
  private scanMs = 0;
  private renamedMs = -Infinity;
  private scanCostMs = 0;
  private scanWanted = true;

  constructor(config: TailConfig, ctx: InputContext) {
    this.config = config;
    this.ctx = ctx;
    this.settings = fileSettings(config, ctx);
    const count = (name: string, help: string) => ctx.metrics.counter(`input_files_${name}`, help);
    this.opened = count("opened_total", "Number of files that were opened");
    this.closed = count("closed_total", "Number of files that were closed");
    this.rotated = count("rotated_total", "Number of files that were rotated");
    this.table = new FileTable({
      patterns: this.settings.patterns,
      excluded: this.settings.excluded,
      clock: ctx.clock,
      log: ctx.log,
      ignoreOlderMs: config.ignore_older,
      wallMs: () => ctx.clock.wall().sec * 1000,
      make: (found) => this.make(found),
    });
    this.watch = new FolderWatch({
      clock: ctx.clock,
      log: ctx.log,
      onChange: (folder, name, renamed) => this.changed(folder, name, renamed),
      onRest: (folder) => this.unwatched(folder),
    });
    const { encoding, plain, limits } = this.settings;
    this.unpacker = new Unpacker({
      log: ctx.log,
      encoding: encoding === "auto" ? plain : encoding,
      maxLineBytes: limits.maxLineBytes,
      emit: (file, batch) => this.emit(file, batch),
    });
    this.shared = new ReadBuffer(this.settings.limits.chunkBytes);
    if (config.exit_on_eof) ctx.stopWhenDone();
  }

  async run(signal: AbortSignal): Promise<void> {
    this.signal = signal;
    signal.addEventListener("abort", () => this.wake.set(), { once: true });
    this.scan();
    while (!signal.aborted) {
      const file = this.queue.shift();
      if (file === undefined) {
        if (await this.isFinished()) break;
        await this.wait();
        continue;
      }
      file.queued = false;
      await this.serve(file);
      if (this.scanWanted && this.ctx.clock.nowMs() >= this.nextScanMs(true)) this.scan();
      const breath = this.ctx.breathe();
      if (breath !== undefined) await breath;
    }
    await this.unpacker.idle();
    await this.flushJoiners(true);
  }

  close(): void {
    this.watch.close();
    for (const file of [...this.table.files.values()]) this.table.remove(file);
  }

  /** Reads a file a few times, and sees to what its end means. */
  private async serve(file: TailedFile): Promise<void> {
    if (file.predecessor !== undefined) {
      if (!file.predecessor.drained && this.isFollowed(file.predecessor)) {
        this.enqueue(file.predecessor);
        return this.enqueue(file);
      }
      file.predecessor = undefined;
    }
    for (let reads = 0; reads < READS_PER_TURN && !this.signal.aborted; reads++) {
      let turn;
      try {
        turn = file.turn(this.shared);
      } catch (error) {
        return this.failed(file, error as Error);
      }
      if (turn.kind === "end") return this.reachedEnd(file);
      if (turn.kind === "replaced") {
        this.ctx.log.info(`File ${file.path} was truncated: reading it from its start`);
        continue;
      }
      file.grewMs = this.ctx.clock.nowMs();
      await this.emit(file, turn.batch);
    }
    this.checkPath(file);
    this.settings.descriptors.used(file);
    this.enqueue(file);
  }

  private emit(file: TailedFile, batch: Batch | undefined): Promise<void> | undefined {
    const joiner = file.maker.joiner;
    const pending = joiner?.pendingPosition ?? -1;
    if (pending >= 0) this.joining.set(file, this.ctx.clock.nowMs());
    else if (joiner !== undefined) this.joining.delete(file);
    if (batch === undefined) return undefined;
    const upTo = pending >= 0 ? pending : file.offset;
    const wait = this.ctx.emit(batch, () => {
      file.safeOffset = upTo;
    });
    return wait === undefined ? undefined : this.waitAndScan(wait);
  }

  /**
   * Waits for room in the pipeline. Files go on being rotated meanwhile: each must be found and held open
   * before it is deleted, however long this takes.
   */
  private async waitAndScan(wait: Promise<void>): Promise<void> {
    let isOver = false;
    const over = wait.finally(() => {
      isOver = true;
    });
    while (!isOver) {
      await Promise.race([over, this.ctx.clock.sleep(WAIT_SLICE_MS)]);
      if (!isOver && this.ctx.clock.nowMs() >= this.nextScanMs(this.scanWanted)) this.scan();
    }
    await over;
  }

  private reachedEnd(file: TailedFile): void {
    file.drained = true;
    const nowMs = this.ctx.clock.nowMs();
    if (file.rotatedMs >= 0) {
      this.checkPath(file);
      return this.endOfRotated(file, nowMs);
    }
    const watched = this.watch.isWatching(dirname(file.realPath));
    const quietMs = nowMs - Math.max(file.grewMs, file.changedMs);
    file.pollMs = nowMs + (watched ? watchedPollMs(quietMs) : this.config.refresh_interval);
    if (quietMs < (watched ? SETTLE_MS : HOT_MS)) this.hot.add(file);
    else this.hot.delete(file);
    if (quietMs < HOT_MS) this.checkPath(file);
    this.settings.descriptors.used(file);
  }

  /**
   * A busy folder is not watched: there a rotation shows only to who looks. So does the successor of a file
   * that is gone, when the last scan came between the two.
   */
  private checkPath(file: TailedFile): void {
    const nowMs = this.ctx.clock.nowMs();
    if (nowMs - file.checkedMs < HOT_POLL_MS) return;
    file.checkedMs = nowMs;
    if (this.table.hasLost(file)) this.scanWanted = true;
  }

  /** A renamed or deleted file is read until it has not grown for `rotate_wait`. */
  private endOfRotated(file: TailedFile, nowMs: number): void {
    if (nowMs - Math.max(file.grewMs, file.rotatedMs) < this.config.rotate_wait) {
      this.hot.add(file);
      return;
    }
    this.forget(file);
  }

  private forget(file: TailedFile): void {
    this.rotated.value++;
    this.closed.value++;
    this.hot.delete(file);
    const rest = file.maker.flush();
    const wait = this.emit(file, rest);
    wait?.catch(() => undefined);
    this.joining.delete(file);
    this.settings.descriptors.drop(file);
    this.unpacker.forget(file);
    this.settings.lag.remove(file.path);
    this.table.remove(file);
  }

  private failed(file: TailedFile, error: Error): void {
    file.drained = true;
    if (!file.isOpen && file.rotatedMs >= 0 && !this.table.findRenamed(file)) {
      this.ctx.log.warn(`File ${file.path} is gone`);
      return this.forget(file);
    }
    this.ctx.log.warn(`Cannot read ${file.path}: ${error.message}`);
    file.pollMs = this.ctx.clock.nowMs() + this.config.refresh_interval;
    this.scanWanted = true;
  }

  private isFollowed(file: TailedFile): boolean {
    return this.table.files.get(file.identity) === file;
  }

  private enqueue(file: TailedFile): void {
    if (file.queued || file.compressed) return;
    file.queued = true;
    this.queue.push(file);
  }

  private changed(folder: string, name: string | null, renamed: boolean): void {
    const file = name === null ? undefined : this.table.at(`${folder}/${name}`);
    const nowMs = this.ctx.clock.nowMs();
    if (file !== undefined) {
      file.changedMs = nowMs;
      this.enqueue(file);
    }
    if (renamed || file === undefined) {
      this.scanWanted = true;
      this.renamedMs = nowMs;
    }
    this.wake.set();
  }

  /** From now on the folder's files are polled, first of all for what came at the same time. */
  private unwatched(folder: string): void {
    for (const file of this.table.files.values()) {
      if (dirname(file.realPath) === folder) this.enqueue(file);
    }
    this.scanWanted = true;
    this.wake.set();
  }

  /** Sleeps until something changes or is due, and does what is due. */
  private async wait(): Promise<void> {
    const nowMs = this.ctx.clock.nowMs();
    const dueMs = Math.min(
      this.nextScanMs(this.scanWanted),
      this.hot.size > 0 ? nowMs + HOT_POLL_MS : Infinity,
      this.joining.size > 0 ? nowMs + this.settings.joinCheckMs : Infinity,
    );
    if (dueMs > nowMs) await this.wake.wait(dueMs - nowMs);
    if (this.signal.aborted) return;
    for (const file of this.hot) this.enqueue(file);
    if (this.joining.size > 0) await this.flushJoiners(false);
    if (this.ctx.clock.nowMs() >= this.nextScanMs(this.scanWanted)) this.scan();
  }

  /** A scan that is wanted comes soon, but scanning never takes more than a tenth of the time. */
  private nextScanMs(wanted: boolean): number {
    const pause = Math.max(5, this.scanCostMs * 10);
    return this.scanMs + (wanted ? pause : Math.max(pause, this.config.refresh_interval));
  }

  private scan(): void {
    const startMs = this.ctx.clock.nowMs();
    const wanted = this.scanWanted;
    this.scanWanted = startMs - this.renamedMs < SETTLE_MS;
    this.watch.renew();
    const added = wanted || this.table.mayHaveChanged ? this.table.scan() : [];
    this.watch.watchOnly(this.config.inotify_watcher ? this.table.folders : NO_FOLDERS);
    const isFirst = this.scanMs === 0;
    for (const file of added) {
      this.opened.value++;
      // Who makes a file is about to write to it.
      if (!isFirst) file.changedMs = startMs;
      this.enqueue(file);
    }
    this.poll(startMs);
    this.scanMs = this.ctx.clock.nowMs();
    this.scanCostMs = this.scanMs - startMs;
  }

  /** Looks at files whose changes nobody may report, and at those that were just rotated. */
  private poll(nowMs: number): void {
    for (const file of this.table.files.values()) {
      if (file.compressed) this.pollCompressed(file, nowMs);
      else if (this.isTooOld(file)) this.putAside(file);
      else if (nowMs >= file.pollMs || (file.rotatedMs >= 0 && !file.drained)) this.enqueue(file);
      if (file.isOpen) this.settings.lag.update(file);
    }
  }

  private pollCompressed(file: TailedFile, nowMs: number): void {
    this.unpacker.look(file, this.signal);
    if (file.rotatedMs >= 0 && file.drained && nowMs - file.rotatedMs >= this.config.rotate_wait) {
      this.forget(file);
    }
  }

  private isTooOld(file: TailedFile): boolean {
    const { ignore_active_older_files: active, ignore_older: limitMs } = this.config;
    if (!active || limitMs === 0 || !file.drained || file.queued) return false;
    return this.ctx.clock.wall().sec * 1000 - file.changedWallMs > limitMs;
  }

  /** It keeps its place, should it be written to again, but no descriptor. */
  private putAside(file: TailedFile): void {
    if (!file.isOpen) return;
    this.closed.value++;
    this.hot.delete(file);
    file.rest();
    this.settings.descriptors.drop(file);
    this.settings.lag.remove(file.path);
  }

  /** Emits what joiners hold whose next line did not come in time, or all of it. */
  private async flushJoiners(all: boolean): Promise<void> {
    const nowMs = this.ctx.clock.nowMs();
    for (const [file, sinceMs] of [...this.joining]) {
      if (!all && nowMs - sinceMs < file.maker.joiner!.flushTimeoutMs) continue;
      await this.emit(file, file.maker.flush());
      this.joining.delete(file);
    }
  }

  /** With `exit_on_eof`: true when everything that was there at the start has been read. */
  private async isFinished(): Promise<boolean> {
    if (!this.config.exit_on_eof) return false;
    await this.unpacker.idle();
    for (const file of this.table.files.values()) if (!file.drained) return false;
    for (const file of this.table.files.values()) await this.emitLastLine(file);
    if (this.table.files.size === 0) {
      this.ctx.log.warn(`No file matches ${this.config.path.join(", ")}`);
    }
    return true;
  }

  private async emitLastLine(file: TailedFile): Promise<void> {
    if (file.compressed) return;
    try {
      const last = file.lastLine(this.shared);
      this.settings.descriptors.used(file);
      await this.emit(file, last);
    } catch (error) {
      this.ctx.log.warn(`Cannot read the end of ${file.path}: ${(error as Error).message}`);
    }
  }

  private make(found: NewFile): TailedFile | undefined {
    const { config } = this;
    const tag = this.settings.tagFor(found.path);
    if (tag === null) {
      this.ctx.log.error(`Cannot follow ${found.path}: tag_regex does not match it`);
      return undefined;
    }
    const fromHead = found.isSuccessor ||
      (found.isInitial ? config.read_from_head : config.read_newly_discovered_files_from_head);
    const stream = `${found.stat.dev}:${found.stat.ino}`;
    const file = new TailedFile({
      ...found,
      maker: new BatchMaker(this.settings.maker(found.path, tag, stream)),
      limits: this.settings.limits,
      encoding: this.settings.encoding,
      fromHead,
    });
    this.settings.descriptors.used(file);
    return file;
  }
}

function watchedPollMs(quietMs: number): number {
  return Math.min(WATCHED_POLL_MS.most, Math.max(WATCHED_POLL_MS.least, quietMs / 10));
}

const NO_FOLDERS: ReadonlySet<string> = new Set();
