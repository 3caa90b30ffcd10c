import { crc32c } from "../../lib/crc32c.ts";
import type { DiskFiles } from "./files.ts";

/** How far a queue was emptied. */
export interface CursorState {
  /** Every entry up to this number is done with: delivered, dropped or a dead letter. */
  readonly doneSeq: number;
  /** Records in all those entries, since the queue was made. */
  readonly doneRecords: number;
  /** Entries up to this number may be missing because the queue's limit cost them: they were counted then. */
  readonly droppedSeq: number;
  /** Entries up to this number were known to be on the disk. */
  readonly syncedSeq: number;
  /** Records in all those entries, since the queue was made. */
  readonly syncedRecords: number;
  /** What entries up to this number say of how far streams got does not count: some in front of them are missing. */
  readonly voidSeq: number;
}

const SLOT_BYTES = 64;
/** Two slots that no write to the disk can damage at once. */
const SLOTS = [0, 4096];
const MAGIC = 0x3152_434c;

/**
 * A file with the cursor in two slots, written in turn: a write that is cut off leaves the other. It is in the page
 * cache at once, which a kill cannot undo.
 */
export class CursorFile {
  private readonly files: DiskFiles;
  private readonly fd: number;
  private readonly bytes = Buffer.alloc(SLOT_BYTES);
  private generation: number;
  readonly found: CursorState | undefined;

  private constructor(
    files: DiskFiles,
    fd: number,
    generation: number,
    found: CursorState | undefined,
  ) {
    this.files = files;
    this.fd = fd;
    this.generation = generation;
    this.found = found;
  }

  /** Makes the file when it is not there. `found` is `undefined` when it holds nothing that can be used. */
  static open(files: DiskFiles, path: string): CursorFile {
    if (files.facts(path) === undefined) {
      return new CursorFile(files, files.create(path), 0, undefined);
    }
    const fd = files.open(path, "write");
    const best = newest(files, fd);
    return new CursorFile(files, fd, best?.generation ?? 0, best?.state);
  }

  /** Reads a cursor without opening it for writing. */
  static peek(files: DiskFiles, path: string): CursorState | undefined {
    if (files.facts(path)?.kind !== "file") return undefined;
    const fd = files.open(path, "read");
    try {
      return newest(files, fd)?.state;
    } finally {
      files.close(fd);
    }
  }

  write(state: CursorState): void {
    const { doneSeq, doneRecords, droppedSeq, syncedSeq, syncedRecords, voidSeq } = state;
    const { bytes } = this;
    const generation = this.generation + 1;
    bytes.writeUInt32LE(MAGIC, 0);
    bytes.writeUInt32LE(generation >>> 0, 4);
    bytes.writeBigUInt64LE(BigInt(doneSeq), 8);
    bytes.writeBigUInt64LE(BigInt(doneRecords), 16);
    bytes.writeBigUInt64LE(BigInt(droppedSeq), 24);
    bytes.writeBigUInt64LE(BigInt(syncedSeq), 32);
    bytes.writeBigUInt64LE(BigInt(voidSeq), 40);
    bytes.writeBigUInt64LE(BigInt(syncedRecords), 48);
    bytes.writeUInt32LE(Math.floor(generation / 2 ** 32), 56);
    bytes.writeUInt32LE(crc32c(bytes.subarray(0, 60)), 60);
    this.files.write(this.fd, [bytes], SLOTS[generation % 2]!);
    this.generation = generation;
  }

  sync(): Promise<void> {
    return this.files.sync(this.fd);
  }

  close(): void {
    this.files.close(this.fd);
  }
}

interface Slot {
  readonly generation: number;
  readonly state: CursorState;
}

function newest(files: DiskFiles, fd: number): Slot | undefined {
  const slots = SLOTS.flatMap((at) => readSlot(files, fd, at) ?? []);
  return slots.sort((a, b) => b.generation - a.generation)[0];
}

function readSlot(files: DiskFiles, fd: number, at: number): Slot | undefined {
  const bytes = Buffer.alloc(SLOT_BYTES);
  if (files.read(fd, bytes, at) < SLOT_BYTES || bytes.readUInt32LE(0) !== MAGIC) return undefined;
  if (bytes.readUInt32LE(60) !== crc32c(bytes.subarray(0, 60))) return undefined;
  return {
    generation: bytes.readUInt32LE(4) + bytes.readUInt32LE(56) * 2 ** 32,
    state: {
      doneSeq: Number(bytes.readBigUInt64LE(8)),
      doneRecords: Number(bytes.readBigUInt64LE(16)),
      droppedSeq: Number(bytes.readBigUInt64LE(24)),
      syncedSeq: Number(bytes.readBigUInt64LE(32)),
      voidSeq: Number(bytes.readBigUInt64LE(40)),
      syncedRecords: Number(bytes.readBigUInt64LE(48)),
    },
  };
}
