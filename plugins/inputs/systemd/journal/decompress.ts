import { COMPRESSION } from "./format.ts";
import { decompressLz4Block } from "./lz4-block.ts";
import type { FieldTrouble } from "./field-trouble.ts";
import { decompressXz } from "./xz/xz.ts";
import { zstdContentSize } from "./zstd-frame.ts";

/** No value is made larger than this, however small it was packed. */
export const MAX_UNPACKED_BYTES = 64 * 1024 * 1024;

/** Unpacks a payload. Returns why when that cannot be done; never throws. */
export function unpack(kind: number, packed: Buffer): Buffer | FieldTrouble {
  try {
    switch (kind) {
      case COMPRESSION.zstd:
        return unpackZstd(packed);
      case COMPRESSION.lz4:
        return unpackLz4(packed);
      case COMPRESSION.xz:
        return decompressXz(packed, MAX_UNPACKED_BYTES);
      default:
        return "damaged";
    }
  } catch (error) {
    // The runtime's own range errors are of reads behind the end.
    return error instanceof RangeError && !("code" in error) ? "too_large" : "damaged";
  }
}

/** The runtime knows no limit when it unpacks a frame, but the frame says how large it becomes. */
function unpackZstd(packed: Buffer): Buffer | FieldTrouble {
  const size = zstdContentSize(packed);
  if (size === undefined) return "damaged";
  if (size > MAX_UNPACKED_BYTES) return "too_large";
  return Buffer.from(Bun.zstdDecompressSync(packed));
}

/** The size of what was packed stands in front, in 8 bytes. */
function unpackLz4(packed: Buffer): Buffer | FieldTrouble {
  if (packed.length < 9) return "damaged";
  const size = packed.readUInt32LE(0) + packed.readUInt32LE(4) * 2 ** 32;
  if (size > MAX_UNPACKED_BYTES) return "too_large";
  return decompressLz4Block(packed.subarray(8), size);
}
