import { promisify } from "node:util";
import { gunzip, gzip, zstdCompress, zstdDecompress } from "node:zlib";

/** A compression of request bodies, both ways. */
export interface Compression {
  pack(bytes: Uint8Array): Promise<Uint8Array>;
  /** Rejects what this compression has not made, and what would become too large. */
  unpack(bytes: Uint8Array): Promise<Uint8Array>;
}

/** What is unpacked was packed here, and so was never larger than a payload with one huge record. */
const LIMITS = { maxOutputLength: 256 << 20 };

export const compressions: Readonly<Record<"gzip" | "zstd", Compression>> = {
  gzip: {
    pack: (bytes) => promisify(gzip)(bytes, { level: 1 }),
    unpack: (bytes) => promisify(gunzip)(bytes, LIMITS),
  },
  zstd: {
    pack: (bytes) => promisify(zstdCompress)(bytes),
    unpack: (bytes) => promisify(zstdDecompress)(bytes, LIMITS),
  },
};
