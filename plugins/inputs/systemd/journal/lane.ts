import { comparePlaces } from "./entry-place.ts";
import type { JournalFile } from "./journal-file.ts";

/** A file whose turn has not come: it is not open. */
export interface WaitingFile {
  readonly identity: string;
  path: string;
  readonly headSeqnum: number;
  /** How many it had when it was met. */
  readonly entries: number;
}

/** A file that is read. */
export interface ActiveFile {
  readonly file: JournalFile;
  /** The file's current entry is the next one to be handed out. */
  isReady: boolean;
}

/**
 * The files whose entries are counted together, in the order of that count. Archived files follow one upon the
 * other, so that only few are open at a time.
 */
export class Lane {
  readonly seqnumId: string;
  /** In the order of their first entries. */
  readonly waiting: WaitingFile[] = [];
  readonly active: ActiveFile[] = [];

  constructor(seqnumId: string) {
    this.seqnumId = seqnumId;
  }

  add(file: WaitingFile): void {
    let at = this.waiting.length;
    while (at > 0 && this.waiting[at - 1]!.headSeqnum > file.headSeqnum) at--;
    this.waiting.splice(at, 0, file);
  }

  /** Gives a waiting file up. */
  forget(identity: string): void {
    const at = this.waiting.findIndex((file) => file.identity === identity);
    if (at >= 0) this.waiting.splice(at, 1);
  }

  /** The file with the next entry. `open` makes a waiting file an active one, if that can be done. */
  next(open: (file: WaitingFile) => ActiveFile | undefined): ActiveFile | undefined {
    for (;;) {
      const first = this.first();
      const { waiting } = this;
      if (waiting.length === 0) return first;
      if (first !== undefined && waiting[0]!.headSeqnum > first.file.seqnum) return first;
      const opened = open(waiting.shift()!);
      if (opened !== undefined) this.active.push(opened);
    }
  }

  remove(gone: ActiveFile): void {
    const at = this.active.indexOf(gone);
    if (at >= 0) this.active.splice(at, 1);
  }

  private first(): ActiveFile | undefined {
    let first: ActiveFile | undefined;
    for (const active of this.active) {
      if (!active.isReady) continue;
      if (first === undefined || comparePlaces(active.file, first.file) < 0) first = active;
    }
    return first;
  }
}
