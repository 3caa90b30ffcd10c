import { PermanentError } from "logcollector/plugin";
import { constants } from "node:fs";
import { type FileHandle, mkdir, open, realpath } from "node:fs/promises";
import { dirname } from "node:path";

export interface OpenOptions {
  /** Makes folders that are missing. */
  readonly mkdir: boolean;
  /** The folder that the file must lie in, links resolved, when a tag or a field named the file. */
  readonly confinedTo?: string | undefined;
}

/**
 * Opens a file to append to. A confined one is opened only if it is a regular file inside of its folder, by
 * whatever links the way leads: a record must not choose where else something is written.
 */
export async function openForAppend(path: string, options: OpenOptions): Promise<FileHandle> {
  const { confinedTo } = options;
  if (confinedTo === undefined) {
    return await openMaking(path, constants.O_NOCTTY, options.mkdir);
  }
  try {
    await checkFolder(dirname(path), confinedTo, options.mkdir);
    // Without O_NONBLOCK a named pipe in the file's place would hold this thread for ever.
    const flags = constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const file = await openMaking(path, flags, options.mkdir);
    await checkOpened(file, path, confinedTo).catch(async (error) => {
      await file.close();
      throw error;
    });
    return file;
  } catch (error) {
    // Any other record's file is fine, so this one must not hold them up by being tried for ever.
    const { code } = error as NodeJS.ErrnoException;
    if (code !== undefined && NEVER.has(code)) {
      throw new PermanentError(`Cannot write to ${JSON.stringify(path)}: ${code}`, {
        cause: error,
      });
    }
    throw error;
  }
}

/** A link in the file's place, a file in a folder's place or the other way round, a name that is too long. */
const NEVER = new Set(["ELOOP", "ENOTDIR", "EISDIR", "ENAMETOOLONG", "ENXIO"]);

async function openMaking(path: string, flags: number, makeFolders: boolean): Promise<FileHandle> {
  const all = flags | constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT;
  try {
    return await open(path, all, 0o666);
  } catch (error) {
    if (!makeFolders || (error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    await mkdir(dirname(path), { recursive: true, mode: 0o755 });
    return await open(path, all, 0o666);
  }
}

/** Checks the nearest folder that exists before any is made below it. */
async function checkFolder(folder: string, base: string, makeFolders: boolean): Promise<void> {
  if (makeFolders) await mkdir(base, { recursive: true, mode: 0o755 });
  const realBase = await realpath(base);
  for (let at = folder;; at = dirname(at)) {
    const real = await realpath(at).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT" && at !== base && at !== dirname(at)) return undefined;
      throw error;
    });
    if (real !== undefined) return requireInside(real, realBase, folder);
  }
}

/** The same question again for what was opened: somebody may have put a link there in the meantime. */
async function checkOpened(file: FileHandle, path: string, base: string): Promise<void> {
  if (!(await file.stat()).isFile()) {
    throw new PermanentError(`Cannot write to ${JSON.stringify(path)}: it is not a regular file`);
  }
  const real = await realpath(`/proc/self/fd/${file.fd}`).catch(() => realpath(path));
  requireInside(real, await realpath(base), path);
}

function requireInside(real: string, realBase: string, path: string): void {
  const prefix = realBase.endsWith("/") ? realBase : `${realBase}/`;
  if (real === realBase || real.startsWith(prefix)) return;
  throw new PermanentError(
    `Cannot write to ${JSON.stringify(path)}: a link leads out of ${JSON.stringify(realBase)}`,
  );
}
