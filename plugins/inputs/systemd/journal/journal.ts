import { comparePlaces, type EntryPlace, isSameEntry } from "./entry-place.ts";
import type { JournalFinder } from "./found-files.ts";
import { JournalError, type RefusalReason } from "./journal-error.ts";
import { JournalFile, type JournalFileOptions } from "./journal-file.ts";
import { placeOf, type ReadingPlace } from "./reading-place.ts";
import { type ActiveFile, Lane, type WaitingFile } from "./lane.ts";

export interface JournalOptions {
  readonly finder: JournalFinder;
  readonly file: JournalFileOptions;
  /** Moves a file that is read for the first time to where reading begins. */
  readonly begin: (file: JournalFile) => void;
  /** A file is not read. */
  readonly onRefused: (path: string, reason: RefusalReason | "unreadable", message: string) => void;
  /** A file went away with so many entries unread. */
  readonly onLost: (path: string, entries: number) => void;
}

/** So many files keep what they read in memory, those that were read from last. */
const WARM_FILES = 4;
/** A file that is being made is damaged for a moment: this is said when it is so for the second time. */
const PATIENCE = 2;

/** Several journal files, as one list of entries in order. */
export class Journal {
  private readonly options: JournalOptions;
  private readonly lanes = new Map<string, Lane>();
  /** Files that are waiting, by identity, so that one that is renamed is found again. */
  private readonly waiting = new Map<string, WaitingFile>();
  /** Files whose turn had come when they were not there: renamed, or gone. */
  private readonly vanished: WaitingFile[] = [];
  /** Files that are read, waiting, or done with. */
  private readonly known = new Set<string>();
  /** Files that could not be read, and how often that was tried. */
  private readonly refused = new Map<string, number>();
  /** The files that were read from last, the latest in front. */
  private warm: JournalFile[] = [];
  private current: { readonly lane: Lane; readonly active: ActiveFile } | undefined;
  /** The last entry that was taken. */
  private last: EntryPlace | undefined;
  /** When folders were last looked into, in microseconds since the epoch. */
  private scannedUs = 0;

  constructor(options: JournalOptions) {
    this.options = options;
  }

  /** Looks for files. Call it at first, and when a folder has changed. */
  scan(nowUs: number): void {
    this.scannedUs = nowUs;
    const found = this.options.finder.find();
    const there = new Set<string>();
    const open = new Map(this.files.map((file) => [file.identity, file]));
    for (const { path, identity } of found) {
      there.add(identity);
      const renamed = this.waiting.get(identity) ?? open.get(identity);
      if (renamed !== undefined) renamed.path = path;
      else if (!this.known.has(identity)) this.meet(path, identity);
    }
    this.countVanished(there);
    // What is gone may come back as another file with its inode.
    for (const identity of this.known) {
      if (!there.has(identity) && !open.has(identity)) this.known.delete(identity);
    }
    for (const identity of this.refused.keys()) {
      if (!there.has(identity)) this.refused.delete(identity);
    }
  }

  private countVanished(there: ReadonlySet<string>): void {
    for (const [identity, file] of this.waiting) {
      if (there.has(identity)) continue;
      this.waiting.delete(identity);
      for (const lane of this.lanes.values()) lane.forget(identity);
      this.vanished.push(file);
    }
    for (const { identity, path, entries } of this.vanished) {
      if (!there.has(identity) && entries > 0) this.options.onLost(path, entries);
    }
    this.vanished.length = 0;
  }

  /** Looks whether something was added to the files that are followed. */
  refresh(): void {
    for (const lane of this.lanes.values()) {
      for (const active of [...lane.active]) {
        if (active.isReady) continue;
        active.file.refresh();
        this.advance(lane, active);
      }
    }
  }

  /** The next entry: the current one of the file that is returned, until the next call. It is {@link take}n then. */
  next(): JournalFile | undefined {
    for (;;) {
      this.take();
      if (this.current !== undefined) {
        const { lane, active } = this.current;
        this.current = undefined;
        this.advance(lane, active);
      }
      const first = this.first();
      if (first === undefined) return undefined;
      this.current = first;
      const { file } = first.active;
      if (file !== this.warm[0]) this.warmUp(file);
      if (this.last === undefined || !isSameEntry(this.last, file)) return file;
    }
  }

  /** Counts the current entry as read. */
  take(): void {
    if (this.current === undefined) return;
    const { file } = this.current.active;
    file.lastSeqnum = file.seqnum;
    this.last = copyPlace(file, this.last);
  }

  /** How far everything that was taken reaches; `undefined` before the first entry. */
  get place(): ReadingPlace | undefined {
    return this.last && placeOf(this.last, this.files, this.scannedUs);
  }

  /** A file was not where it was said to be: a {@link scan} finds it again. */
  get isToScan(): boolean {
    return this.vanished.length > 0;
  }

  /** There are files, read or to be read. */
  get hasFiles(): boolean {
    return this.waiting.size > 0 || this.files.length > 0;
  }

  /** Where files were looked for, to be watched. */
  get folders(): readonly string[] {
    return this.options.finder.folders;
  }

  /** The files that are read now. */
  get files(): JournalFile[] {
    return [...this.lanes.values()].flatMap(({ active }) => active.map(({ file }) => file));
  }

  /** Gives memory back until there is something to read. */
  rest(): void {
    for (const file of this.files) file.rest();
    this.warm = [];
  }

  close(): void {
    for (const file of this.files) file.close();
    this.lanes.clear();
    this.waiting.clear();
    this.known.clear();
    this.warm = [];
    this.current = undefined;
  }

  private warmUp(file: JournalFile): void {
    this.warm = [file, ...this.warm.filter((other) => other !== file)];
    if (this.warm.length > WARM_FILES) this.warm.pop()!.rest();
  }

  private first(): { lane: Lane; active: ActiveFile } | undefined {
    let best: { lane: Lane; active: ActiveFile } | undefined;
    for (const lane of this.lanes.values()) {
      const active = lane.next((waiting) => this.open(lane, waiting));
      if (active === undefined) continue;
      if (best === undefined || comparePlaces(active.file, best.active.file) < 0) {
        best = { lane, active };
      }
    }
    return best;
  }

  /** A file that is seen for the first time: what it says of itself decides when its turn is. */
  private meet(path: string, identity: string): void {
    const file = this.tryOpen(path, identity);
    if (file === undefined) return;
    const { seqnumId, header: { headSeqnum, entries } } = file;
    file.close();
    this.known.add(identity);
    this.refused.delete(identity);
    const waiting = { identity, path, headSeqnum, entries };
    this.waiting.set(identity, waiting);
    this.laneOf(seqnumId).add(waiting);
  }

  private open(lane: Lane, waiting: WaitingFile): ActiveFile | undefined {
    const { identity, path } = waiting;
    this.waiting.delete(identity);
    const file = this.tryOpen(path, identity);
    // It was renamed, or another took its name: the next scan meets it again, if it is not gone.
    if (file === undefined || file.identity !== identity) {
      file?.close();
      this.known.delete(identity);
      this.vanished.push(waiting);
      return undefined;
    }
    this.options.begin(file);
    // Where reading begins is a place too, though nothing of it was taken.
    if (file.isAtLast && (this.last === undefined || comparePlaces(this.last, file) < 0)) {
      this.last = copyPlace(file, this.last);
    }
    const active = { file, isReady: false };
    this.advance(lane, active);
    return this.isDone(active) ? undefined : active;
  }

  private tryOpen(path: string, identity: string): JournalFile | undefined {
    try {
      return new JournalFile(path, this.options.file);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === "ENOENT") return undefined;
      if (error instanceof JournalError) this.refuse(path, identity, error.reason, message);
      else this.refuse(path, identity, "unreadable", remedyFor(code) ?? code ?? message);
      return undefined;
    }
  }

  private refuse(
    path: string,
    identity: string,
    reason: RefusalReason | "unreadable",
    message: string,
  ): void {
    const tries = (this.refused.get(identity) ?? 0) + 1;
    this.refused.set(identity, tries);
    // It will not become one by itself.
    if (reason === "unsupported") this.known.add(identity);
    if (tries === (reason === "damaged" ? PATIENCE : 1)) {
      this.options.onRefused(path, reason, message);
    }
  }

  /** Moves a file on to its next entry. One that is at its end for good is closed. */
  private advance(lane: Lane, active: ActiveFile): void {
    active.isReady = active.file.next();
    if (active.isReady) {
      // Its turn may be far away.
      if (!this.warm.includes(active.file)) active.file.rest();
      return;
    }
    const { isInDoubt, isPaused } = active.file;
    if (!isInDoubt && !isPaused && active.file.refresh()) active.isReady = active.file.next();
    if (!this.isDone(active)) return;
    const { file } = active;
    const lost = file.header.entries - file.position;
    if (file.isDeleted && lost > 0) this.options.onLost(file.path, lost);
    this.closeFile(file);
    lane.remove(active);
  }

  /** Nothing will be added to it. */
  private isDone({ file, isReady }: ActiveFile): boolean {
    return !isReady && !file.isPaused && file.isArchived;
  }

  private closeFile(file: JournalFile): void {
    file.close();
    this.warm = this.warm.filter((other) => other !== file);
  }

  private laneOf(seqnumId: string): Lane {
    let lane = this.lanes.get(seqnumId);
    if (lane === undefined) this.lanes.set(seqnumId, lane = new Lane(seqnumId));
    return lane;
  }
}

function remedyFor(code: string | undefined): string | undefined {
  if (code === "EACCES") return "EACCES: it takes root, or the group systemd-journal";
  return code === "EMFILE" ? "EMFILE: raise the limit of open files" : undefined;
}

/** The object is used again: there is one for every entry. */
function copyPlace(file: JournalFile, into: EntryPlace | undefined): EntryPlace {
  const place = (into ?? {}) as { -readonly [K in keyof EntryPlace]: EntryPlace[K] };
  place.seqnumId = file.seqnumId;
  place.seqnum = file.seqnum;
  place.realtimeUs = file.realtimeUs;
  place.monotonicUs = file.monotonicUs;
  place.bootId = file.bootId;
  place.xorHigh = file.xorHigh;
  place.xorLow = file.xorLow;
  return place;
}
