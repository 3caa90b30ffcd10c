import type { BatchMaker } from "./batch-maker.ts";
import { FILE_TIME_STEP_MS } from "./birth-times.ts";
import type { StreamLedger } from "./file-checkpoint.ts";
import { HEAD_BYTES, isPrintOf } from "./fingerprint.ts";
import { beginningOf } from "./gzip.ts";
import { isSure, type Place } from "./place.ts";
import type { Position } from "./position.ts";
import type { FoundFile } from "./scan.ts";

/** The stream that lines are read for. */
export interface LineStream {
  readonly ledger: StreamLedger;
  readonly newMaker: () => BatchMaker;
}

/** The compressed file in which a content was found. */
export interface PackedFile {
  readonly path: string;
}

/** A content that may have been compressed since it was read. */
export interface Sought {
  /** Where reading stood in it. */
  readonly place: Place;
  /** The stream that it is read on for; `undefined` for that of the file in which it is found. */
  readonly stream: LineStream | undefined;
  /** What lies behind is read where it was before: of what was compressed there is nothing to read. */
  readonly isReadElsewhere: boolean;
  /** Told in which file it was found. */
  onFound?(inFile: PackedFile): void;
}

/** Contents that are looked for in one compressed file, or in several that are read one after the other. */
export class PackedSearch {
  private readonly sought: readonly Sought[];
  private readonly onEnd: ((found: ReadonlySet<Sought>) => void) | undefined;
  private readonly found = new Set<Sought>();
  /** Files in which it is still to be looked. */
  private left = 0;
  /** Files that hold none of the contents are read whole. */
  readsOthers: boolean;
  /** The stream that those are read for; `undefined` for their own. */
  stream: LineStream | undefined;

  constructor(options: {
    readonly sought: readonly Sought[];
    readonly readsOthers: boolean;
    readonly onEnd?: (found: ReadonlySet<Sought>) => void;
  }) {
    // The more is known of how a content begins, the surer it is the one.
    this.sought = options.sought.toSorted(({ place: one }, { place: other }) =>
      other.head.bytes - one.head.bytes || other.offset - one.offset
    );
    this.readsOthers = options.readsOthers;
    this.onEnd = options.onEnd;
  }

  /**
   * The files, in their order, in which something may be that was not read. Those before the first content that is
   * known were read, unless one of which something is left is in none of them. What the file held that is in its place now, or what is younger than that one, is left to it.
   */
  unread(files: readonly FoundFile[], now: Position | undefined): FoundFile[] {
    const untilMs = (now?.file.birthMs || Infinity) + FILE_TIME_STEP_MS;
    const firsts = files.map(({ path }) => beginningOf(path).subarray(0, HEAD_BYTES));
    const held = firsts.map((first) => this.choose(first));
    const isMissing = this.sought.some((one) => !one.isReadElsewhere && !held.includes(one));
    const start = isMissing ? -1 : held.findIndex((sought) => sought !== undefined);
    const unread = files.filter(({ stat }, i) => {
      if (held[i] !== undefined) return true;
      if (i < start || stat.mtimeMs > untilMs) return false;
      return now === undefined || !isSure(now.place) || !beginsLike(firsts[i]!, now.place);
    });
    this.left = unread.length;
    return unread;
  }

  /** Which content begins like this, if one does. */
  choose(first: Buffer): Sought | undefined {
    return this.sought.find(({ place }) => beginsLike(first, place));
  }

  /** Files that come after one of the contents and hold none of them were never seen. */
  isFound(sought: Sought, inFile: PackedFile): void {
    this.found.add(sought);
    this.readsOthers = true;
    this.stream = sought.stream;
    sought.onFound?.(inFile);
  }

  /** One of the files is done with. */
  fileEnded(): void {
    if (--this.left === 0) this.onEnd?.(this.found);
  }
}

function beginsLike(first: Buffer, { head }: Place): boolean {
  return first.length >= head.bytes && isPrintOf(head, first.subarray(0, head.bytes));
}
