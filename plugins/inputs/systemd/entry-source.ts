import type { JournalFile } from "./journal/journal-file.ts";
import type { Journal } from "./journal/journal.ts";
import type { ReadingPlace } from "./journal/reading-place.ts";

/** The entries of a journal, one after the other; the current one can be put off. */
export class EntrySource {
  readonly journal: Journal;
  private readonly onFirst: (file: JournalFile) => void;
  private isFirst = true;
  private held: JournalFile | undefined;

  /** `onFirst` is called once, with the first entry. */
  constructor(journal: Journal, onFirst: (file: JournalFile) => void) {
    this.journal = journal;
    this.onFirst = onFirst;
  }

  /** The next entry, which is the current one of its file. What came before counts as taken. */
  next(): JournalFile | undefined {
    const file = this.held ?? this.journal.next();
    this.held = undefined;
    if (this.isFirst && file !== undefined) {
      this.isFirst = false;
      this.onFirst(file);
    }
    return file;
  }

  /** The current entry is the next one once more, and does not count as taken. */
  hold(file: JournalFile): void {
    this.held = file;
  }

  /** The current entry counts as taken. */
  take(): void {
    this.journal.take();
  }

  /** How far everything that was taken reaches. */
  get place(): ReadingPlace | undefined {
    return this.journal.place;
  }
}
