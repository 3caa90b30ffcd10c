import { readSync } from "node:fs";

/** A run of bytes that is known again by its hash. */
export interface Fingerprint {
  readonly bytes: number;
  /** XXH3 of the bytes, 64 bits. */
  readonly hash: bigint;
}

/** Most bytes in front of a position that are remembered. */
export const MARK_BYTES = 64;
/** Most bytes at the start of a file that are remembered. */
export const HEAD_BYTES = 1024;
/** Of nothing: it is found everywhere. */
export const NO_BYTES: Fingerprint = { bytes: 0, hash: 0n };

export function fingerprint(bytes: Uint8Array): Fingerprint {
  if (bytes.length === 0) return NO_BYTES;
  return { bytes: bytes.length, hash: Bun.hash.xxHash3(bytes) };
}

/** Whether these very bytes are the ones. */
export function isPrintOf(print: Fingerprint, bytes: Uint8Array): boolean {
  if (print.bytes !== bytes.length) return false;
  return print.bytes === 0 || Bun.hash.xxHash3(bytes) === print.hash;
}

const scratch = Buffer.allocUnsafeSlow(HEAD_BYTES);

/** The first bytes of an open file, valid until the next call. */
export function headOf(fd: number): Buffer {
  return scratch.subarray(0, readSync(fd, scratch, 0, HEAD_BYTES, 0));
}
