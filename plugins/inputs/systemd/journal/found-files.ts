import { type Dirent, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";

/** A file that looks like a journal by its name. */
export interface FoundFile {
  readonly path: string;
  /** `device:inode`. */
  readonly identity: string;
}

export interface FindOptions {
  /** Folders of journals, or of such folders, and single files. Without any the machine's own are looked for. */
  readonly paths: readonly string[];
  /** Of a namespace, all with `*`, or those without one. */
  readonly namespace: string | undefined;
}

/** Where journald keeps journals over restarts of the machine, and where it does not. */
const HOME = ["/var/log/journal", "/run/log/journal"];
const MACHINE_ID_FILE = "/etc/machine-id";
/** As many as journalctl reads. */
export const MAX_FILES = 7168;
const FOLDER_NAME = /^([0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:\.(.+))?$/;

/** Finds journal files again and again. */
export class JournalFinder {
  private readonly options: FindOptions;
  private readonly isOwnMachineOnly: boolean;
  /** Archived files are called what they are called for ever. */
  private archived = new Map<string, string>();
  /** The folders that the latest {@link find} looked into, to be watched. */
  folders: string[] = [];
  /** More files than are read were there. */
  leftOut = 0;
  /** Why a folder could not be read, by its path. */
  readonly troubles = new Map<string, string>();

  constructor(options: FindOptions) {
    this.options = options;
    this.isOwnMachineOnly = options.paths.length === 0;
  }

  find(): FoundFile[] {
    const found: FoundFile[] = [];
    this.folders = [];
    this.leftOut = 0;
    this.troubles.clear();
    const before = this.archived;
    this.archived = new Map();
    const machineId = this.isOwnMachineOnly ? ownMachineId() : undefined;
    for (const root of this.isOwnMachineOnly ? HOME : this.options.paths) {
      if (isJournalName(root)) this.add(root, before, found);
      else this.look(root, machineId, before, found);
    }
    return found;
  }

  /** Where files were looked for, and what kept from it: for a message that there are none. */
  describe(): string {
    const { paths } = this.options;
    const where = paths.length === 0 ? HOME.join(" and ") : paths.join(", ");
    const troubles = [...this.troubles].map(([folder, code]) => `${folder}: ${code}`);
    return troubles.length === 0 ? where : `${where} (${troubles.join(", ")})`;
  }

  private look(
    root: string,
    machineId: string | undefined,
    before: ReadonlyMap<string, string>,
    found: FoundFile[],
  ): void {
    for (const entry of this.list(root)) {
      const path = join(root, entry.name);
      if (isJournalName(entry.name)) {
        this.add(path, before, found);
        continue;
      }
      if (!entry.isDirectory() || !this.isWanted(entry.name, machineId)) continue;
      for (const { name } of this.list(path)) {
        if (isJournalName(name)) this.add(join(path, name), before, found);
      }
    }
  }

  private isWanted(folder: string, machineId: string | undefined): boolean {
    const [, id, namespace] = FOLDER_NAME.exec(folder) ?? [];
    if (id === undefined) return false;
    if (machineId !== undefined && id.replaceAll("-", "") !== machineId) return false;
    const { namespace: wanted } = this.options;
    return wanted === "*" || namespace === wanted;
  }

  private list(folder: string): Dirent[] {
    try {
      const entries = readdirSync(folder, { withFileTypes: true });
      this.folders.push(folder);
      return entries;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // One of the two is usually not there.
      if (code !== "ENOENT" || !this.isOwnMachineOnly) {
        this.troubles.set(folder, code ?? String(error));
      }
      return [];
    }
  }

  private add(path: string, before: ReadonlyMap<string, string>, found: FoundFile[]): void {
    const isArchived = isArchiveName(path);
    const identity = (isArchived ? before.get(path) : undefined) ?? identityOf(path);
    if (identity === undefined) return;
    if (found.length >= MAX_FILES) return void this.leftOut++;
    if (isArchived) this.archived.set(path, identity);
    found.push({ path, identity });
  }
}

/** A file that nothing is added to any more, by its name. */
export function isArchiveName(path: string): boolean {
  const name = basename(path);
  return name.includes("@") || name.endsWith("~");
}

function isJournalName(name: string): boolean {
  return name.endsWith(".journal") || name.endsWith(".journal~");
}

function identityOf(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path);
    return `${dev}:${ino}`;
  } catch {
    // It was renamed or removed a moment ago.
    return undefined;
  }
}

function ownMachineId(): string | undefined {
  try {
    return readFileSync(MACHINE_ID_FILE, "utf8").trim();
  } catch {
    return undefined;
  }
}
