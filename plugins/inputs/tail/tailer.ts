import { dirname } from "node:path";
import type { Counter, Input, InputContext } from "logcollector/plugin";
import type { TailConfig } from "./config.ts";
import { Emitter } from "./emitter.ts";
import { FileOpener } from "./file-opener.ts";
import { FileTable } from "./file-table.ts";
import { FileTurns, hotPollMs } from "./file-turns.ts";
import { statOf } from "./folder-listing.ts";
import { FolderWatch } from "./folder-watch.ts";
import { Positions } from "./positions.ts";
import { ScanSchedule } from "./scan-schedule.ts";
import { type Step, StepWork } from "./step-work.ts";
import { type FileSettings, fileSettings } from "./settings.ts";
import type { TailedFile } from "./tailed-file.ts";
import { Unpacker } from "./unpacker.ts";
import { Wake } from "./wake.ts";
import { WorkQueue } from "./work-queue.ts";

/** How often the folders are looked at while the pipeline has no room, in milliseconds. */
const WAIT_SLICE_MS = 100;

/** The tail input at work: finds files, reads them in fair turns, follows them through rotations. */
export class Tailer implements Input {
  private readonly config: TailConfig;
  private readonly ctx: InputContext;
  private readonly settings: FileSettings;
  private readonly positions: Positions;
  private readonly table: FileTable;
  private readonly opener: FileOpener;
  private readonly watch: FolderWatch;
  private readonly wake = new Wake();
  private readonly queue = new WorkQueue();
  private readonly turns: FileTurns;
  private readonly emitter: Emitter;
  private readonly unpacker: Unpacker;
  private readonly schedule: ScanSchedule;
  private readonly scanning: StepWork;
  private readonly opened: Counter;
  private readonly closed: Counter;
  private readonly missed: Counter;
  private signal: AbortSignal = new AbortController().signal;
  private isFirstScan = true;

  constructor(config: TailConfig, ctx: InputContext) {
    this.config = config;
    this.ctx = ctx;
    const settings = fileSettings(config, ctx);
    this.settings = settings;
    const count = (name: string, help: string) => ctx.metrics.counter(`input_files_${name}`, help);
    this.opened = count("opened_total", "Number of files that were opened");
    this.closed = count("closed_total", "Number of files that were closed");
    this.missed = count("missed_total", "Number of files that were gone before they were read");
    this.schedule = new ScanSchedule(ctx.clock, config.refresh_interval);
    this.scanning = new StepWork(ctx.clock, () => this.wake.set());
    const positions = new Positions(
      config,
      ctx,
      settings.isWanted,
      (identity, stream) => this.table.files.get(identity)?.ledger.stream === stream,
    );
    this.positions = positions;
    const followed = () => this.table.files.values();
    this.opener = new FileOpener({ config, ctx, settings, positions, followed });
    this.table = this.makeTable();
    this.watch = new FolderWatch({
      clock: ctx.clock,
      log: ctx.log,
      onChange: (folder, name, renamed) => this.changed(folder, name, renamed),
      onRest: (folder) => this.unwatched(folder),
    });
    this.emitter = new Emitter({ ctx, whenRoom: (wait) => this.waitAndScan(wait) });
    const { encoding, plain, limits } = settings;
    this.unpacker = new Unpacker({
      log: ctx.log,
      encoding: encoding === "auto" ? plain : encoding,
      maxLineBytes: limits.maxLineBytes,
      locate: (file) => this.table.isAtOpenPath(file) || this.table.findRenamed(file),
      emit: (file, batch) => this.emitter.emit(file, batch),
      onEnd: (file, isAll) => this.unpacked(file, isAll),
    });
    const { table, opener, watch, queue, emitter, schedule, closed, missed } = this;
    this.turns = new FileTurns({
      config,
      ctx,
      settings,
      positions,
      table,
      opener,
      watch,
      queue,
      emitter,
      schedule,
      closed,
      missed,
    });
    if (config.exit_on_eof) ctx.stopWhenDone();
  }

  /** May be called again after it threw: it goes on where it was. */
  async run(signal: AbortSignal): Promise<void> {
    this.signal = signal;
    signal.addEventListener("abort", () => this.wake.set(), { once: true });
    // Alone it has looked around when this returns first: what is made from then on is new.
    const loading = this.positions.load();
    if (loading !== undefined) await loading;
    this.beginScan();
    while (!signal.aborted) {
      const file = this.queue.next();
      if (file === undefined && !this.scanning.canGoOn) {
        if (await this.isFinished()) break;
        await this.wait();
        continue;
      }
      if (file !== undefined) await this.serve(file);
      this.watch.look();
      if (this.scanning.isUnderWay || this.schedule.isWanted) this.goOnScanning();
      const breath = this.ctx.breathe();
      if (breath !== undefined) await breath;
    }
    await this.unpacker.idle();
    await this.emitter.flushJoiners(true);
  }

  close(): void {
    this.watch.close();
    for (const file of [...this.table.files.values()]) {
      this.settings.lag.remove(file.path);
      this.table.remove(file);
    }
  }

  private makeTable(): FileTable {
    const { config, ctx, settings, positions } = this;
    return new FileTable({
      patterns: settings.patterns,
      excluded: settings.excluded,
      isWanted: settings.isWanted,
      clock: ctx.clock,
      log: ctx.log,
      births: positions.births,
      known: positions.known,
      share: positions.share,
      ignoreOlderMs: config.ignore_older,
      maxNames: config.scan_limit,
      maxFiles: config.max_files,
      wallMs: () => {
        const { sec, nsec } = ctx.clock.wall();
        return sec * 1000 + nsec / 1e6;
      },
      open: (found) => this.opener.open(found),
      openPacked: (path, ancestry) => this.opener.openPacked(path, ancestry),
      onGone: (file) => {
        file.rotatedMs = ctx.clock.nowMs();
        this.enqueue(file);
      },
      onMissed: () => void this.missed.value++,
    });
  }

  private async serve(file: TailedFile): Promise<void> {
    try {
      await this.turns.serve(file, this.signal);
    } catch (error) {
      this.enqueue(file);
      throw error;
    }
    // The only turn of a compressed file is its last.
    if (file.compressed) this.unpacker.forget(file);
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
      for (;;) {
        this.watch.look();
        if (!isOver) this.goOnScanning();
        if (isOver || !this.scanning.canGoOn) break;
        await this.ctx.breathe();
      }
    }
    await over;
  }

  /** Compressed files are read beside the queue. */
  private enqueue(file: TailedFile): void {
    if (!file.compressed) this.queue.add(file);
  }

  private changed(folder: string, name: string | null, renamed: boolean): void {
    const path = `${folder}/${name}`;
    const file = name === null ? undefined : this.table.at(path);
    if (file !== undefined) {
      file.changedMs = this.ctx.clock.nowMs();
      this.enqueue(file);
    }
    if (file === undefined && !renamed && this.positions.share.isElsewhere(path)) return;
    if (renamed || file === undefined) this.schedule.noteRename();
    this.wake.set();
  }

  /** From now on the folder's files are polled, first of all for what came at the same time. */
  private unwatched(folder: string): void {
    for (const file of this.table.files.values()) {
      if (dirname(file.realPath) === folder) this.enqueue(file);
    }
    this.schedule.want();
    this.wake.set();
  }

  /** Sleeps until something changes or is due, and does what is due. */
  private async wait(): Promise<void> {
    const nowMs = this.ctx.clock.nowMs();
    const { emitter, schedule, queue } = this;
    const dueMs = Math.min(
      this.scanning.isUnderWay ? nowMs + WAIT_SLICE_MS : schedule.nextMs,
      queue.hot.size > 0 || this.watch.isResting ? nowMs + hotPollMs(queue.hot.size) : Infinity,
      emitter.isJoining ? nowMs + this.settings.joinCheckMs : Infinity,
    );
    if (dueMs > nowMs) await this.wake.wait(dueMs - nowMs);
    if (this.signal.aborted) return;
    queue.addHot();
    this.watch.look();
    if (emitter.isJoining) await emitter.flushJoiners(false);
    this.goOnScanning();
  }

  /** Goes on with the scan that is under way, or begins the one that is due. */
  private goOnScanning(): void {
    if (!this.scanning.isUnderWay) {
      if (!this.schedule.isDue) return;
      this.scanning.begin(this.scan());
    }
    const costMs = this.scanning.goOn();
    if (costMs === undefined) return;
    // That there was much to find is no reason to look less often.
    this.schedule.end(Math.max(0, costMs - this.table.addingMs));
    this.table.addingMs = 0;
  }

  private beginScan(): void {
    if (!this.scanning.isUnderWay) this.scanning.begin(this.scan());
    this.goOnScanning();
  }

  /** A tree may be so large that others must have turns meanwhile. */
  private *scan(): Generator<Step, void> {
    const startMs = this.ctx.clock.nowMs();
    const wanted = this.schedule.begin();
    this.watch.renew();
    const isNeeded = wanted || (yield* this.table.mayHaveChanged());
    const added = isNeeded ? yield* this.table.scan() : [];
    this.watch.watchOnly(this.config.inotify_watcher ? this.table.folders : NO_FOLDERS);
    for (const file of added) {
      this.opened.value++;
      // Who makes a file is about to write to it.
      if (!this.isFirstScan) file.changedMs = startMs;
      this.enqueue(file);
    }
    if (this.isFirstScan) this.positions.share.found();
    this.isFirstScan = false;
    this.positions.loaded();
    this.positions.sweep(this.table.files.values());
    this.poll(startMs);
  }

  /** Looks at files whose changes nobody may report, and at those that were just rotated. */
  private poll(nowMs: number): void {
    for (const file of this.table.files.values()) {
      if (file.compressed) this.pollCompressed(file, nowMs);
      else if (this.isTooOld(file)) this.putAside(file);
      else if (file.whereabouts === "nowhere") this.enqueue(file);
      else if (nowMs >= file.pollMs || (file.rotatedMs >= 0 && !file.drained)) this.enqueue(file);
      if (file.isOpen) this.settings.lag.update(file);
    }
  }

  private pollCompressed(file: TailedFile, nowMs: number): void {
    if (file.own !== undefined) this.pollPacked(file, nowMs);
    this.settle(file);
    this.unpacker.look(file, this.signal);
    const isOver = file.rotatedMs >= 0 && file.drained &&
      nowMs - file.rotatedMs >= this.config.rotate_wait;
    if (isOver) this.queue.add(file);
  }

  /** No scan finds it: whether it still grows only the file itself can say. */
  private pollPacked(file: TailedFile, nowMs: number): void {
    const size = statOf(file.openPath)?.size ?? file.size;
    if (size !== file.size) file.rotatedMs = nowMs;
    file.size = size;
  }

  /** What was read where it was before it was compressed is done with there first. */
  private settle(file: TailedFile): void {
    const { plain } = file;
    if (plain === undefined || this.table.isServed(plain) || plain.ledger.unacked > 0) return;
    file.plain = undefined;
    this.positions.reached(file.ledger, file.place);
  }

  /** All that is in a compressed file so far was read. */
  private unpacked(file: TailedFile, isAll: boolean): void {
    if (file.own === undefined) {
      if (file.plain === undefined) this.positions.reached(file.ledger, file.place);
    } else if (isAll) this.queue.add(file);
    for (const other of this.table.files.values()) {
      if (other.predecessor !== undefined) this.enqueue(other);
    }
    this.wake.set();
  }

  private isTooOld(file: TailedFile): boolean {
    const { ignore_active_older_files: active, ignore_older: limitMs } = this.config;
    if (!active || limitMs === 0 || !file.drained || file.queued) return false;
    return this.positions.wallSec * 1000 - file.changedWallMs > limitMs;
  }

  /** It keeps its place, should it be written to again, but no descriptor. */
  private putAside(file: TailedFile): void {
    if (!file.isOpen) return;
    this.closed.value++;
    this.queue.hot.delete(file);
    file.rest();
    this.settings.descriptors.drop(file);
    this.settings.lag.remove(file.path);
  }

  /** With `exit_on_eof`: true when everything that was there at the start has been read. */
  private async isFinished(): Promise<boolean> {
    if (!this.config.exit_on_eof || this.scanning.isUnderWay) return false;
    await this.unpacker.idle();
    const { files } = this.table;
    for (const file of files.values()) if (!file.drained) return false;
    for (const file of files.values()) {
      if (file.compressed) continue;
      await this.turns.emitLastLine(file);
      this.settings.descriptors.used(file);
    }
    const { share } = this.positions;
    if (files.size === 0 && share.isFirst && !share.isPart) {
      this.ctx.log.warn(`No file matches ${this.config.path.join(", ")}`);
    }
    return true;
  }
}

const NO_FOLDERS: ReadonlySet<string> = new Set();
