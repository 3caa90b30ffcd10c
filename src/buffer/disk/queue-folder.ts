import { crc32c } from "../../lib/crc32c.ts";
import type { DiskFiles, FileFacts } from "./files.ts";
import { FORMAT_VERSION, seqOfName } from "./segment-header.ts";

/** What a queue's folder says about itself, in `queue.json`. */
export interface QueueIdentity {
  /** 16 random bytes in hexadecimal. */
  readonly id: string;
  readonly output: string;
  readonly plugin: string;
  /** The form of the payloads. */
  readonly format: string;
}

/** A queue's folder holds what this program would not have put there, or cannot deal with: it is left alone. */
export class QueueRefused extends Error {
  override readonly name = "QueueRefused";
}

export const IDENTITY_FILE = "queue.json";
export const CURSOR_FILE = "cursor";
export const QUARANTINE_FOLDER = "damaged";
/** A file that takes the place of others is written under such a name first. */
export const TEMPORARY = /^\d{16}\.tmp$/;

/**
 * The name of a queue's folder. What waits is in an output's own form, so another plugin under the same id, or
 * another form, has another queue; the old one is there again when the configuration is.
 */
export function queueFolderName({ output, plugin, format }: Omit<QueueIdentity, "id">): string {
  const whole = [output, plugin, ...(format === "" ? [] : [format])].map(safeName).join("@");
  if (whole.length <= MAX_NAME_CHARS) return whole;
  const digest = crc32c(Buffer.from(whole)).toString(16).padStart(8, "0");
  return `${whole.slice(0, MAX_NAME_CHARS - 9)}-${digest}`;
}

const MAX_NAME_CHARS = 200;

/** The name of the folder in which a worker of this number has the queue; the main thread, which is 0, has the plain one. */
export function shardFolderName(name: string, shard: number): string {
  return shard === 0 ? name : `${name}+${shard}`;
}

/** What {@link shardFolderName} made a name of. */
export function shardOfFolder(
  folderName: string,
): { readonly name: string; readonly shard: number } {
  const [, name = folderName, shard = "0"] = /^(.*)\+(\d{1,3})$/.exec(folderName) ?? [];
  return { name, shard: Number(shard) };
}

/** A name of a file for any text: letters, digits, `_`, `-` and dots that do not come first stay; everything else becomes `%` and its bytes. */
export function safeName(text: string): string {
  return text.replace(
    /^\.|[^\w.-]/gu,
    (char) =>
      [...Buffer.from(char)].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join(""),
  );
}

export interface FolderContent {
  readonly identity: QueueIdentity | undefined;
  /** Segments by their first sequence number, the oldest first. */
  readonly segments: readonly { readonly seq: number; readonly facts: FileFacts }[];
  /** Left behind by a crash; of no use. */
  readonly leftovers: readonly string[];
}

/**
 * Looks a queue's folder over and changes nothing. Throws {@link QueueRefused} for whatever is not a queue of this
 * version, made by this user: a foreign file, a link, another owner.
 */
export function lookOver(files: DiskFiles, folder: string, uid: number): FolderContent {
  const own = files.facts(folder);
  if (own !== undefined && own.kind !== "folder") {
    throw refused(folder, `it is a ${own.kind}, not a folder`);
  }
  const segments: { seq: number; facts: FileFacts }[] = [];
  const leftovers: string[] = [];
  let identity: QueueIdentity | undefined;
  for (const facts of own === undefined ? [] : files.list(folder)) {
    const { name } = facts;
    checkOne(folder, facts, uid);
    const seq = seqOfName(name);
    if (seq !== undefined) segments.push({ seq, facts });
    else if (TEMPORARY.test(name)) leftovers.push(name);
    else if (name === IDENTITY_FILE) {
      identity = readIdentity(files, `${folder}/${name}`, facts.size);
    }
  }
  segments.sort((a, b) => a.seq - b.seq);
  return { identity, segments, leftovers };
}

function checkOne(folder: string, { name, kind, uid: owner }: FileFacts, uid: number): void {
  const path = `${folder}/${name}`;
  if (kind === "link") throw refused(folder, `${path} is a symbolic link`);
  const expected = name === QUARANTINE_FOLDER
    ? "folder"
    : name === IDENTITY_FILE || name === CURSOR_FILE || TEMPORARY.test(name) ||
        /^\d{16}\.(seg|idx)$/.test(name)
    ? "file"
    : undefined;
  if (expected === undefined) throw refused(folder, `${path} does not belong to a queue`);
  if (kind !== expected) throw refused(folder, `${path} is no ${expected}`);
  if (owner !== uid) {
    throw refused(
      folder,
      `${path} belongs to user ${owner}, and this process runs as user ${uid}; chown the folder`,
    );
  }
}

function refused(folder: string, reason: string): QueueRefused {
  return new QueueRefused(
    `Cannot use the queue in ${folder}: ${reason}. Nothing was changed there`,
  );
}

/** `undefined` when the file is damaged: what it says can be had from the segments and the configuration. */
function readIdentity(files: DiskFiles, path: string, size: number): QueueIdentity | undefined {
  const fd = files.open(path, "read");
  let value: Partial<QueueIdentity> & { version?: unknown };
  try {
    const bytes = Buffer.alloc(Math.min(size, 64 * 1024));
    value = JSON.parse(bytes.toString("utf8", 0, files.read(fd, bytes, 0)));
  } catch {
    return undefined;
  } finally {
    files.close(fd);
  }
  if (typeof value?.version === "number" && value.version > FORMAT_VERSION) {
    throw refused(
      path.slice(0, path.lastIndexOf("/")),
      `it was written by a newer version of this program (format ${value.version}, known is ${FORMAT_VERSION})`,
    );
  }
  const { id, output, plugin, format } = value ?? {};
  const isWhole = /^[0-9a-f]{32}$/.test(id ?? "") &&
    [output, plugin, format].every((each) => typeof each === "string");
  return isWhole ? { id, output, plugin, format } as QueueIdentity : undefined;
}

/** Resolves when it is on the disk: without it, damage to a segment's header would cost all that is in it. */
export async function writeIdentity(
  files: DiskFiles,
  folder: string,
  identity: QueueIdentity,
): Promise<void> {
  const path = `${folder}/${IDENTITY_FILE}`;
  const temporary = `${folder}/${"0".repeat(16)}.tmp`;
  const fd = files.create(temporary);
  try {
    const text = `${JSON.stringify({ version: FORMAT_VERSION, ...identity }, null, 2)}\n`;
    files.write(fd, [Buffer.from(text)], 0);
    await files.sync(fd);
  } finally {
    files.close(fd);
  }
  files.rename(temporary, path);
  await files.syncFolder(folder);
}
