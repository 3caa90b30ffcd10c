import { countOf } from "../../lib/count-of.ts";
import type { Claim } from "../queued-payload.ts";
import { CursorFile, type CursorState } from "./cursor.ts";
import type { DiskFiles } from "./files.ts";
import {
  CURSOR_FILE,
  type FolderContent,
  lookOver,
  type QueueIdentity,
  QueueRefused,
  writeIdentity,
} from "./queue-folder.ts";
import { Quarantine } from "./quarantine.ts";
import type { Segment } from "./segment.ts";
import { saltOf } from "./segment-header.ts";
import { indexPath } from "./segment-index.ts";
import { headerOf, type Survey, survey } from "./survey.ts";

export interface OpenQueueOptions {
  readonly files: DiskFiles;
  readonly folder: string;
  readonly identity: Omit<QueueIdentity, "id">;
  /** A new queue's id: 16 random bytes in hexadecimal. */
  readonly newId: () => string;
  /** The user that this process runs as. */
  readonly uid: number;
}

/** A queue as it was found, made ready to go on. */
export interface OpenedQueue {
  readonly folder: string;
  readonly salt: number;
  readonly id: string;
  readonly segments: Segment[];
  readonly cursorFile: CursorFile;
  readonly cursor: CursorState;
  readonly nextSeq: number;
  readonly nextRecord: number;
  /** How far streams are safe, by claimKey. */
  readonly claims: Map<string, Claim>;
  /** Entries behind this number may be missing without a loss: nobody was told that they are safe. */
  readonly safeSeq: number;
  /** Records of such entries that are missing. */
  readonly unsafeRecords: number;
  /** What is worth a word in the log, one sentence each. */
  readonly notes: readonly string[];
}

/**
 * Opens a queue's folder, or makes it. A write that was cut off is cut away; everything that is left is on the disk
 * when this resolves. Throws {@link QueueRefused} for a folder that is not ours, and what the system says.
 */
export async function openQueue(options: OpenQueueOptions): Promise<OpenedQueue> {
  const { files, folder } = options;
  const content = lookOver(files, folder, options.uid);
  const id = idOf(content, options) ?? options.newId();
  checkSegments(content, id, options);
  files.makeFolder(folder);
  for (const name of content.leftovers) files.remove(`${folder}/${name}`);
  if (content.identity === undefined) {
    await writeIdentity(files, folder, { ...options.identity, id });
  }
  const notes: string[] = [];
  const cursorFile = CursorFile.open(files, `${folder}/${CURSOR_FILE}`);
  if (cursorFile.found === undefined && content.segments.length > 0) {
    notes.push("Its cursor was lost: what was delivered last is delivered once more");
  }
  const salt = saltOf(id);
  const found = survey(content, { files, folder, salt, cursor: cursorFile.found });
  notes.push(...cut(files, folder, found));
  if (found.unsafeRecords > 0) {
    notes.push(
      `${
        countOf(found.unsafeRecords, "record")
      } had not reached the disk; inputs that can do so read them again`,
    );
  }
  await settle(files, folder, found.segments, cursorFile.found?.syncedSeq ?? -1);
  const last = found.segments.at(-1);
  const cursor = cursorOf(cursorFile.found, found);
  if (found.hasUnsafeGap) {
    // On the disk before anything else is: from then on the gap looks like any other.
    cursorFile.write(cursor);
    await cursorFile.sync();
  }
  return {
    folder,
    salt,
    id,
    segments: found.segments,
    cursorFile,
    cursor,
    // Entries that were on the disk and are not any more are found to be missing when it is their turn.
    nextSeq: Math.max(last?.lastSeq ?? 0, cursor.doneSeq, cursor.droppedSeq, cursor.syncedSeq) + 1,
    nextRecord: Math.max(last?.endRecord ?? 0, cursor.doneRecords, cursor.syncedRecords),
    claims: found.claims,
    safeSeq: found.syncedSeq,
    unsafeRecords: found.unsafeRecords,
    notes,
  };
}

/** A lost identity is known from any segment. */
function idOf(
  { identity, segments }: FolderContent,
  options: OpenQueueOptions,
): string | undefined {
  if (identity !== undefined) return identity.id;
  for (const { facts } of segments) {
    const header = headerOf(options.files, `${options.folder}/${facts.name}`);
    if (header !== undefined) return header.queue;
  }
  return undefined;
}

function checkSegments({ segments }: FolderContent, id: string, options: OpenQueueOptions): void {
  for (const { facts } of segments) {
    const path = `${options.folder}/${facts.name}`;
    const header = headerOf(options.files, path);
    if (header === undefined || header.queue === id) continue;
    throw new QueueRefused(
      `Cannot use the queue in ${options.folder}: ${path} belongs to another queue. Nothing was changed there`,
    );
  }
}

/** Takes away what a write that was cut off left behind the last entry. */
function cut(
  files: DiskFiles,
  folder: string,
  { damages, empty, segments, syncedSeq }: Survey,
): string[] {
  const quarantine = new Quarantine(files, folder);
  const notes: string[] = [];
  for (const path of empty) files.remove(path);
  // A segment without an entry may stand where the next one is to be.
  for (let last = segments.at(-1); last !== undefined && last.lastSeq < last.firstSeq;) {
    files.remove(last.path);
    segments.pop();
    last = segments.at(-1);
  }
  for (const { path, at, end, isTail } of damages) {
    // What an index says of a damaged segment is not true any more.
    const index = indexPath(path);
    if (files.facts(index) !== undefined) files.remove(index);
    if (!isTail || path !== segments.at(-1)?.path) continue;
    const fd = files.open(path, "write");
    try {
      // It was whole once.
      if (segments.at(-1)!.lastSeq < syncedSeq) quarantine.keep(path, fd, at, end);
      files.truncate(fd, at);
    } finally {
      files.close(fd);
    }
    notes.push(
      `Cut off the last ${end - at} bytes of ${path}, where a write had not come to its end`,
    );
  }
  return notes;
}

/** What a killed process wrote may still be in memory only: nothing is claimed before it is on the disk. */
async function settle(
  files: DiskFiles,
  folder: string,
  segments: readonly Segment[],
  syncedSeq: number,
): Promise<void> {
  const young = segments.filter(({ lastSeq }) => lastSeq > syncedSeq);
  for (const { path } of young) {
    const fd = files.open(path, "write");
    try {
      await files.sync(fd);
    } finally {
      files.close(fd);
    }
  }
  await files.syncFolder(folder);
  await files.syncFolder(folder.slice(0, folder.lastIndexOf("/")) || "/");
}

/** Without a cursor everything that is there waits. */
function cursorOf(
  found: CursorState | undefined,
  { segments, hasUnsafeGap }: Survey,
): CursorState {
  const [first, last] = [segments[0], segments.at(-1)];
  const lastSeq = last?.lastSeq ?? 0;
  const cursor = found ?? {
    doneSeq: (first?.firstSeq ?? 1) - 1,
    doneRecords: first?.firstRecord ?? 0,
    droppedSeq: 0,
    syncedSeq: 0,
    syncedRecords: 0,
    voidSeq: 0,
  };
  return {
    ...cursor,
    syncedSeq: Math.max(cursor.syncedSeq, lastSeq),
    syncedRecords: Math.max(cursor.syncedRecords, last?.endRecord ?? 0),
    voidSeq: hasUnsafeGap ? lastSeq : cursor.voidSeq,
  };
}
