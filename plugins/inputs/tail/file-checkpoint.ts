import type { Stats } from "node:fs";
import type { Checkpoint } from "logcollector/plugin";
import type { BirthTimes } from "./birth-times.ts";
import { type FileIdentity, streamOf } from "./file-identity.ts";
import { type Place, START } from "./place.ts";
import { writePosition } from "./position.ts";

/** What all checkpoints of one stream share. Small, as it may outlive its file's turn by far. */
export class StreamLedger {
  readonly stream: string;
  readonly file: FileIdentity;
  /** Where reading began. */
  start: Place = START;
  /** When it was last seen, in seconds since 1970, as far as it was put down or emitted. */
  seenSec: number;
  /** Batches that were emitted and are not safe yet. */
  unacked = 0;
  /** The latest checkpoint. */
  last: FileCheckpoint | undefined;

  constructor(stream: string, file: FileIdentity, seenSec: number) {
    this.stream = stream;
    this.file = file;
    this.seenSec = seenSec;
  }

  /** Where the file stands when everything that was emitted is safe. */
  get place(): Place {
    return this.last?.place ?? this.start;
  }

  /** Calls back once everything that was emitted so far is safe: at once if it is already. */
  whenSafe(call: () => void): void {
    if (this.unacked === 0) call();
    else this.last!.whenSafe(call);
  }
}

/** The position behind one batch that is about to be emitted. */
export class FileCheckpoint implements Checkpoint {
  place: Place;
  readonly seenSec: number;
  private readonly ledger: StreamLedger;
  private isPending = true;
  private calls: (() => void)[] | undefined;
  /** Set when nothing comes behind the batch any more: that is true however late it is written down. */
  isDone = false;
  isDeleted = false;

  constructor(ledger: StreamLedger, place: Place, seenSec: number) {
    this.ledger = ledger;
    this.place = place;
    this.seenSec = seenSec;
    ledger.unacked++;
    ledger.last = this;
    ledger.seenSec = seenSec;
  }

  position(): string {
    const { place, isDone, isDeleted, seenSec } = this;
    return writePosition({ file: this.ledger.file, place, isDone, isDeleted, seenSec });
  }

  ack(): void {
    if (!this.isPending) return;
    this.isPending = false;
    this.ledger.unacked--;
    for (const call of this.calls ?? []) call();
    this.calls = undefined;
  }

  /** The batch could not be emitted: it is as if this checkpoint had not been. */
  abandon(before: FileCheckpoint | undefined): void {
    if (this.isPending) this.ledger.unacked--;
    this.isPending = false;
    this.ledger.last = before;
  }

  /** Adds what is to be called when the batch is safe. */
  whenSafe(call: () => void): void {
    (this.calls ??= []).push(call);
  }
}

/** The stream of a file that is read for another's. */
export interface OwnStream {
  readonly stream: string;
  readonly file: FileIdentity;
}

/** The stream of a copy of what the ledger's file held. */
export function ownStream(stat: Stats, { file }: StreamLedger, births: BirthTimes): OwnStream {
  return {
    stream: streamOf(stat, births),
    file: {
      path: file.path,
      home: file.home,
      dev: stat.dev,
      ino: stat.ino,
      birthMs: births.of(stat),
      madeBeforeMs: undefined,
      sinceMs: undefined,
    },
  };
}
