import { createReadStream } from "node:fs";
import { createGunzip } from "node:zlib";

/**
 * The decompressed bytes of a `.gz` file, piece by piece. Ends early, without an error, where the file
 * does: it may still be being written. Throws when the content is not gzip.
 */
export async function* gunzipChunks(path: string, signal: AbortSignal): AsyncGenerator<Buffer> {
  const source = createReadStream(path, { highWaterMark: 64 * 1024 });
  const gunzip = createGunzip();
  source.on("error", (error) => gunzip.destroy(error));
  source.pipe(gunzip);
  const stop = () => gunzip.destroy();
  signal.addEventListener("abort", stop, { once: true });
  try {
    for await (const chunk of gunzip) yield chunk as Buffer;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (signal.aborted || code === "Z_BUF_ERROR" || code === "ERR_STREAM_PREMATURE_CLOSE") return;
    throw error;
  } finally {
    signal.removeEventListener("abort", stop);
    source.destroy();
    gunzip.destroy();
  }
}
