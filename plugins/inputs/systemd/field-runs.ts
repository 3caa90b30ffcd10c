import type { JournalFile } from "./journal/journal-file.ts";
import type { Term } from "./selection.ts";

/** What was made of the fields that an entry begins with: those of a process, which all its entries have. */
export interface FieldRun {
  /** Where the fields' objects are in the file. */
  readonly items: Float64Array;
  /** `,"NAME":"value"` of all of them. */
  readonly json: Uint8Array;
  readonly seen: readonly { inEntry: number }[];
  readonly hits: readonly Term[];
  readonly unit: string | undefined;
}

const MAX_RUNS = 1024;
/** Fewer fields are found one by one as fast. */
const MIN_FIELDS = 4;
/** Fields of an entry's own come last, as they were written last. Most entries have fewer of them. */
const MAX_OWN_FIELDS = 4;

/**
 * Remembers runs of fields of one file. A writer keeps the fields of an entry in the order in which their values
 * first came, so what a process always says is in front, and is the same from entry to entry.
 */
export class FieldRuns {
  /** By a hash of the places of their fields. */
  private readonly runs = new Map<number, FieldRun>();
  private readonly hashes = new Int32Array(MAX_OWN_FIELDS + 1);

  /** The longest run that the file's current entry begins with. */
  find({ items, fieldCount }: JournalFile): FieldRun | undefined {
    const { hashes } = this;
    const least = Math.max(MIN_FIELDS, fieldCount - MAX_OWN_FIELDS);
    let hash = 0;
    for (let i = 0; i < fieldCount; i++) {
      hash = withPlace(hash, items[i]!);
      if (i + 1 >= least) hashes[i + 1 - least] = hash;
    }
    for (let length = fieldCount; length >= least; length--) {
      const run = this.runs.get(hashes[length - least]!);
      if (run !== undefined && isSame(run.items, items, length)) return run;
    }
    return undefined;
  }

  /** Remembers what was made of the first fields of the file's current entry. */
  learn({ items, fieldCount }: JournalFile, length: number, made: Omit<FieldRun, "items">): void {
    if (length < MIN_FIELDS || length < fieldCount - MAX_OWN_FIELDS) return;
    // Processes come and go: what is still in use is soon back.
    if (this.runs.size >= MAX_RUNS) this.runs.clear();
    let hash = 0;
    for (let i = 0; i < length; i++) hash = withPlace(hash, items[i]!);
    this.runs.set(hash, { ...made, items: items.slice(0, length) });
  }
}

function withPlace(hash: number, offset: number): number {
  return Math.imul(hash ^ (offset >>> 3), 0x9e3779b1);
}

function isSame(run: Float64Array, items: Float64Array, length: number): boolean {
  if (run.length !== length) return false;
  for (let i = 0; i < length; i++) if (run[i] !== items[i]) return false;
  return true;
}
