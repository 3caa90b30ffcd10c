import { CursorFile, type CursorState } from "../../buffer/disk/cursor.ts";
import type { DiskFiles } from "../../buffer/disk/files.ts";
import {
  CURSOR_FILE,
  type FolderContent,
  lookOver,
  QUARANTINE_FOLDER,
  type QueueIdentity,
  QueueRefused,
} from "../../buffer/disk/queue-folder.ts";
import { FORMAT_VERSION, saltOf } from "../../buffer/disk/segment-header.ts";
import { headerOf } from "../../buffer/disk/survey.ts";

/** A queue as it lies on the disk. Nothing in it is changed by looking. */
export interface QueueOnDisk {
  readonly folder: string;
  /** `undefined` when the file that says so is missing or damaged. */
  readonly identity: QueueIdentity | undefined;
  readonly content: FolderContent;
  readonly salt: number;
  /** `undefined` when it is not known how far the queue was emptied: then everything in it waits. */
  readonly cursor: CursorState | undefined;
  /** Bytes of segments. */
  readonly bytes: number;
  /** What is kept of damaged parts. */
  readonly kept: { readonly files: number; readonly bytes: number };
}

/**
 * Looks at a queue's folder without opening the queue, so also while the collector works with it. Throws
 * {@link QueueRefused} for what is not a queue of this version, and what the system says.
 */
export function lookAtQueue(files: DiskFiles, folder: string): QueueOnDisk {
  // Whoever looks need not be the user that the collector runs as.
  const uid = files.facts(folder)?.uid ?? -1;
  const before = CursorFile.peek(files, `${folder}/${CURSOR_FILE}`);
  const content = lookOver(files, folder, uid);
  const id = checkSegments(files, folder, content);
  const quarantine = `${folder}/${QUARANTINE_FOLDER}`;
  const kept = files.facts(quarantine) === undefined ? [] : files.list(quarantine);
  return {
    folder,
    identity: content.identity,
    content,
    salt: saltOf(id ?? ""),
    cursor: cursorAround(before, CursorFile.peek(files, `${folder}/${CURSOR_FILE}`)),
    bytes: content.segments.reduce((sum, { facts }) => sum + facts.size, 0),
    kept: { files: kept.length, bytes: kept.reduce((sum, { size }) => sum + size, 0) },
  };
}

/**
 * What the cursor said before and after the folder was listed, while somebody may work with it: what was on the disk
 * before is in the list, and what is not in the list any more was done with after.
 */
function cursorAround(
  before: CursorState | undefined,
  after: CursorState | undefined,
): CursorState | undefined {
  if (before === undefined || after === undefined) return after;
  const { syncedSeq, syncedRecords } = before;
  return { ...after, syncedSeq, syncedRecords };
}

/** Returns the queue's own id, which its segments also have. */
function checkSegments(
  files: DiskFiles,
  folder: string,
  { identity, segments }: FolderContent,
): string | undefined {
  let id = identity?.id;
  for (const { facts } of segments) {
    const path = `${folder}/${facts.name}`;
    const header = files.facts(path) && headerOf(files, path);
    if (header === undefined) continue;
    if (header.version > FORMAT_VERSION) {
      throw refused(
        folder,
        `${path} was written by a newer version of this program (format ${header.version}, known is ${FORMAT_VERSION})`,
      );
    }
    id ??= header.queue;
    if (header.queue !== id) throw refused(folder, `${path} belongs to another queue`);
  }
  return id;
}

function refused(folder: string, reason: string): QueueRefused {
  return new QueueRefused(
    `Cannot use the queue in ${folder}: ${reason}. Nothing was changed there`,
  );
}
