import { promisify } from "node:util";

/** A compression of request bodies, both ways. */
export interface Compression {
  pack(bytes: Uint8Array): Promise<Uint8Array>;
  /** Rejects what this compression has not made, and what would become too large. */
  unpack(bytes: Uint8Array): Promise<Uint8Array>;
}

/** What is unpacked was packed here, and so was never larger than a payload with one huge record. */
const LIMITS = { maxOutputLength: 256 << 20 };

/** Loaded when it is first used: it takes memory. */
const zlib = () => require("node:zlib") as typeof import("node:zlib");

export const compressions: Readonly<Record<"gzip" | "zstd", Compression>> = {
  gzip: {
    pack: (bytes) => promisify(zlib().gzip)(bytes, { level: 1 }),
    unpack: (bytes) => promisify(zlib().gunzip)(bytes, LIMITS),
  },
  zstd: {
    pack: (bytes) => promisify(zlib().zstdCompress)(bytes),
    unpack: (bytes) => promisify(zlib().zstdDecompress)(bytes, LIMITS),
  },
};
