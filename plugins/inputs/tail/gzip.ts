import { createReadStream } from "node:fs";
import { createGunzip } from "node:zlib";

/** How far a compressed file was there to be read. */
export interface GzipEnd {
  /** False while the file stops in the middle: it is still being written, or was cut. */
  complete: boolean;
  /** Bytes of the compressed file that were read. */
  read: number;
}

/** The decompressed bytes of a `.gz` file, piece by piece. Throws when the content is not gzip. */
export async function* gunzipChunks(
  path: string,
  end: GzipEnd,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const source = createReadStream(path, { highWaterMark: 64 * 1024 });
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
