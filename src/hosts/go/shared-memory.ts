import { closeSync, openSync, unlinkSync, writeSync } from "node:fs";
import { SHARED_BYTES } from "./protocol.ts";

/** Where the system keeps files in memory. */
const FOLDER = "/dev/shm";
/** Less is not worth the detour. */
const MIN_SIZE = 4096;

/**
 * Memory that the collector and a plugin's process both have, so that payloads need not be copied into the system
 * and out again: half the price of the way to the plugin. It has no name and ends with the two processes.
 */
export class SharedMemory {
  readonly fd: number;
  private bytes: Uint8Array | undefined;
  private isUsable = true;

  private constructor(fd: number) {
    this.fd = fd;
  }

  /** `undefined` where there is no such folder, or it is full. */
  static create(): SharedMemory | undefined {
    const path = `${FOLDER}/logcollector-${process.pid}-${crypto.randomUUID()}`;
    try {
      const fd = openSync(path, "wx+", 0o600);
      unlinkSync(path);
      return new SharedMemory(fd);
    } catch {
      return undefined;
    }
  }

  /** Puts the parts in, one behind the other. False when they are too large, or too small to be worth it. */
  put(parts: readonly Uint8Array[], size: number): boolean {
    if (size < MIN_SIZE || size > SHARED_BYTES) return false;
    const bytes = this.bytes ??= this.map();
    if (bytes === undefined) return false;
    let at = 0;
    for (const part of parts) {
      bytes.set(part, at);
      at += part.length;
    }
    return true;
  }

  close(): void {
    this.isUsable = false;
    this.bytes = undefined;
    closeSync(this.fd);
  }

  /** Not before it is needed. Written once, because memory that the folder has no room for would end the process. */
  private map(): Uint8Array | undefined {
    if (!this.isUsable) return undefined;
    try {
      const zeros = Buffer.alloc(SHARED_BYTES);
      for (let at = 0; at < SHARED_BYTES;) {
        at += writeSync(this.fd, zeros, at, SHARED_BYTES - at, at);
      }
      return Bun.mmap(`/proc/self/fd/${this.fd}`, { shared: true });
    } catch {
      this.isUsable = false;
      return undefined;
    }
  }
}
