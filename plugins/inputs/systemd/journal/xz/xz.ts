import { readLzma2, unpackLzma2 } from "./lzma2.ts";

const MAGIC = Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]);
const STREAM_HEADER_BYTES = 12;
const LZMA2 = 0x21;
const HAS_PACKED_SIZE = 0x40;
const HAS_UNPACKED_SIZE = 0x80;
const FILTERS = 0x03;
const RESERVED = 0x3c;
/** Bytes of the check behind a block, by its kind: none, CRC32, CRC64, SHA-256 and those to come. */
const CHECK_BYTES = [0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64];

/**
 * Unpacks an .xz file of blocks that are packed by LZMA2 alone, which is what journald writes. Its checks are not
 * looked at: journald writes none. Throws `SyntaxError` for anything else, and `RangeError` for what would come to
 * more than `limit` bytes.
 */
export function decompressXz(bytes: Buffer, limit: number): Buffer {
  if (bytes.length < STREAM_HEADER_BYTES || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) {
    throw new SyntaxError("Cannot unpack XZ: it does not begin as such");
  }
  const checkBytes = CHECK_BYTES[bytes[7]! & 0x0f]!;
  const blocks: Buffer[] = [];
  let left = limit;
  let at = STREAM_HEADER_BYTES;
  // A header of no size is the index, behind the last block.
  while (bytes[at] !== 0) {
    const stream = readLzma2(bytes, blockStart(bytes, at));
    left -= stream.unpackedBytes;
    if (left < 0) throw new RangeError(`Cannot unpack XZ: it comes to more than ${limit} bytes`);
    const out = Buffer.allocUnsafeSlow(stream.unpackedBytes);
    unpackLzma2(bytes, stream, out);
    blocks.push(out);
    at = Math.ceil(stream.end / 4) * 4 + checkBytes;
  }
  return blocks.length === 1 ? blocks[0]! : Buffer.concat(blocks);
}

/** Where the data of the block begins whose header is at this place. */
function blockStart(bytes: Buffer, at: number): number {
  const end = at + (bytes[at] ?? 0) * 4 + 4;
  if (end > bytes.length) throw new SyntaxError("Cannot unpack XZ: it ends too early");
  const flags = bytes[at + 1]!;
  let next = at + 2;
  if ((flags & HAS_PACKED_SIZE) !== 0) next = afterNumber(bytes, next);
  if ((flags & HAS_UNPACKED_SIZE) !== 0) next = afterNumber(bytes, next);
  if ((flags & (FILTERS | RESERVED)) !== 0 || bytes[next] !== LZMA2) {
    throw new SyntaxError("Cannot unpack XZ: it was packed by something else than LZMA2");
  }
  return end;
}

/** Numbers have 7 bits in a byte; the last byte is the one below 128. */
function afterNumber(bytes: Buffer, at: number): number {
  while ((bytes[at] ?? 0) >= 0x80) at++;
  return at + 1;
}
