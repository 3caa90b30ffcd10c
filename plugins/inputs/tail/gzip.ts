import { closeSync, createReadStream, readSync } from "node:fs";
import { constants, createGunzip, gunzipSync } from "node:zlib";
import { openForTail } from "./open-for-tail.ts";

/** How far a compressed file was there to be read. */
export interface GzipEnd {
  /** False while the file stops in the middle: it is still being written, or was cut. */
  complete: boolean;
  /** Bytes of the compressed file that were read. */
  read: number;
}

/**
 * The decompressed bytes of an open `.gz` file, piece by piece; the descriptor is closed at the end. Throws when the
 * content is not gzip.
 */
export async function* gunzipChunks(
  fd: number,
  end: GzipEnd,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const source = createReadStream("", { fd, start: 0, highWaterMark: 64 * 1024 });
  const gunzip = createGunzip({ chunkSize: 64 * 1024 });
  source.on("error", (error) => gunzip.destroy(error));
  source.pipe(gunzip);
  const stop = () => gunzip.destroy();
  signal.addEventListener("abort", stop, { once: true });
  end.complete = false;
  try {
    for await (const chunk of gunzip) yield chunk as Buffer;
    end.complete = !signal.aborted;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (!signal.aborted && code !== "Z_BUF_ERROR" && code !== "ERR_STREAM_PREMATURE_CLOSE") {
      throw error;
    }
  } finally {
    end.read = source.bytesRead;
    signal.removeEventListener("abort", stop);
    source.destroy();
    gunzip.destroy();
  }
}

/** Compressed bytes that are read for the beginning of what is in a file. */
const BEGINNING_BYTES = 16 * 1024;

/** The beginning of what is in a `.gz` file; nothing where that cannot be read. */
export function beginningOf(path: string): Buffer {
  try {
    const fd = openForTail(path);
    try {
      const packed = Buffer.alloc(BEGINNING_BYTES);
      const read = readSync(fd, packed, 0, BEGINNING_BYTES, 0);
      return gunzipSync(packed.subarray(0, read), {
        finishFlush: constants.Z_SYNC_FLUSH,
        maxOutputLength: 64 * BEGINNING_BYTES,
      });
    } finally {
      closeSync(fd);
    }
  } catch {
    return Buffer.alloc(0);
  }
}
