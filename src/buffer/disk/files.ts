import {
  closeSync,
  constants,
  fdatasync,
  fstatSync,
  fsync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  unlinkSync,
  writeSync,
  writevSync,
} from "node:fs";

/** What is known of a name in a folder. */
export interface FileFacts {
  readonly name: string;
  readonly kind: "file" | "folder" | "link" | "other";
  readonly size: number;
  readonly uid: number;
}

/**
 * What the disk queue needs of a file system. Everything but waiting for the disk is synchronous: it goes to the
 * page cache. All functions throw what the system says, with its `code`.
 */
export interface DiskFiles {
  /** The names in a folder, in no order. Links are not followed. */
  list(folder: string): FileFacts[];
  facts(path: string): FileFacts | undefined;
  makeFolder(path: string): void;
  /** Makes a file that must not be there yet, for writing and reading. */
  create(path: string): number;
  /** Opens a file that is there; a link is refused. */
  open(path: string, access: "read" | "write"): number;
  size(fd: number): number;
  /** Returns how much was read: less at the end of the file. */
  read(fd: number, into: Uint8Array, position: number): number;
  /** Writes all of it, or throws; then some of it may be there. */
  write(fd: number, parts: readonly Uint8Array[], position: number): void;
  truncate(fd: number, size: number): void;
  /** Resolves when the file's content is on the disk. */
  sync(fd: number): Promise<void>;
  /** Resolves when the names in a folder are on the disk. */
  syncFolder(path: string): Promise<void>;
  close(fd: number): void;
  rename(from: string, to: string): void;
  remove(path: string): void;
}

const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;
const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_RDONLY, O_RDWR } = constants;

/** The real file system. */
export const systemDiskFiles: DiskFiles = {
  list: (folder) =>
    readdirSync(folder).flatMap((name) => systemDiskFiles.facts(`${folder}/${name}`) ?? []),
  facts(path) {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return undefined;
    const kind = stat.isFile()
      ? "file"
      : stat.isDirectory()
      ? "folder"
      : stat.isSymbolicLink()
      ? "link"
      : "other";
    return { name: path.slice(path.lastIndexOf("/") + 1), kind, size: stat.size, uid: stat.uid };
  },
  makeFolder: (path) => void mkdirSync(path, { recursive: true, mode: FOLDER_MODE }),
  create: (path) => openSync(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, FILE_MODE),
  open: (path, access) =>
    openSync(path, (access === "write" ? O_RDWR : O_RDONLY) | O_NOFOLLOW, FILE_MODE),
  size: (fd) => fstatSync(fd).size,
  read: (fd, into, position) => readSync(fd, into, 0, into.length, position),
  write: writeAll,
  truncate: (fd, size) => ftruncateSync(fd, size),
  sync: (fd) =>
    new Promise((resolve, reject) => fdatasync(fd, (error) => error ? reject(error) : resolve())),
  async syncFolder(path) {
    const fd = openSync(path, O_RDONLY | O_DIRECTORY);
    try {
      await new Promise<void>((resolve, reject) =>
        fsync(fd, (error) => error ? reject(error) : resolve())
      );
    } finally {
      closeSync(fd);
    }
  },
  close: (fd) => closeSync(fd),
  rename: (from, to) => renameSync(from, to),
  remove: (path) => unlinkSync(path),
};

function writeAll(fd: number, parts: readonly Uint8Array[], position: number): void {
  const total = parts.reduce((sum, part) => sum + part.length, 0);
  let done = parts.length === 1
    ? writeSync(fd, parts[0]!, 0, total, position)
    : writevSync(fd, parts as Uint8Array[], position);
  if (done === total) return;
  // A full disk takes what fits, and says what is wrong only when it is asked again.
  const rest = Buffer.concat(parts);
  while (done < total) {
    const written = writeSync(fd, rest, done, total - done, position + done);
    if (written === 0) throw Object.assign(new Error("nothing more was written"), { code: "EIO" });
    done += written;
  }
}
