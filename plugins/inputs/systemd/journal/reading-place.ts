import { type Cursor, readCursor, writeCursor } from "./cursor.ts";
import type { EntryPlace } from "./entry-place.ts";
import type { JournalFile } from "./journal-file.ts";

/** How far a file was read. */
interface FilePlace {
  readonly fileId: string;
  /** The count of the last entry that was taken out of it; 0 for none. */
  readonly seqnum: number;
}

/**
 * How far a journal was read: the cursor of the last entry, as journalctl writes it, and how far the files were that
 * are read side by side. Entries become visible in several files at no certain order, so the cursor alone would pass
 * over some.
 */
export interface ReadingPlace {
  readonly cursor: string;
  readonly files: readonly FilePlace[];
  /** When folders were last looked into, in microseconds since the epoch: what is newer was not known. */
  readonly scannedUs: number;
}

/** More than this are not written down; the cursor stands for the others. */
const MAX_FILES = 256;

/** Remembers how far reading came, for when it is asked. */
export function placeOf(
  entry: EntryPlace,
  files: readonly JournalFile[],
  scannedUs: number,
): ReadingPlace {
  return {
    cursor: writeCursor(entry),
    files: files.slice(0, MAX_FILES).map(({ fileId, lastSeqnum }) => ({
      fileId,
      seqnum: lastSeqnum,
    })),
    scannedUs,
  };
}

export function writePlace({ cursor, files, scannedUs }: ReadingPlace): string {
  const list = files.map(({ fileId, seqnum }) => `${fileId}:${seqnum.toString(16)}`).join(",");
  return `${cursor} files=${list} scanned=${scannedUs.toString(16)}`;
}

/** What {@link writePlace} wrote, or a cursor alone, as journalctl and Fluent Bit keep it. */
export class SavedPlace {
  readonly cursor: Cursor;
  private readonly files: ReadonlyMap<string, number> | undefined;
  private readonly scannedUs: number;
  private readonly nowUs: number;

  /** `nowUs` is the present, in microseconds since the epoch. Throws `SyntaxError` for text that is none. */
  constructor(text: string, nowUs: number) {
    this.nowUs = nowUs;
    const [cursor = "", ...rest] = text.trim().split(" ");
    const read = readCursor(cursor);
    if (read === undefined) {
      throw new SyntaxError(
        `Cannot read a journal's cursor: ${JSON.stringify(cursor.slice(0, 200))}`,
      );
    }
    this.cursor = read;
    const parts = new Map(rest.map((part) => part.split("=", 2) as [string, string]));
    const files = parts.get("files");
    this.files = files === undefined ? undefined : new Map(
      files.split(",").filter((text) => text !== "").map((text) => {
        const [id = "", seqnum = "0"] = text.split(":");
        return [id, parseInt(seqnum, 16)];
      }),
    );
    this.scannedUs = parseInt(parts.get("scanned") ?? "0", 16);
  }

  /** Moves a file behind what was read of it. */
  begin(file: JournalFile): void {
    const read = this.files?.get(file.fileId);
    if (read !== undefined) return file.seek(({ seqnum }) => seqnum > read);
    if (this.files !== undefined) return this.beginUnlisted(file);
    const { cursor } = this;
    if (file.seqnumId === cursor.seqnumId && cursor.seqnum !== undefined) {
      return file.seek(({ seqnum }) => seqnum > cursor.seqnum!);
    }
    // Clocks are set back: the first entry that comes behind the cursor, and not one that is found by halving.
    file.skipWhile((place) => !this.isBehind(place));
  }

  /** Entries of the cursor's own count that are gone, when this is the first of it that there is. */
  missingBefore({ seqnumId, seqnum }: EntryPlace): number {
    const { cursor } = this;
    if (seqnumId !== cursor.seqnumId || cursor.seqnum === undefined) return 0;
    return Math.max(0, seqnum - cursor.seqnum - 1);
  }

  /** A file that was not being read: it was done with, or its turn had not come, or nobody knew of it. */
  private beginUnlisted(file: JournalFile): void {
    const { headRealtimeUs, headSeqnum, tailSeqnum, entries } = file.header;
    // What begins in the future was written under a clock that was wrong, and says nothing.
    const isNew = headRealtimeUs > this.scannedUs && headRealtimeUs <= this.nowUs;
    if (entries === 0 || isNew) return;
    const { cursor } = this;
    if (file.seqnumId === cursor.seqnumId && cursor.seqnum !== undefined) {
      if (headSeqnum > cursor.seqnum || tailSeqnum > cursor.seqnum) return;
      return file.skipAll();
    }
    file.skipWhile((place) => !this.isBehind(place));
    if (file.position > 0) file.skipAll();
  }

  /** The place comes after the cursor, as far as they can be compared. */
  private isBehind({ bootId, monotonicUs, realtimeUs }: EntryPlace): boolean {
    const { cursor } = this;
    if (bootId === cursor.bootId && cursor.monotonicUs !== undefined) {
      return monotonicUs > cursor.monotonicUs;
    }
    return cursor.realtimeUs === undefined || realtimeUs > cursor.realtimeUs;
  }
}
