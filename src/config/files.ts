import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, isAbsolute, join } from "node:path";

/** What reading a configuration needs of the file system, so that a test can give it texts. */
export interface ConfigFiles {
  /** The file's text. Throws when it cannot be read. */
  read(path: string): string;
  exists(path: string): boolean;
  /** Files that match, sorted. `*`, `?`, `[…]` and `**` are understood. */
  glob(pattern: string): string[];
  /** The names in a folder, sorted; `undefined` when it is none. */
  list(path: string): string[] | undefined;
}

const MAX_BYTES = 8 * 1024 * 1024;
const MAX_GLOB_FILES = 1000;

export const systemFiles: ConfigFiles = {
  read(path) {
    // A device or a pipe has no size, and would be read for ever.
    const status = statSync(path);
    if (status.isDirectory()) throw new Error("it is a directory");
    if (status.size > MAX_BYTES) throw new Error(`it is larger than ${MAX_BYTES / 1024 ** 2} MiB`);
    return readFileSync(path, "utf8");
  },
  exists(path) {
    return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
  },
  glob(pattern) {
    const { folder, rest } = splitGlob(pattern);
    if (rest === "") return [pattern];
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
    const found: string[] = [];
    // To Bun a link is no file, and in a mounted ConfigMap all files are links.
    for (const path of new Bun.Glob(rest).scanSync({ cwd: folder, dot: false, onlyFiles: false })) {
      if (!systemFiles.exists(join(folder, path))) continue;
      found.push(join(folder, path));
      if (found.length >= MAX_GLOB_FILES) break;
    }
    return found.sort();
  },
  list(path) {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return undefined;
    return readdirSync(path).sort().slice(0, MAX_GLOB_FILES);
  },
};

export function isGlob(path: string): boolean {
  return /[*?[\]{}]/.test(path);
}

/** The part of a pattern that is plain, and the rest. */
function splitGlob(pattern: string): { folder: string; rest: string } {
  let folder = pattern;
  const rest: string[] = [];
  while (isGlob(folder)) {
    rest.unshift(basename(folder));
    folder = dirname(folder);
  }
  return { folder, rest: rest.join("/") };
}

/** A path in a configuration file is relative to that file. */
export function besideFile(file: string, path: string): string {
  return isAbsolute(path) ? path : join(dirname(file), path);
}

/** Why a file cannot be read, in a few words. */
export function readFailure(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: "it does not exist",
    EACCES: "permission denied",
    EISDIR: "it is a directory",
    ENOTDIR: "a part of the path is not a directory",
  };
  return reasons[code ?? ""] ?? message ?? "unknown reason";
}
