import type { DiskFiles, FileFacts } from "../../../src/buffer/disk/files.ts";
import type { Random } from "../../support/random.ts";

interface Content {
  bytes: Buffer;
  /** What a loss of power leaves at least. */
  durable: Buffer;
}

/** What an operation may meet. `short` writes a part and then says that the disk is full. */
export type DiskFault = "EIO" | "ENOSPC" | "EROFS" | "short";

/** The process that used these files has ended: whatever it still does changes nothing. */
export class Crashed extends Error {
  override readonly name = "Crashed";
}

/**
 * A file system in memory that keeps apart what is written and what is on the disk, fails when it is told to, and can
 * lose power: then of what was not synced any part may be there, in pages.
 */
export class FragileFiles implements DiskFiles {
  private files = new Map<string, Content>();
  private folders = new Set<string>();
  /** Names that are on the disk. */
  private durableNames = new Map<string, Content>();
  private open_ = new Map<number, Content>();
  private nextFd = 3;
  /** Asked before each change; a fault is thrown instead, or after a part. */
  fault: (operation: string, path: string) => DiskFault | undefined = () => undefined;
  /** Called before each change; may crash by throwing. */
  onChange: (operation: string) => void = () => undefined;
  isCrashed = false;
  uid = 1000;
  syncs = 0;

  list(folder: string): FileFacts[] {
    this.check("list", folder);
    const names = [...this.files.keys(), ...this.folders].filter((path) =>
      path.startsWith(`${folder}/`) && !path.slice(folder.length + 1).includes("/")
    );
    return names.map((path) => this.facts(path)!);
  }

  facts(path: string): FileFacts | undefined {
    const name = path.slice(path.lastIndexOf("/") + 1);
    if (this.folders.has(path)) return { name, kind: "folder", size: 0, uid: this.uid };
    const content = this.files.get(path);
    return content && { name, kind: "file", size: content.bytes.length, uid: this.uid };
  }

  makeFolder(path: string): void {
    for (let at = path; at.length > 1; at = at.slice(0, at.lastIndexOf("/"))) this.folders.add(at);
  }

  create(path: string): number {
    this.change("create", path);
    if (this.files.has(path)) throw failure("EEXIST", path);
    const content = { bytes: Buffer.alloc(0), durable: Buffer.alloc(0) };
    this.files.set(path, content);
    return this.opened(content);
  }

  open(path: string): number {
    this.check("open", path);
    const content = this.files.get(path);
    if (content === undefined) throw failure("ENOENT", path);
    return this.opened(content);
  }

  size(fd: number): number {
    return this.content(fd).bytes.length;
  }

  read(fd: number, into: Uint8Array, position: number): number {
    this.check("read", "");
    const { bytes } = this.content(fd);
    const part = bytes.subarray(position, position + into.length);
    into.set(part);
    return part.length;
  }

  write(fd: number, parts: readonly Uint8Array[], position: number): void {
    const content = this.content(fd);
    const data = Buffer.concat(parts);
    const fault = this.change("write", this.pathOf(content));
    if (fault !== undefined) {
      const part = Math.floor(data.length / 3);
      if (fault === "short") put(content, data.subarray(0, part), position);
      throw failure(fault === "short" ? "ENOSPC" : fault, this.pathOf(content));
    }
    put(content, data, position);
  }

  truncate(fd: number, size: number): void {
    const content = this.content(fd);
    this.change("truncate", this.pathOf(content));
    const bytes = Buffer.alloc(size);
    content.bytes.copy(bytes, 0, 0, size);
    content.bytes = bytes;
  }

  async sync(fd: number): Promise<void> {
    const content = this.content(fd);
    const copy = Buffer.from(content.bytes);
    this.syncs++;
    await Promise.resolve();
    // A file that was closed meanwhile is one that nobody can sync.
    this.content(fd);
    const fault = this.change("sync", this.pathOf(content));
    if (fault !== undefined) throw failure(fault, this.pathOf(content));
    content.durable = copy;
  }

  async syncFolder(path: string): Promise<void> {
    await Promise.resolve();
    const fault = this.change("syncFolder", path);
    if (fault !== undefined) throw failure(fault, path);
    for (const name of [...this.durableNames.keys()]) {
      if (name.startsWith(`${path}/`) && !this.files.has(name)) this.durableNames.delete(name);
    }
    for (const [name, content] of this.files) {
      if (name.startsWith(`${path}/`)) this.durableNames.set(name, content);
    }
  }

  close(fd: number): void {
    if (this.isCrashed) return;
    if (!this.open_.delete(fd)) throw failure("EBADF", String(fd));
  }

  rename(from: string, to: string): void {
    this.change("rename", from);
    const content = this.files.get(from);
    if (content === undefined) throw failure("ENOENT", from);
    this.files.delete(from);
    this.files.set(to, content);
  }

  remove(path: string): void {
    this.change("remove", path);
    if (!this.files.delete(path)) throw failure("ENOENT", path);
  }

  /** Descriptors that nobody gave back. */
  get openDescriptors(): number {
    return this.open_.size;
  }

  /** Paths and contents, for tests that damage something. */
  bytesOf(path: string): Buffer {
    return this.files.get(path)!.bytes;
  }

  get paths(): string[] {
    return [...this.files.keys()].sort();
  }

  put(path: string, bytes: Buffer): void {
    this.files.set(path, { bytes, durable: Buffer.from(bytes) });
  }

  /** The process is gone; what it wrote is all there. Returns the files as the next process finds them. */
  killed(): FragileFiles {
    this.isCrashed = true;
    const next = new FragileFiles();
    next.folders = new Set(this.folders);
    next.durableNames = new Map();
    const copies = new Map<Content, Content>();
    const copyOf = (content: Content): Content => {
      const copy = copies.get(content) ??
        { bytes: Buffer.from(content.bytes), durable: Buffer.from(content.durable) };
      copies.set(content, copy);
      return copy;
    };
    for (const [path, content] of this.files) next.files.set(path, copyOf(content));
    for (const [path, content] of this.durableNames) next.durableNames.set(path, copyOf(content));
    return next;
  }

  /** The machine lost its power: of what was not on the disk, and of names, any part may be there. */
  powerLost(random: Random): FragileFiles {
    const next = this.killed();
    const files = new Map<string, Content>();
    const paths = new Set([...next.files.keys(), ...next.durableNames.keys()]);
    for (const path of paths) {
      const now = next.files.get(path);
      const before = next.durableNames.get(path);
      // A change of names that was not synced may have happened or not.
      const content = random.below(2) === 0 ? now ?? undefined : before ?? undefined;
      const chosen = now === before ? now : content;
      if (chosen === undefined) continue;
      const bytes = mixed(chosen, random);
      files.set(path, { bytes, durable: Buffer.from(bytes) });
    }
    next.files = files;
    next.durableNames = new Map(files);
    return next;
  }

  private opened(content: Content): number {
    const fd = this.nextFd++;
    this.open_.set(fd, content);
    return fd;
  }

  private content(fd: number): Content {
    if (this.isCrashed) throw new Crashed();
    const content = this.open_.get(fd);
    if (content === undefined) throw failure("EBADF", String(fd));
    return content;
  }

  private pathOf(content: Content): string {
    return [...this.files].find(([, each]) => each === content)?.[0] ?? "";
  }

  private check(operation: string, path: string): void {
    if (this.isCrashed) throw new Crashed();
    const fault = this.fault(operation, path);
    if (fault !== undefined && operation !== "write" && !operation.startsWith("sync")) {
      throw failure(fault === "short" ? "ENOSPC" : fault, path);
    }
  }

  private change(operation: string, path: string): DiskFault | undefined {
    if (this.isCrashed) throw new Crashed();
    this.onChange(operation);
    if (this.isCrashed) throw new Crashed();
    const fault = this.fault(operation, path);
    if (fault === undefined) return undefined;
    if (operation === "write" || operation.startsWith("sync")) return fault;
    throw failure(fault === "short" ? "ENOSPC" : fault, path);
  }
}

const PAGE = 64;

/** The durable content, with any of the newer pages in it, and any length between the two. */
function mixed({ bytes, durable }: Content, random: Random): Buffer {
  const shorter = Math.min(bytes.length, durable.length);
  const longer = Math.max(bytes.length, durable.length);
  const size = random.below(3) === 0 ? shorter + random.below(longer - shorter + 1) : bytes.length;
  const result = Buffer.alloc(size);
  durable.copy(result, 0, 0, size);
  for (let at = 0; at < size; at += PAGE) {
    const end = Math.min(at + PAGE, size);
    const isNew = end > durable.length ||
      !bytes.subarray(at, end).equals(durable.subarray(at, end));
    if (isNew && at < bytes.length && random.below(3) > 0) bytes.copy(result, at, at, end);
  }
  return result;
}

function put(content: Content, data: Buffer, position: number): void {
  const size = Math.max(content.bytes.length, position + data.length);
  const bytes = size === content.bytes.length ? content.bytes : Buffer.alloc(size);
  if (bytes !== content.bytes) content.bytes.copy(bytes);
  data.copy(bytes, position);
  content.bytes = bytes;
}

function failure(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}
