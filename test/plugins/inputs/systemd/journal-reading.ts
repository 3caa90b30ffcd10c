import { JournalFinder } from "../../../../plugins/inputs/systemd/journal/found-files.ts";
import {
  type DamageCounts,
  type JournalFile,
  noDamage,
} from "../../../../plugins/inputs/systemd/journal/journal-file.ts";
import {
  Journal,
  type JournalOptions,
} from "../../../../plugins/inputs/systemd/journal/journal.ts";
import { writeCursor } from "../../../../plugins/inputs/systemd/journal/cursor.ts";
import type { ReadEntry } from "../../../support/journal-fixtures.ts";

export interface Reading {
  readonly entries: ReadEntry[];
  readonly refused: string[];
  readonly counts: DamageCounts;
}

export function openJournal(
  folder: string,
  options: Partial<JournalOptions> = {},
): { journal: Journal; refused: string[]; counts: DamageCounts } {
  const refused: string[] = [];
  const counts = noDamage();
  const journal = new Journal({
    finder: new JournalFinder({ paths: [folder], namespace: undefined }),
    file: { maxFieldBytes: 64 * 1024 * 1024, maxFields: 8000, counts },
    begin: () => undefined,
    onRefused: (_, reason, message) => void refused.push(`${reason}: ${message}`),
    onLost: () => undefined,
    ...options,
  });
  return { journal, refused, counts };
}

/** Reads a folder from its beginning to its end. */
export function readJournal(folder: string, options: Partial<JournalOptions> = {}): Reading {
  const { journal, refused, counts } = openJournal(folder, options);
  const entries: ReadEntry[] = [];
  // What looks as if it was about to be written is looked at again.
  for (let i = 0; i < 10; i++) {
    journal.scan(0);
    journal.refresh();
    for (let file = journal.next(); file !== undefined; file = journal.next()) {
      entries.push(entryOf(file));
    }
  }
  journal.close();
  return { entries, refused, counts };
}

/** The current entry of a file. */
export function entryOf(file: JournalFile): ReadEntry {
  const fields: string[] = [];
  for (let i = 0; i < file.fieldCount; i++) {
    const field = file.field(i);
    if (field === undefined) continue;
    const { name, source, from, to } = field;
    fields.push(`${name.bytes.toString("hex")}3d${source.toString("hex", from, to)}`);
  }
  return { cursor: writeCursor(file), fields: fields.sort() };
}
