import { readdirSync, statSync } from "node:fs";
import type { Dirent, Stats } from "node:fs";
import type { PathPattern, Segment } from "./path-pattern.ts";

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
  /** The scan looked at as many names as it may and stopped. */
  readonly cut: boolean;
}

/** Names looked at in one scan; more than that means a pattern that is too wide. */
const MAX_NAMES = 1_000_000;

interface Scan extends ScanResult {
  names: number;
  cut: boolean;
  readonly seen: Set<string>;
  readonly excluded: (path: string) => boolean;
}

/** Finds all regular files that the patterns name. A path that two patterns find is there once. */
export function scanPatterns(
  patterns: readonly PathPattern[],
  excluded: (path: string) => boolean,
): ScanResult {
  const scan: Scan = {
    files: [],
    folders: new Set(),
    denied: new Map(),
    cut: false,
    names: 0,
    seen: new Set(),
    excluded,
  };
  for (const pattern of patterns) walk(scan, pattern.root, pattern.segments, 0);
  return scan;
}

function walk(scan: Scan, folder: string, segments: readonly Segment[], at: number): void {
  const segment = segments[at]!;
  const last = at === segments.length - 1;
  if (segment.kind === "name" && segment.literal !== undefined) {
    scan.folders.add(folder);
    const path = join(folder, segment.literal);
    if (last) addFile(scan, path);
    else walk(scan, path, segments, at + 1);
    return;
  }
  if (segment.kind === "any" && !last) walk(scan, folder, segments, at + 1);
  for (const entry of entriesOf(scan, folder)) {
    if (scan.cut) return;
    const path = join(folder, entry.name);
    if (segment.kind === "any") walkAny(scan, path, entry, segments, at, last);
    else if (segment.matches(entry.name)) {
      if (last) addFile(scan, path);
      else if (isFolder(entry, path)) walk(scan, path, segments, at + 1);
    }
  }
}

/** `**` goes into real folders only: a link to a folder above would never end. */
function walkAny(
  scan: Scan,
  path: string,
  entry: Dirent,
  segments: readonly Segment[],
  at: number,
  last: boolean,
): void {
  if (entry.name.startsWith(".")) return;
  if (entry.isDirectory()) walk(scan, path, segments, at);
  else if (last) addFile(scan, path);
}

function entriesOf(scan: Scan, folder: string): Dirent[] {
  scan.folders.add(folder);
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    scan.names += entries.length;
    if (scan.names > MAX_NAMES) scan.cut = true;
    return entries;
  } catch (error) {
    note(scan, folder, error);
    return [];
  }
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
  if (scan.seen.has(path) || scan.excluded(path)) return;
  scan.seen.add(path);
  try {
    const stat = statSync(path);
    // Pipes, devices and folders that match are passed over: opening one could block or never end.
    if (stat.isFile()) scan.files.push({ path, stat });
  } catch (error) {
    note(scan, path, error);
  }
}

function note(scan: Scan, path: string, error: unknown): void {
  const code = (error as NodeJS.ErrnoException).code ?? "unknown";
  if (code !== "ENOENT" && code !== "ENOTDIR") scan.denied.set(path, code);
}

function join(folder: string, name: string): string {
  if (folder === ".") return name;
  return folder.endsWith("/") ? folder + name : `${folder}/${name}`;
}
