import type { CheckpointStore, InputContext } from "logcollector/plugin";
import { BirthTimes } from "./birth-times.ts";
import type { TailConfig } from "./config.ts";
import { type OwnStream, ownStream, type StreamLedger } from "./file-checkpoint.ts";
import type { FileIdentity } from "./file-identity.ts";
import { fluentBitPositions } from "./fluent-bit-positions.ts";
import { Forgetting } from "./forgetting.ts";
import { type KnownFile, KnownFiles } from "./known-files.ts";
import { headPrintOf, type Place, START } from "./place.ts";
import { type Position, writePosition } from "./position.ts";
import type { FoundFile } from "./scan.ts";
import { Share } from "./share.ts";
import type { TailedFile } from "./tailed-file.ts";

/** A position is written again after this time without a new one, so that it shows that its file is still there. */
const RENEW_SEC = 24 * 3600;

/** What is kept over restarts: what was saved, and what is to be saved besides what acks move. */
export class Positions {
  readonly births = new BirthTimes();
  readonly known: KnownFiles;
  readonly share: Share;
  private readonly ctx: InputContext;
  private readonly store: CheckpointStore;
  private readonly forgetting: Forgetting;
  private isTakenUp = false;
  private isLoaded = false;

  constructor(
    config: TailConfig,
    ctx: InputContext,
    isWanted: (path: string) => boolean,
    isFollowed: (identity: string, stream: string) => boolean,
  ) {
    this.ctx = ctx;
    this.store = ctx.checkpoints({
      path: config.db,
      sync: config["db.sync"],
      exclusive: config["db.locking"],
      journalMode: config["db.journal_mode"],
      migrate: (database) => fluentBitPositions(database, isWanted, this.wallSec),
    });
    this.known = new KnownFiles({
      births: this.births,
      log: ctx.log,
      comparePaths: config["db.compare_filename"],
    });
    this.share = new Share(ctx.shard, this.births);
    this.forgetting = new Forgetting({
      store: this.store,
      share: this.share,
      known: this.known,
      clock: ctx.clock,
      isFollowed: ({ stream, position: { file } }) => isFollowed(`${file.dev}:${file.ino}`, stream),
    });
  }

  get wallSec(): number {
    return this.ctx.clock.wall().sec;
  }

  /** Takes up what was saved before the start. Once is enough. */
  load(): Promise<void> | undefined {
    if (this.isTakenUp) return undefined;
    this.isTakenUp = true;
    this.known.load(this.store.saved);
    return this.share.isWhole ? undefined : this.leaveOthers();
  }

  /** What others follow is none of this instance's business. */
  private async leaveOthers(): Promise<void> {
    const all = [...this.known.all()];
    const own = new Set(await this.share.ofKnown(all));
    for (const known of all) if (!own.has(known)) this.known.take(known);
  }

  /** The first scan is over: what it did not find is looked after from now on. */
  loaded(): void {
    if (!this.isLoaded) this.forgetting.start();
    this.isLoaded = true;
  }

  /** Puts down where reading of a file begins, unless that is what is there. */
  begin(ledger: StreamLedger, known: KnownFile | undefined): void {
    const { stream, start } = ledger;
    if (known === undefined) return this.save(ledger, start);
    const { isDone, seenSec } = known.position;
    this.known.take(known);
    if (known.stream !== stream || isDone || this.wallSec - seenSec >= RENEW_SEC) {
      this.save(ledger, start);
    }
    if (known.stream !== stream) this.store.remove(known.stream);
  }

  /** Reading came further than the latest batch says: what lies between made none. */
  reached(ledger: StreamLedger, place: Place): void {
    if (ledger.last === undefined) ledger.start = place;
    else ledger.last.place = place;
    if (ledger.unacked === 0) this.save(ledger, place);
  }

  /** A file was read to its end and is given up. */
  leave(file: TailedFile, place: Place, isDeleted: boolean): void {
    const { ledger, own } = file;
    if (own === undefined) this.leaveStream(ledger, place, isDeleted);
    else if (!file.isForeign) this.leaveCopy(own, ledger, place);
  }

  /** The rest of a file that is gone was found elsewhere, and read. */
  leaveGone(known: KnownFile, ledger: StreamLedger): void {
    this.known.take(known);
    this.leaveStream(ledger, ledger.place, true);
  }

  private leaveStream(ledger: StreamLedger, place: Place, isDeleted: boolean): void {
    if (ledger.last !== undefined) {
      ledger.last.isDone = true;
      ledger.last.isDeleted = isDeleted;
    }
    const known = this.done(ledger.stream, ledger.file, place, isDeleted);
    if (ledger.unacked === 0) this.store.save(known.stream, writePosition(known.position));
    this.lookAfter(known, ledger);
  }

  /** A copy holds nothing that was not read for the stream before. Throws when it cannot be read. */
  passCopy({ path, stat }: FoundFile, ledger: StreamLedger): void {
    const place = { ...START, head: headPrintOf(path) };
    this.leaveCopy(ownStream(stat, ledger, this.births), ledger, place);
  }

  /** Says from time to time that followed files are still there, and forgets those that are gone. */
  sweep(files: Iterable<TailedFile>): void {
    if (!this.forgetting.sweep()) return;
    for (const { ledger } of files) {
      if (ledger.unacked > 0 || this.wallSec - ledger.seenSec < RENEW_SEC) continue;
      this.save(ledger, ledger.place);
    }
  }

  /** What a copy held counts as read as soon as it is safe: until then it is found again by what it holds. */
  private leaveCopy(own: OwnStream, ledger: StreamLedger, place: Place): void {
    const known = this.done(own.stream, own.file, place, false);
    ledger.whenSafe(() => this.store.save(known.stream, writePosition(known.position)));
    this.lookAfter(known, ledger);
  }

  private lookAfter(known: KnownFile, ledger: StreamLedger): void {
    if (!known.position.isDeleted) this.known.add(known);
    this.forgetting.add(known, () => ledger.unacked === 0);
  }

  private done(stream: string, file: FileIdentity, place: Place, isDeleted: boolean): KnownFile {
    const position = { file, place, isDone: true, isDeleted, seenSec: this.wallSec };
    return { stream, position, isFromBefore: false };
  }

  private save(ledger: StreamLedger, place: Place): void {
    const seenSec = this.wallSec;
    ledger.seenSec = seenSec;
    const position: Position = {
      file: ledger.file,
      place,
      isDone: false,
      isDeleted: false,
      seenSec,
    };
    this.store.save(ledger.stream, writePosition(position));
  }
}
