import { HEADER, INCOMPATIBLE, MIN_HEADER_BYTES, SIGNATURE } from "./format.ts";
import { JournalError } from "./journal-error.ts";

/** What a file says of itself. */
export interface FileHeader {
  readonly isCompact: boolean;
  /** See `STATE_ONLINE`. */
  readonly state: number;
  readonly fileId: string;
  readonly machineId: string;
  /** Files with the same one count their entries together. */
  readonly seqnumId: string;
  readonly headerBytes: number;
  /** How long the file should be at least. */
  readonly endOffset: number;
  readonly entries: number;
  readonly headSeqnum: number;
  readonly tailSeqnum: number;
  /** Microseconds since the epoch; 0 without entries. */
  readonly headRealtimeUs: number;
  readonly tailRealtimeUs: number;
  /** Where the first entry array is; 0 without entries. */
  readonly entryArray: number;
}

const KNOWN_FLAGS = Object.values(INCOMPATIBLE).reduce((all, flag) => all | flag, 0);

/** Reads a header. Throws {@link JournalError} for what is none, or one that takes a newer reader. */
export function readFileHeader(bytes: Buffer): FileHeader {
  if (bytes.length < MIN_HEADER_BYTES) {
    throw new JournalError(
      "damaged",
      `it has ${bytes.length} bytes, and a header takes ${MIN_HEADER_BYTES}`,
    );
  }
  if (bytes.toString("latin1", 0, SIGNATURE.length) !== SIGNATURE) {
    throw new JournalError("not_a_journal", `it does not begin with ${SIGNATURE}`);
  }
  const flags = bytes.readUInt32LE(HEADER.incompatibleFlags);
  const unknown = (flags & ~KNOWN_FLAGS) >>> 0;
  if (unknown !== 0) {
    throw new JournalError(
      "unsupported",
      `it was written with features that this program does not know (incompatible flags 0x${
        unknown.toString(16)
      })`,
    );
  }
  const headerBytes = u64(bytes, HEADER.headerSize);
  if (headerBytes < MIN_HEADER_BYTES || headerBytes > 2 ** 20) {
    throw new JournalError("damaged", `it says that its header has ${headerBytes} bytes`);
  }
  return {
    isCompact: (flags & INCOMPATIBLE.compact) !== 0,
    state: bytes[HEADER.state]!,
    fileId: id(bytes, HEADER.fileId),
    machineId: id(bytes, HEADER.machineId),
    seqnumId: id(bytes, HEADER.seqnumId),
    headerBytes,
    endOffset: headerBytes + u64(bytes, HEADER.arenaSize),
    entries: u64(bytes, HEADER.entries),
    headSeqnum: u64(bytes, HEADER.headSeqnum),
    tailSeqnum: u64(bytes, HEADER.tailSeqnum),
    headRealtimeUs: u64(bytes, HEADER.headRealtime),
    tailRealtimeUs: u64(bytes, HEADER.tailRealtime),
    entryArray: u64(bytes, HEADER.entryArray),
  };
}

function u64(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 2 ** 32;
}

function id(bytes: Buffer, at: number): string {
  return bytes.toString("hex", at, at + 16);
}
