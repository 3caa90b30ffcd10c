import type { FileIdentity } from "./file-identity.ts";
import { type Fingerprint, HEAD_BYTES, MARK_BYTES, NO_BYTES } from "./fingerprint.ts";
import type { Place } from "./place.ts";

/** What is kept of a file over restarts. */
export interface Position {
  readonly file: FileIdentity;
  readonly place: Place;
  /** It was renamed or deleted, read to its end and given up. */
  readonly isDone: boolean;
  /** It was deleted, so that nobody will find it again. */
  readonly isDeleted: boolean;
  /** When the file was last seen, in seconds since 1970. */
  readonly seenSec: number;
}

const VERSION = 1;

/** The form on disk: short names, and nothing that has its usual value. Hashes are hexadecimal text. */
interface Written {
  v: number;
  path: string;
  home?: string | undefined;
  dev?: number | undefined;
  ino: number;
  born?: number | undefined;
  before?: number | undefined;
  since?: number | undefined;
  at: number;
  mark?: [bytes: number, hash: string] | undefined;
  head?: [bytes: number, hash: string] | undefined;
  long?: true | undefined;
  inside?: true | undefined;
  packed?: number | undefined;
  done?: true | undefined;
  deleted?: true | undefined;
  seen: number;
}

/** The position as compact JSON. */
export function writePosition({ file, place, isDone, isDeleted, seenSec }: Position): string {
  const written: Written = {
    v: VERSION,
    path: file.path,
    home: file.home === file.path ? undefined : file.home,
    dev: file.dev,
    ino: file.ino,
    born: file.birthMs || undefined,
    before: file.madeBeforeMs,
    since: file.sinceMs,
    at: place.offset,
    mark: writePrint(place.mark),
    head: writePrint(place.head),
    long: place.inLongLine || undefined,
    inside: place.mayBeInLine || undefined,
    packed: place.packedBytes,
    done: isDone || undefined,
    deleted: isDeleted || undefined,
    seen: seenSec,
  };
  return JSON.stringify(written);
}

/** Reads what {@link writePosition} wrote. Throws SyntaxError that says what is wrong with the text. */
export function readPosition(text: string): Position {
  const from: Partial<Written> | null = JSON.parse(text);
  if (from?.v !== VERSION) throw new SyntaxError(`version is ${from?.v}, expected ${VERSION}`);
  const { path, home = path, dev } = from;
  if (typeof path !== "string" || typeof home !== "string") {
    throw new SyntaxError("path is missing");
  }
  return {
    file: {
      path,
      home,
      dev: dev === undefined ? undefined : count(dev, "dev"),
      ino: count(from.ino, "ino"),
      birthMs: from.born === undefined ? 0 : time(from.born, "born"),
      madeBeforeMs: from.before === undefined ? undefined : time(from.before, "before"),
      sinceMs: from.since === undefined ? undefined : time(from.since, "since"),
    },
    place: {
      offset: count(from.at, "at"),
      mark: readPrint(from.mark, MARK_BYTES, "mark"),
      head: readPrint(from.head, HEAD_BYTES, "head"),
      inLongLine: from.long === true,
      mayBeInLine: from.inside === true,
      packedBytes: from.packed === undefined ? undefined : count(from.packed, "packed"),
    },
    isDone: from.done === true,
    isDeleted: from.deleted === true,
    seenSec: time(from.seen, "seen"),
  };
}

function writePrint({ bytes, hash }: Fingerprint): [number, string] | undefined {
  return bytes === 0 ? undefined : [bytes, hash.toString(16)];
}

function readPrint(value: unknown, mostBytes: number, name: string): Fingerprint {
  if (value === undefined) return NO_BYTES;
  const [bytes, hash] = Array.isArray(value) ? value : [];
  if (count(bytes, name) > mostBytes || !/^[\da-f]{1,16}$/.test(hash)) {
    throw new SyntaxError(`${name} is ${JSON.stringify(value)}`);
  }
  return { bytes, hash: BigInt(`0x${hash}`) };
}

/** A whole number from 0 up. */
function count(value: unknown, name: string): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  // The numbers of files may be larger than what is exact, as long as they come out the same each time.
  if (name === "ino" && typeof value === "number" && value > 0) return value;
  throw new SyntaxError(`${name} is ${JSON.stringify(value)}`);
}

function time(value: unknown, name: string): number {
  if (typeof value === "number" && value >= 0) return value;
  throw new SyntaxError(`${name} is ${JSON.stringify(value)}`);
}
