import { crc32c } from "../../lib/crc32c.ts";

/** The first bytes of a segment. */
export interface SegmentHeader {
  readonly version: number;
  /** The queue that the segment belongs to: 16 random bytes in hexadecimal. */
  readonly queue: string;
  /** Sequence number of the first entry. */
  readonly firstSeq: number;
  /** Records in all entries before the first, since the queue was made. */
  readonly firstRecord: number;
}

export const SEGMENT_HEADER_BYTES = 64;
export const FORMAT_VERSION = 1;
const MAGIC = Buffer.from("lcqueue\n");

/**
 * ```
 *  0 magic "lcqueue\n"   8 u32 version   12 u32 length of this header
 * 16 u64 first sequence number   24 u64 records before   32 queue id   48 zero   60 u32 CRC32C of the rest
 * ```
 */
export function encodeSegmentHeader(
  { queue, firstSeq, firstRecord }: Omit<SegmentHeader, "version">,
): Buffer {
  const bytes = Buffer.alloc(SEGMENT_HEADER_BYTES);
  MAGIC.copy(bytes);
  bytes.writeUInt32LE(FORMAT_VERSION, 8);
  bytes.writeUInt32LE(SEGMENT_HEADER_BYTES, 12);
  bytes.writeBigUInt64LE(BigInt(firstSeq), 16);
  bytes.writeBigUInt64LE(BigInt(firstRecord), 24);
  bytes.write(queue, 32, "hex");
  bytes.writeUInt32LE(crc32c(bytes.subarray(0, 60)), 60);
  return bytes;
}

/** `undefined` when these bytes are no header of ours, or are damaged. */
export function readSegmentHeader(bytes: Buffer): SegmentHeader | undefined {
  if (bytes.length < SEGMENT_HEADER_BYTES || bytes.compare(MAGIC, 0, 8, 0, 8) !== 0) {
    return undefined;
  }
  const version = bytes.readUInt32LE(8);
  // What a newer version puts where is not known; that it is one is enough to keep off.
  const intact = bytes.readUInt32LE(60) === crc32c(bytes.subarray(0, 60));
  if (!intact) return undefined;
  return {
    version,
    queue: bytes.toString("hex", 32, 48),
    firstSeq: Number(bytes.readBigUInt64LE(16)),
    firstRecord: Number(bytes.readBigUInt64LE(24)),
  };
}

/** Entries of another queue, or what a log line says, must not pass for ours: checksums begin with this. */
export function saltOf(queue: string): number {
  return crc32c(Buffer.from(queue, "hex"));
}

const NAME = /^(\d{16})\.seg$/;

/** Names sort as the sequence numbers do. */
export function segmentName(firstSeq: number): string {
  return `${String(firstSeq).padStart(16, "0")}.seg`;
}

/** The sequence number in a segment's name, or `undefined` for another name. */
export function seqOfName(name: string): number | undefined {
  const match = NAME.exec(name);
  return match === null ? undefined : Number(match[1]);
}
