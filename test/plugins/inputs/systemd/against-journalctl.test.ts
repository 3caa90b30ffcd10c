import { afterAll, describe, expect, test } from "bun:test";
import { copyFileSync, mkdirSync } from "node:fs";
import {
  journalctl,
  type JournalForm,
  journalToolsMissing,
  makeJournal,
  someEntries,
} from "../../../support/journal-fixtures.ts";
import { Random } from "../../../support/random.ts";
import { repackJournal } from "../../../support/repack-journal.ts";
import { TempFolder } from "../../../support/temp-folder.ts";
import { readJournal } from "./journal-reading.ts";

const SEED = Number(process.env.SEED ?? 20261125);
if (journalToolsMissing !== undefined) console.log(`skipped: ${journalToolsMissing} not found`);

const FORMS: readonly (JournalForm & { readonly name: string })[] = [true, false].flatMap((
  isCompact,
) =>
  [true, false].flatMap((isKeyed) =>
    [true, false].map((isCompressed) => ({
      name: [
        isCompact ? "compact" : "regular",
        isKeyed ? "keyed hash" : "Jenkins hash",
        isCompressed ? "ZSTD" : "unpacked",
      ].join(", "),
      isCompact,
      isKeyed,
      isCompressed,
    }))
  )
);

describe.skipIf(journalToolsMissing !== undefined)(
  `the journal reader against journalctl (SEED=${SEED})`,
  () => {
    const temp = new TempFolder();
    afterAll(() => temp[Symbol.dispose]());
    const folder = (name: string): string => {
      const path = temp.at(name.replaceAll(/\W+/g, "-"));
      mkdirSync(path);
      return path;
    };

    for (const form of FORMS) {
      test(`${form.name}: same cursors in the same order, same fields byte for byte`, () => {
        const path = folder(form.name);
        makeJournal(`${path}/system.journal`, someEntries(new Random(SEED), 1500), form);
        const expected = journalctl(path);
        const { entries, refused, counts } = readJournal(path);
        expect(expected.length).toBe(1500);
        expect(entries).toEqual(expected);
        expect(refused).toEqual([]);
        expect(counts).toMatchObject({ entries: 0, fields: { damaged: 0, too_large: 0 } });
      });
    }

    for (const isCompact of [true, false]) {
      for (const packing of ["xz", "lz4"] as const) {
        test(`${isCompact ? "compact" : "regular"}, ${packing}: the same as journalctl`, () => {
          const plain = folder(`plain ${isCompact} ${packing}`);
          const packed = folder(`packed ${isCompact} ${packing}`);
          const entries = someEntries(new Random(SEED + 1), 400);
          makeJournal(`${plain}/system.journal`, entries, { isCompact, isCompressed: false });
          repackJournal(`${plain}/system.journal`, `${packed}/system.journal`, packing);
          const expected = journalctl(packed);
          expect(expected.length).toBe(400);
          const read = readJournal(packed);
          expect(read.counts.fields).toEqual({ damaged: 0, too_large: 0 });
          expect(read.entries).toEqual(expected);
          expect(read.entries).toEqual(journalctl(plain));
        });
      }
    }

    test("files of several sources are merged in journalctl's order, and what two files have comes once", () => {
      const path = folder("merged");
      const random = new Random(SEED + 2);
      makeJournal(`${path}/one.journal`, someEntries(random, 300, 1_700_000_000_000_000));
      makeJournal(`${path}/two.journal`, someEntries(random, 300, 1_700_000_002_000_000));
      copyFileSync(`${path}/one.journal`, `${path}/copy.journal`);
      const expected = journalctl(path);
      expect(expected.length).toBe(600);
      const { entries } = readJournal(path);
      expect(new Set(entries.map(({ cursor }) => cursor)).size).toBe(entries.length);
      expect(entries.toSorted(byCursor)).toEqual(expected.toSorted(byCursor));
    });
  },
);

function byCursor(a: { cursor: string }, b: { cursor: string }): number {
  return a.cursor < b.cursor ? -1 : 1;
}
