import type { Clock, Logger } from "../../sdk/context.ts";
import { countOf } from "../../lib/count-of.ts";
import type { FullPolicy, PayloadQueue, QueueDrop, QueueEvents } from "../payload-queue.ts";
import type { Claim, QueuedPayload } from "../queued-payload.ts";
import { DiskTrouble } from "./disk-trouble.ts";
import { DoneTracker } from "./done-tracker.ts";
import { dropOldestSegment } from "./drop-oldest.ts";
import type { DiskFiles } from "./files.ts";
import { GroupCommit } from "./group-commit.ts";
import { LogReader, type ReadEntry } from "./log-reader.ts";
import type { OpenedQueue } from "./open-queue.ts";
import { ReadMemory } from "./read-memory.ts";
import { ReadyPayloads } from "./ready-payloads.ts";
import type { Segment } from "./segment.ts";
import { SegmentLog } from "./segment-log.ts";
import { SegmentRemoval } from "./segment-removal.ts";
import { WaitingPayloads } from "./waiting-payloads.ts";

export interface DiskQueueOptions extends QueueEvents {
  readonly files: DiskFiles;
  readonly opened: OpenedQueue;
  readonly clock: Clock;
  readonly log: Logger;
  /** Bytes of the queue's files; Infinity for as much as the disk holds. */
  readonly limitBytes: number;
  readonly policy: FullPolicy;
  readonly segmentBytes: number;
  /** How long what was written may wait for the disk, in milliseconds. */
  readonly syncMs: number;
  /** Payloads that stay in memory besides being on the disk, so that they need not be read again. */
  readonly maxInMemory: number;
  /** Calls back when what is under way now has come to its end. */
  readonly defer: (call: () => void) => void;
  /** Entries were done with: segments may be retired. */
  readonly onDone: () => void;
  /** A problem with the disk, for the metrics. */
  readonly onDiskError: () => void;
}

/** Bytes that wait to be written before inputs wait: nothing waits here for long, unless the disk refuses. */
const MAX_WAITING_BYTES = 2 * 1024 * 1024;
/** Bytes that wait for the disk before inputs wait. */
const MAX_UNSYNCED_BYTES = 16 * 1024 * 1024;
const RETRY_MS = 500;
/** What an entry takes besides its payload, as a rule. */
const ENTRY_OVERHEAD_BYTES = 256;

/**
 * A queue on disk. A payload is written when it is pushed, goes on its way from memory when its turn is near, and is
 * safe when it is on the disk or delivered, whichever comes first.
 */
export class DiskQueue implements PayloadQueue {
  private readonly options: DiskQueueOptions;
  private readonly log: SegmentLog;
  private readonly reader: LogReader;
  private readonly tracker: DoneTracker;
  private readonly commit: GroupCommit;
  private readonly ready: ReadyPayloads;
  private readonly memory = new ReadMemory();
  private readonly waiting = new WaitingPayloads();
  private readonly seqs = new Map<QueuedPayload, number>();
  private onItsWay = 0;
  private droppedSeq: number;
  /** Entries below this number are from an earlier run. */
  private readonly firstOwnSeq: number;
  /** Records of earlier runs that are still in the queue. */
  recoveredRecords: number;
  private cursorIsOld = false;
  private readonly trouble: DiskTrouble;
  private readonly removal: SegmentRemoval;
  private isDeferred = false;
  private cancelRetry: (() => void) | undefined;
  private isClosed = false;
  records: number;
  readonly isDurable = true;

  constructor(options: DiskQueueOptions) {
    const { opened, files } = options;
    this.options = options;
    this.log = new SegmentLog(files, opened, options.segmentBytes);
    this.trouble = new DiskTrouble({ ...options, folder: opened.folder });
    this.tracker = new DoneTracker(opened.cursor.doneSeq, opened.cursor.doneRecords);
    this.droppedSeq = opened.cursor.droppedSeq;
    this.firstOwnSeq = opened.nextSeq;
    const waiting = opened.nextRecord - opened.cursor.doneRecords - opened.unsafeRecords;
    this.records = Math.max(0, waiting);
    this.recoveredRecords = this.records;
    this.ready = new ReadyPayloads(options.maxInMemory);
    this.commit = new GroupCommit({
      log: this.log,
      clock: options.clock,
      afterMs: options.syncMs,
      onSynced: () => this.synced(),
      onError: (what, error) => this.trouble.report(what, error),
      onRewritten: () => this.reader.forgetPlaces(),
    });
    this.removal = new SegmentRemoval({
      log: this.log,
      cursorFile: opened.cursorFile,
      cursorIsWritten: () => !this.cursorIsOld || this.writeCursor(),
      onRemoved: () => options.onSpace(),
      onError: (error) => this.trouble.report("remove what was delivered from", error),
    });
    this.reader = new LogReader({
      files,
      log: this.log,
      afterSeq: opened.cursor.doneSeq,
      afterRecord: opened.cursor.doneRecords,
      droppedSeq: () => this.droppedSeq,
      memory: (bytes) => this.memory.take(bytes),
      onLost: (records, seq, endRecord, where) => this.lost(records, seq, endRecord, where),
    });
  }

  get bytes(): number {
    return this.log.diskBytes + this.waiting.bytes;
  }

  /** Files of the queue, in bytes, without what is kept of damaged parts. */
  get diskBytes(): number {
    return this.log.diskBytes;
  }

  get isIdle(): boolean {
    return this.onItsWay === 0 && this.waiting.isEmpty && this.reader.isAtEnd;
  }

  get isBehind(): boolean {
    return this.ready.isFull || (this.ready.lastSeq ?? this.reader.seq) < this.log.lastSeq;
  }

  /** How far streams are safe as the queue was found, the newest claim of each. */
  get claims(): Iterable<Claim> {
    return this.options.opened.claims.values();
  }

  isFull(openBytes: number): boolean {
    // While the disk refuses what comes, it goes out from memory: as much as a queue in memory would hold.
    if (this.waiting.bytes + openBytes > MAX_WAITING_BYTES) return true;
    if (this.commit.unsynced.bytes > MAX_UNSYNCED_BYTES) return true;
    const { policy, limitBytes } = this.options;
    if (policy !== "block" || this.bytes + openBytes <= limitBytes) return false;
    // Everything in it may be done with, and only its last segment too young to go.
    if (this.isIdle) this.log.roll();
    return this.bytes + openBytes > limitBytes && !(this.isIdle && this.log.segments.length === 0);
  }

  private get isInTrouble(): boolean {
    return this.commit.isFailing || this.cancelRetry !== undefined || this.waiting.hasSome;
  }

  push(payload: QueuedPayload): void {
    this.waiting.push(payload);
    this.records += payload.queuedRecords;
    if (this.isDeferred) return;
    // Not at once: the batch that filled the payload is still under way, and how far its stream is safe is known
    // when it has come to its end.
    this.isDeferred = true;
    this.options.defer(() => {
      this.isDeferred = false;
      this.writeWaiting();
    });
  }

  take(): QueuedPayload | undefined {
    const payload = this.ready.take(this.reader) ?? this.fromDisk() ?? this.fromWaiting();
    if (payload === undefined) return undefined;
    this.onItsWay++;
    const seq = this.seqs.get(payload);
    if (seq !== undefined) this.tracker.take(seq, this.reader.record);
    return payload;
  }

  partlyDone(payload: QueuedPayload, records: number): void {
    payload.queuedRecords -= records;
    this.records -= records;
    if (payload.isRecovered) this.recoveredRecords -= records;
    this.options.onSpace();
  }

  done(payload: QueuedPayload): void {
    this.onItsWay--;
    this.records -= payload.queuedRecords;
    if (payload.isRecovered) this.recoveredRecords -= payload.queuedRecords;
    const seq = this.seqs.get(payload);
    payload.recycle();
    if (seq === undefined) {
      for (const holder of payload.holders) holder.release();
      if (this.waiting.arrived(payload)) this.writeWaiting();
    } else {
      this.seqs.delete(payload);
      if (this.tracker.done(seq)) {
        this.writeCursor();
        this.options.onDone();
      }
      this.commit.unsynced.done(seq);
    }
    this.options.onSpace();
  }

  async settle(): Promise<void> {
    this.writeWaiting();
    await this.commit.now();
  }

  /** Segments of which nothing is wanted any more but how far streams got: for {@link remove}. */
  retired(): Segment[] {
    const { doneSeq } = this.tracker;
    return this.log.segments.filter((segment) =>
      segment.lastSeq <= doneSeq && !this.log.isActive(segment)
    );
  }

  /** Takes retired segments away, after the positions in them were written down elsewhere. */
  async remove(segments: readonly Segment[]): Promise<void> {
    await this.removal.remove(segments);
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    this.cancelRetry?.();
    await this.settle();
    this.commit.close();
    this.log.close();
    await this.removal.close(this.retired());
    this.reader.close();
    this.writeCursor();
    this.options.opened.cursorFile.close();
  }

  private writeWaiting(): void {
    let wrote = false;
    while (!this.commit.isFailing) {
      const payload = this.waiting.next;
      if (payload === undefined) break;
      if (!this.makeRoom(payload)) continue;
      if (!this.write(payload)) break;
      this.waiting.shift();
      wrote = true;
    }
    if (wrote) this.commit.wrote();
    // What could not be written is sent from memory once its turn has come.
    this.options.onReady();
    if (wrote) this.options.onSpace();
  }

  /** Sees to the limit. False when the payload itself was given up. */
  private makeRoom(payload: QueuedPayload): boolean {
    const { policy, limitBytes, onDrop } = this.options;
    if (policy === "block") return true;
    const bytes = payload.queuedBytes + ENTRY_OVERHEAD_BYTES;
    const isOver = () => this.log.diskBytes + bytes > limitBytes;
    if (isOver()) { for (const segment of this.retired()) this.log.remove(segment); }
    while (policy === "drop_oldest" && isOver() && this.dropOldest());
    if (policy === "drop_oldest" || !isOver() || this.log.segments.length === 0) return true;
    this.waiting.shift();
    this.records -= payload.queuedRecords;
    payload.recycle();
    for (const holder of payload.holders) holder.release();
    onDrop({
      records: payload.queuedRecords,
      sources: payload.sources,
      isRecovered: false,
      reason: "queue_full_newest",
    });
    return false;
  }

  private dropOldest(): boolean {
    const { files } = this.options;
    const dropped = dropOldestSegment(files, this.log, this.reader, this.tracker);
    if (dropped === undefined) return false;
    this.droppedSeq = dropped.segment.lastSeq;
    for (const { seq, payload } of this.ready.drop(dropped.segment.lastSeq)) {
      this.seqs.delete(payload);
      payload.recycle();
      this.commit.unsynced.done(seq);
    }
    this.commit.unsynced.synced(dropped.segment.lastSeq);
    this.writeCursor();
    this.log.remove(dropped.segment);
    this.gaveUp(dropped.segment.firstSeq, {
      records: dropped.records,
      sources: dropped.sources,
      reason: "queue_full_oldest",
    });
    return true;
  }

  private write(payload: QueuedPayload): boolean {
    const { log, commit } = this;
    const claims: Claim[] = [];
    for (const holder of payload.holders) {
      holder.logged(log);
      const claim = holder.claim(log);
      if (claim !== undefined) claims.push(claim);
    }
    const { partition, sources, bytes, queuedRecords: records, holders } = payload;
    let seq: number;
    try {
      seq = log.append(bytes, records, { partition, claims, sources });
    } catch (error) {
      // It may go out from memory before it gets there: until then nobody may count on it.
      for (const holder of holders) holder.unlogged(log);
      this.trouble.report("write to", error);
      this.cancelRetry ??= this.options.clock.after(RETRY_MS, () => {
        this.cancelRetry = undefined;
        this.writeWaiting();
      });
      return false;
    }
    commit.unsynced.add({ seq, bytes: bytes.length, holders });
    if (this.ready.keep(payload, seq, log.endRecord, this.reader)) this.seqs.set(payload, seq);
    else payload.recycle();
    return true;
  }

  private fromDisk(): QueuedPayload | undefined {
    try {
      const entry = this.reader.read();
      return entry && this.payloadOf(entry);
    } catch (error) {
      this.trouble.report("read", error);
      return undefined;
    }
  }

  private fromWaiting(): QueuedPayload | undefined {
    return this.isInTrouble ? this.waiting.send() : undefined;
  }

  private payloadOf({ seq, records, description, payload: bytes }: ReadEntry): QueuedPayload {
    const { partition, sources } = description;
    const payload: QueuedPayload = {
      partition,
      sources: new Map(sources),
      isRecovered: seq < this.firstOwnSeq,
      bytes,
      records,
      queuedBytes: bytes.length,
      queuedRecords: records,
      attempt: 1,
      holders: [],
      recycle: () => this.memory.give(bytes),
    };
    this.seqs.set(payload, seq);
    return payload;
  }

  private synced(): void {
    this.writeCursor();
    this.options.onSpace();
    this.writeWaiting();
  }

  private lost(records: number, seq: number, endRecord: number, where: string): void {
    this.tracker.pass(seq, endRecord);
    this.writeCursor();
    const { safeSeq, cursor } = this.options.opened;
    // Missing since a crash, and counted by nobody: inputs were never told that they are safe.
    if (seq <= cursor.voidSeq || (seq > safeSeq && seq < this.firstOwnSeq)) return;
    this.options.log.error(`Lost ${countOf(records, "record")} of the queue: ${where}`, {
      reason: "corrupt",
    });
    this.gaveUp(seq, { records, sources: new Map(), reason: "corrupt" });
  }

  private gaveUp(seq: number, drop: Omit<QueueDrop, "isRecovered">): void {
    const isRecovered = seq < this.firstOwnSeq;
    this.records -= drop.records;
    if (isRecovered) this.recoveredRecords -= drop.records;
    this.options.onDrop({ ...drop, isRecovered });
  }

  /** False when the disk refuses it: then it is still to be written. */
  private writeCursor(): boolean {
    const { doneSeq, doneRecords } = this.tracker;
    const { droppedSeq, log: { syncedSeq, syncedRecords } } = this;
    const { cursorFile, cursor: { voidSeq } } = this.options.opened;
    try {
      cursorFile.write({
        doneSeq,
        doneRecords,
        droppedSeq,
        syncedSeq,
        syncedRecords,
        voidSeq,
      });
      this.cursorIsOld = false;
    } catch (error) {
      this.cursorIsOld = true;
      this.trouble.report("note what was delivered in", error);
    }
    return !this.cursorIsOld;
  }
}
