import type { BatchMaker } from "./batch-maker.ts";
import type { StreamLedger } from "./file-checkpoint.ts";
import { isPrintOf } from "./fingerprint.ts";
import type { Place } from "./place.ts";

/** The stream that lines are read for. */
export interface LineStream {
  readonly ledger: StreamLedger;
  readonly newMaker: () => BatchMaker;
}

/** A content that may have been compressed since it was read. */
export interface Sought {
  /** Where reading stood in it. */
  readonly place: Place;
  /** The stream that it is read on for; `undefined` for that of the file in which it is found. */
  readonly stream: LineStream | undefined;
  /** What lies behind is read where it was before: of what was compressed there is nothing to read. */
  readonly isReadElsewhere: boolean;
  readonly onFound?: (() => void) | undefined;
}

/** Contents that are looked for in one compressed file, or in several that are read one after the other. */
export class PackedSearch {
  private readonly sought: readonly Sought[];
  private readonly onEnd: ((found: ReadonlySet<Sought>) => void) | undefined;
  private readonly found = new Set<Sought>();
  /** Files in which it is still to be looked. */
  private left: number;
  /** Files that hold none of the contents are read whole. */
  readsOthers: boolean;
  /** The stream that those are read for; `undefined` for their own. */
  stream: LineStream | undefined;

  constructor(options: {
    readonly sought: readonly Sought[];
    readonly files: number;
    readonly readsOthers: boolean;
    readonly onEnd?: (found: ReadonlySet<Sought>) => void;
  }) {
    this.sought = options.sought;
    this.left = options.files;
    this.readsOthers = options.readsOthers;
    this.onEnd = options.onEnd;
  }

  /** Which content begins like this, if one does. */
  choose(first: Buffer): Sought | undefined {
    return this.sought.find(({ place: { head } }) =>
      first.length >= head.bytes && isPrintOf(head, first.subarray(0, head.bytes))
    );
  }

  /** Files that come after one of the contents and hold none of them were never seen. */
  isFound(sought: Sought): void {
    this.found.add(sought);
    this.readsOthers = true;
    this.stream = sought.stream;
    sought.onFound?.();
  }

  /** One of the files is done with. */
  fileEnded(): void {
    if (--this.left === 0) this.onEnd?.(this.found);
  }
}
