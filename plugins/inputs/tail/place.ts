import { closeSync, readSync } from "node:fs";
import {
  type Fingerprint,
  fingerprint,
  HEAD_BYTES,
  headOf,
  isPrintOf,
  MARK_BYTES,
  NO_BYTES,
} from "./fingerprint.ts";
import { openForTail } from "./open-for-tail.ts";

/** Where reading stands in a file's content, and what the content is known by. */
export interface Place {
  /** Everything before it is done with, in bytes; of a compressed file, in bytes of what is in it. */
  readonly offset: number;
  /** The last bytes in front of the offset, up to 64; none where they are not known. */
  readonly mark: Fingerprint;
  /** The first bytes of the file, up to 1024: fewer as long as the file is shorter. */
  readonly head: Fingerprint;
  /** Reading stands in the rest of a line that was too long. */
  readonly inLongLine: boolean;
  /** The offset may lie inside a line of which nothing was emitted. */
  readonly mayBeInLine?: boolean | undefined;
  /**
   * Of a compressed file, which is known by its first bytes alone: how many of its bytes hold what lies before the
   * offset, or 0 when that is not known. Of another file `undefined`.
   */
  readonly packedBytes: number | undefined;
}

/** The start of a file of which nothing was seen. */
export const START: Place = {
  offset: 0,
  mark: NO_BYTES,
  head: NO_BYTES,
  inLongLine: false,
  packedBytes: undefined,
};

/** True when a place says enough to know its content by. */
export function isTelling({ head, mark }: Place): boolean {
  return head.bytes > 0 || mark.bytes > 0;
}

/** True when a content that begins like the place's is hardly another: not all that is known is part of a line. */
export function isSure({ offset, head }: Place): boolean {
  return head.bytes === HEAD_BYTES || (head.bytes > 0 && offset > 0);
}

/**
 * What lies in front of the place in an open file, up to 64 bytes, if the file has the place's content; otherwise
 * `undefined`: it was truncated or replaced, or is another.
 */
export function bytesBefore(fd: number, place: Place): Buffer | undefined {
  const { mark, head, packedBytes } = place;
  const end = packedBytes ?? place.offset;
  const length = Math.min(MARK_BYTES, end);
  const before = Buffer.alloc(length);
  if (length > 0 && readSync(fd, before, 0, length, end - length) < length) return undefined;
  if (mark.bytes > length || !isPrintOf(mark, before.subarray(length - mark.bytes))) {
    return undefined;
  }
  if (head.bytes === 0) return before;
  const start = headOf(fd);
  if (start.length < head.bytes) return undefined;
  return isPrintOf(head, start.subarray(0, head.bytes)) ? before : undefined;
}

/** Whether the file at a path has the place's content. False when it cannot be read. */
export function hasPlace(path: string, place: Place): boolean {
  try {
    return withOpen(path, (fd) => bytesBefore(fd, place) !== undefined);
  } catch {
    return false;
  }
}

/** The first bytes of the file at a path. Throws when it cannot be read. */
export function headPrintOf(path: string): Fingerprint {
  return withOpen(path, (fd) => fingerprint(headOf(fd)));
}

function withOpen<T>(path: string, call: (fd: number) => T): T {
  const fd = openForTail(path);
  try {
    return call(fd);
  } finally {
    closeSync(fd);
  }
}
