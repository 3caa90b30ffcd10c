import type { Logger } from "logcollector/plugin";
import { randomBytes } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { lstat, readdir, rename, unlink, utimes } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";

export interface Rotation {
  readonly maxBytes: number;
  /** Moves the file aside. False when that failed: writing goes on in the same file. */
  rotate(path: string): Promise<boolean>;
  /** Resolves when files that were moved aside are compressed. */
  settled(): Promise<void>;
}

/** Moves a file that is full to `name.YYYYMMDD_HHMMSS_xxxxxxxx`, compresses it and keeps the newest ones. */
export function rotation(
  config: {
    readonly rotate_max_size: number;
    readonly rotate_max_files: number;
    readonly rotate_gzip: boolean;
  },
  log: Logger,
): Rotation {
  // One after the other, beside the writing: compressing a large file takes seconds.
  let settling: Promise<void> = Promise.resolve();
  const settle = async (path: string, rotated: string): Promise<void> => {
    try {
      if (config.rotate_gzip) await compress(rotated);
    } catch (error) {
      log.warn(`Kept ${rotated} uncompressed: ${(error as Error).message}`);
    }
    await removeOldest(path, config.rotate_max_files).catch((error: Error) =>
      log.warn(`Cannot remove old files of ${path}: ${error.message}`)
    );
  };
  return {
    maxBytes: config.rotate_max_size,
    async rotate(path) {
      const rotated = `${path}.${suffix(new Date())}`;
      try {
        await rename(path, rotated);
      } catch (error) {
        log.warn(`Cannot rotate ${path}: ${(error as Error).message}`);
        return false;
      }
      settling = settling.then(() => settle(path, rotated));
      return true;
    },
    settled: () => settling,
  };
}

function suffix(now: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const date = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`;
  const time = `${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`;
  return `${date}_${time}_${randomBytes(4).toString("hex")}`;
}

/**
 * Under another name until it is whole: whoever sees `.gz` may rely on it. It keeps the time of the file, by
 * which the oldest are found: others may have been moved aside since.
 */
async function compress(path: string): Promise<void> {
  const part = `${path}.gz.part`;
  try {
    const { mode, atime, mtime } = await lstat(path);
    await pipeline(
      createReadStream(path),
      createGzip({ level: 6 }),
      createWriteStream(part, { flags: "wx", mode: mode & 0o777 }),
    );
    await utimes(part, atime, mtime);
    await rename(part, `${path}.gz`);
  } catch (error) {
    await unlink(part).catch(() => undefined);
    throw error;
  }
  await unlink(path);
}

const ROTATED = /^\d{8}_\d{6}(_[0-9a-f]{8})?(\.gz|\.gz\.part)?$/i;

async function removeOldest(path: string, keep: number): Promise<void> {
  const folder = dirname(path);
  const prefix = `${basename(path)}.`;
  const found: { readonly path: string; readonly mtimeMs: number }[] = [];
  for (const name of await readdir(folder)) {
    if (!name.startsWith(prefix) || !ROTATED.test(name.slice(prefix.length))) continue;
    const candidate = join(folder, name);
    const stats = await lstat(candidate).catch(() => undefined);
    if (stats?.isFile()) found.push({ path: candidate, mtimeMs: stats.mtimeMs });
  }
  found.sort((a, b) => a.mtimeMs - b.mtimeMs || (a.path < b.path ? -1 : 1));
  for (const old of found.slice(0, Math.max(0, found.length - keep))) await unlink(old.path);
}
