import { type Dirent, lstatSync, readdirSync, type Stats, statSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { identityOf } from "./file-identity.ts";
import type { PathPattern, Segment } from "./path-pattern.ts";
import type { Step } from "./step-work.ts";

/** A regular file that a pattern found. Symbolic links are followed. */
export interface FoundFile {
  readonly path: string;
  readonly stat: Stats;
}

export interface ScanResult {
  readonly files: FoundFile[];
  /** Every folder that was looked into, for watches. */
  readonly folders: Set<string>;
  /** Folders and files that could not be looked at, with the error's code. */
  readonly denied: Map<string, string>;
  /** Patterns that name so many paths that looking for more was given up, with the names looked at. */
  readonly cut: Map<string, number>;
  /** Patterns that find more files than may be followed, with the number of names left alone. */
  readonly leftAlone: Map<string, number>;
  /** Links without a target: it may come in a folder that nobody looks into. */
  dangling: number;
}

export interface ScanOptions {
  readonly excluded: (path: string) => boolean;
  /** Names looked at for each pattern, at most. */
  readonly maxNames: number;
  /** Files that are not followed yet, at most; their paths count, so that a successor is always found. */
  readonly maxNew: number;
  /** A file that was found under this path is followed. */
  readonly isFollowed: (path: string) => boolean;
}

/** After so many names others have a turn, if the time is up. */
const NAMES_PER_STEP = 64;
/** A folder whose list of names is larger than this is read beside everything else, in bytes. */
const LARGE_FOLDER_BYTES = 256 * 1024;

interface Scan extends ScanResult {
  readonly options: ScanOptions;
  /** The pattern that is looked up, and the names looked at for it. */
  pattern: PathPattern;
  names: number;
  isCut: boolean;
  /** Paths that were taken, where another pattern may find them too. */
  readonly seen: Set<string> | undefined;
  /** Identities of files that are not followed yet. */
  readonly fresh: Set<string>;
}

/** Finds all regular files that the patterns name. A path that two patterns find is there once. */
export function* scanPatterns(
  patterns: readonly PathPattern[],
  options: ScanOptions,
): Generator<Step, ScanResult> {
  const scan: Scan = {
    options,
    files: [],
    folders: new Set(),
    denied: new Map(),
    cut: new Map(),
    leftAlone: new Map(),
    dangling: 0,
    pattern: patterns[0]!,
    names: 0,
    isCut: false,
    seen: patterns.length > 1 ? new Set() : undefined,
    fresh: new Set(),
  };
  for (const pattern of patterns) {
    Object.assign(scan, { pattern, names: 0, isCut: false });
    yield* walk(scan, pattern.root, [0]);
    if (scan.isCut) scan.cut.set(pattern.source, options.maxNames);
  }
  return scan;
}

/** Looks in a folder for what the pattern's segments with these numbers name. Each folder is read once. */
function* walk(scan: Scan, folder: string, from: readonly number[]): Generator<Step, void> {
  const { segments } = scan.pattern;
  scan.folders.add(folder);
  const wanted = withFurther(segments, from);
  const isListed = wanted.some((at) => literalOf(segments[at]!) === undefined);
  const entries = isListed ? yield* entriesOf(scan, folder) : undefined;
  if (entries === undefined) return yield* walkLiterals(scan, folder, wanted);
  for (const entry of entries) {
    if (count(scan)) yield;
    if (scan.isCut) return;
    const path = join(folder, entry.name);
    const next = look(scan, path, entry, wanted);
    if (next.length > 0) yield* walk(scan, path, next);
  }
}

/** Names without wildcards need no list of what is in the folder, which may be one that cannot be read. */
function* walkLiterals(
  scan: Scan,
  folder: string,
  wanted: readonly number[],
): Generator<Step, void> {
  const { segments } = scan.pattern;
  for (const at of wanted) {
    const literal = literalOf(segments[at]!);
    if (literal === undefined) continue;
    if (count(scan)) yield;
    const path = join(folder, literal);
    if (at === segments.length - 1) addFile(scan, path);
    else yield* walk(scan, path, [at + 1]);
  }
}

/** `**` may stand for no folder at all: what comes behind it is looked for in the same one. */
function withFurther(segments: readonly Segment[], from: readonly number[]): readonly number[] {
  const all = new Set(from);
  for (const at of all) {
    if (segments[at]!.kind === "any" && at < segments.length - 1) all.add(at + 1);
  }
  return [...all];
}

/** Takes what is a file; returns the segments to look for in what is a folder. */
function look(scan: Scan, path: string, entry: Dirent, wanted: readonly number[]): number[] {
  const { segments } = scan.pattern;
  const next: number[] = [];
  let isFound = false;
  for (const at of wanted) {
    const segment = segments[at]!;
    const isLast = at === segments.length - 1;
    if (segment.kind === "any") {
      if (entry.name.startsWith(".")) continue;
      // It goes into real folders only: a link to a folder above would never end.
      if (entry.isDirectory()) next.push(at);
      else if (isLast) isFound = true;
    } else if (segment.matches(entry.name)) {
      if (isLast) isFound = true;
      else if (isFolder(entry, path) && !next.includes(at + 1)) next.push(at + 1);
    }
  }
  if (isFound) addFile(scan, path);
  return next;
}

/** One more name. Returns true when it is time for a pause. */
function count(scan: Scan): boolean {
  if (++scan.names > scan.options.maxNames) scan.isCut = true;
  return scan.names % NAMES_PER_STEP === 0;
}

function* entriesOf(scan: Scan, folder: string): Generator<Step, Dirent[] | undefined> {
  try {
    if (statSync(folder).size < LARGE_FOLDER_BYTES) {
      return readdirSync(folder, { withFileTypes: true });
    }
  } catch (error) {
    return note(scan, folder, error);
  }
  let entries: Dirent[] | undefined;
  yield readdir(folder, { withFileTypes: true }).then(
    (all) => void (entries = all),
    (error) => note(scan, folder, error),
  );
  return entries;
}

function isFolder(entry: Dirent, path: string): boolean {
  if (entry.isDirectory()) return true;
  if (!entry.isSymbolicLink()) return false;
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

function addFile(scan: Scan, path: string): void {
  const { fresh, options, seen } = scan;
  if (seen?.has(path) || options.excluded(path)) return;
  const isFollowed = options.isFollowed(path);
  if (!isFollowed && fresh.size >= options.maxNew) return leaveAlone(scan);
  seen?.add(path);
  try {
    const stat = statSync(path);
    // Pipes, devices and folders that match are passed over: opening one could block or never end.
    if (!stat.isFile()) return;
    if (!isFollowed) fresh.add(identityOf(stat));
    scan.files.push({ path, stat });
  } catch (error) {
    note(scan, path, error);
    if (isLink(path)) scan.dangling++;
  }
}

function isLink(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
  } catch {
    return false;
  }
}

function leaveAlone({ leftAlone, pattern: { source } }: Scan): void {
  leftAlone.set(source, (leftAlone.get(source) ?? 0) + 1);
}

function note(scan: Scan, path: string, error: unknown): undefined {
  const code = (error as NodeJS.ErrnoException).code ?? "unknown";
  if (code !== "ENOENT" && code !== "ENOTDIR") scan.denied.set(path, code);
}

function literalOf(segment: Segment): string | undefined {
  return segment.kind === "name" ? segment.literal : undefined;
}

function join(folder: string, name: string): string {
  if (folder === ".") return name;
  return folder.endsWith("/") ? folder + name : `${folder}/${name}`;
}
