import { countOf } from "../../lib/count-of.ts";
import type { Clock, Logger } from "../../sdk/context.ts";
import type { DiskFiles } from "../disk/files.ts";
import { HeldLetters } from "./held-letters.ts";
import type { DeadLetter } from "./letter.ts";
import { type KeptLetter, type LetterFolder, listLetters } from "./letter-folder.ts";
import { letterFile, letterId, temporaryFile } from "./letter-name.ts";
import { writeLetter } from "./write-letter.ts";

/** Why a letter was removed before anybody saw to it. */
export type RemovalReason = "dead_letter_limit" | "dead_letter_age";

export interface DeadLetterStoreOptions {
  readonly files: DiskFiles;
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Bytes of all letters; Infinity for no limit. */
  readonly limitBytes: number;
  /** How long a letter is kept, in milliseconds; Infinity for as long as there is space. */
  readonly maxAgeMs: number;
  /** Letters at most, whatever their size. */
  readonly maxLetters?: number;
  /** Records were removed that nobody had seen to. */
  readonly onRemoved: (records: number, reason: RemovalReason) => void;
}

/** More files than this make a folder that nobody can handle. */
export const MAX_LETTERS = 10_000;
const LOOK_MS = 3_600_000;
/** What others did in the folder shows at most so much later. */
const FRESH_MS = 30_000;

/**
 * The folder of dead letters, as the collector uses it: keeps new ones, and removes the oldest at the limits. Others
 * may read letters and take them away meanwhile.
 */
export class DeadLetterStore {
  private readonly options: DeadLetterStoreOptions;
  /** What is in the folder, as far as this store knows. */
  held = new HeldLetters();
  private listedMs = -Infinity;
  private writing: Promise<unknown> = Promise.resolve();
  private cancelLook: (() => void) | undefined;

  private constructor(options: DeadLetterStoreOptions) {
    this.options = options;
  }

  /**
   * Opens a folder, or makes it, and tidies up what a crash left. Rejects with a message for the user when letters
   * could not be kept in it.
   */
  static async open(options: DeadLetterStoreOptions): Promise<DeadLetterStore> {
    const store = new DeadLetterStore(options);
    try {
      await store.prepare();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`Cannot keep dead letters in ${options.folder}: ${reason}`, { cause: error });
    }
    store.look();
    return store;
  }

  /** Resolves when the letter is on the disk; rejects when it cannot be kept, with nothing left of it. */
  keep(letter: DeadLetter): Promise<void> {
    // One after the other: they are few, and so the limits are exact.
    const kept = this.writing.then(() => this.write(letter));
    this.writing = kept.catch(() => undefined);
    return kept;
  }

  /** Looks at the folder again when that is old, for metrics. */
  refresh(): void {
    if (this.options.clock.nowMs() - this.listedMs < FRESH_MS) return;
    try {
      this.list();
    } catch (error) {
      this.options.log.warn(`Cannot list ${this.options.folder}: ${messageOf(error)}`);
    }
  }

  /** Looks at the folder no more. */
  close(): void {
    this.cancelLook?.();
    this.cancelLook = undefined;
  }

  private async prepare(): Promise<void> {
    const { files, folder, log } = this.options;
    const facts = files.facts(folder);
    if (facts !== undefined && facts.kind !== "folder") {
      throw new Error(
        `it is a ${facts.kind}, not a folder; name another with storage.rejected.path`,
      );
    }
    if (facts === undefined) await this.makeFolder();
    const { unfinished, foreign } = this.list();
    for (const name of unfinished) files.remove(`${folder}/${name}`);
    this.tryToWrite();
    if (foreign.length > 0) {
      log.warn(
        `Left alone in ${folder}: ${
          countOf(foreign.length, "name")
        } that no dead letter has, such as ${foreign[0]}`,
      );
    }
  }

  /** What cannot be written to is better known now than when it is needed. */
  private tryToWrite(): void {
    const { files, folder, clock } = this.options;
    const time = new Date(wallMs(clock)).toISOString();
    const path = `${folder}/${temporaryFile(letterId(time, 0, 0, "test"))}`;
    const fd = files.create(path);
    files.close(fd);
    files.remove(path);
  }

  private async makeFolder(): Promise<void> {
    const { files, folder } = this.options;
    files.makeFolder(folder);
    await files.syncFolder(folder.slice(0, folder.lastIndexOf("/")) || "/");
  }

  private async write(letter: DeadLetter): Promise<void> {
    const { files, folder, clock, log, limitBytes, onRemoved } = this.options;
    if (letter.bytes.length > limitBytes) {
      onRemoved(letter.records, "dead_letter_limit");
      log.error(
        `Dropped a dead letter of ${letter.output} with ${
          countOf(letter.records, "record")
        }: ${letter.bytes.length} bytes are more than storage.rejected.limit, ${limitBytes}`,
        { reason: "dead_letter_limit" },
      );
      return;
    }
    const timeMs = wallMs(clock);
    let kept: KeptLetter;
    try {
      kept = await writeLetter(files, folder, letter, timeMs);
    } catch (error) {
      if (!isMissing(error)) throw error;
      // Somebody took the folder away.
      await this.makeFolder();
      kept = await writeLetter(files, folder, letter, timeMs);
    }
    this.held.add(kept);
    this.removeOldest(kept.id);
  }

  private list(): LetterFolder {
    const found = listLetters(this.options.files, this.options.folder);
    this.held = new HeldLetters(found.letters);
    this.listedMs = this.options.clock.nowMs();
    return found;
  }

  private look(): void {
    this.refresh();
    this.removeOldest();
    this.cancelLook = this.options.clock.after(LOOK_MS, () => this.look());
  }

  /** Sees to the limits. `spared` was just kept. */
  private removeOldest(spared?: string): void {
    // Others may have made room meanwhile.
    if (this.nextToRemove(spared) !== undefined) this.refresh();
    const removed = { dead_letter_limit: new HeldLetters(), dead_letter_age: new HeldLetters() };
    for (;;) {
      const next = this.nextToRemove(spared);
      if (next === undefined) break;
      const outcome = this.remove(next.letter);
      if (outcome === "stays") break;
      this.held.remove(next.letter);
      // What somebody else took away was seen to.
      if (outcome === "removed") removed[next.reason].add(next.letter);
    }
    for (const reason of ["dead_letter_limit", "dead_letter_age"] as const) {
      const { size, records } = removed[reason];
      if (size === 0) continue;
      this.options.onRemoved(records, reason);
      const what = `${countOf(size, "dead letter")} with ${countOf(records, "record")}`;
      this.options.log.warn(`Removed ${what}, the oldest: ${this.explain(reason)}`, { reason });
    }
  }

  private nextToRemove(
    spared: string | undefined,
  ): { readonly letter: KeptLetter; readonly reason: RemovalReason } | undefined {
    const { held, options: { clock, limitBytes, maxAgeMs, maxLetters = MAX_LETTERS } } = this;
    const letter = held.oldestBut(spared);
    if (letter === undefined) return undefined;
    if (held.bytes > limitBytes || held.size > maxLetters) {
      return { letter, reason: "dead_letter_limit" };
    }
    const isOld = wallMs(clock) - letter.timeMs > maxAgeMs;
    return isOld ? { letter, reason: "dead_letter_age" } : undefined;
  }

  private explain(reason: RemovalReason): string {
    const { limitBytes, maxAgeMs, maxLetters = MAX_LETTERS } = this.options;
    if (reason === "dead_letter_age") {
      return `storage.rejected.max_age is ${maxAgeMs / 1000} s`;
    }
    const bytes = limitBytes === Infinity
      ? ""
      : `${limitBytes} bytes (storage.rejected.limit) and `;
    return `there is room for ${bytes}${maxLetters} letters`;
  }

  private remove({ id }: KeptLetter): "removed" | "gone" | "stays" {
    const { files, folder, log } = this.options;
    const path = `${folder}/${letterFile(id)}`;
    try {
      files.remove(path);
      return "removed";
    } catch (error) {
      if (isMissing(error)) return "gone";
      log.warn(`Cannot remove ${path}: ${messageOf(error)}`);
      return "stays";
    }
  }
}

function wallMs(clock: Clock): number {
  const { sec, nsec } = clock.wall();
  return sec * 1000 + Math.floor(nsec / 1e6);
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "ENOENT";
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
