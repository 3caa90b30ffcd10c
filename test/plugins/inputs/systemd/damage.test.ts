import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import {
  journalToolsMissing,
  makeJournal,
  type ReadEntry,
  someEntries,
} from "../../../support/journal-fixtures.ts";
import { Random } from "../../../support/random.ts";
import { TempFolder } from "../../../support/temp-folder.ts";
import { type Reading, readJournal } from "./journal-reading.ts";

const SEED = Number(process.env.SEED ?? 20261125);
const RUNS = Number(process.env.RUNS ?? 100);
if (journalToolsMissing !== undefined) console.log(`skipped: ${journalToolsMissing} not found`);

/** Where things are that a flip can hit, in a file that is 4 KiB and longer. */
const HEADER_BYTES = 264;

describe.skipIf(journalToolsMissing !== undefined)(`damaged journals (SEED=${SEED})`, () => {
  const temp = new TempFolder();
  afterAll(() => temp[Symbol.dispose]());
  mkdirSync(temp.at("whole"));
  mkdirSync(temp.at("damaged"));
  const path = temp.at("damaged/system.journal");
  const bytesOf = (form: { isCompact: boolean }): Buffer => {
    const made = temp.at(`whole/${form.isCompact}.journal`);
    makeJournal(made, someEntries(new Random(SEED), 200), form);
    return readFileSync(made);
  };
  const files = new Map<boolean, Buffer>();
  const original = (isCompact: boolean): Buffer => {
    const known = files.get(isCompact) ?? bytesOf({ isCompact });
    files.set(isCompact, known);
    return known;
  };
  const reading = (bytes: Uint8Array): Reading => {
    writeFileSync(path, bytes);
    return readJournal(temp.at("damaged"));
  };
  const whole = (isCompact: boolean): ReadEntry[] => reading(original(isCompact)).entries;

  for (const isCompact of [true, false]) {
    const form = isCompact ? "compact" : "regular";

    test(`${form}: fault 64: cut off at every 4 KiB a file gives the entries in front, as they were`, () => {
      const bytes = original(isCompact);
      const all = whole(isCompact);
      let before = 0;
      const used = Number(bytes.readBigUInt64LE(136)) + 4096;
      for (let size = 0; size <= used; size += 4096) {
        const { entries } = reading(bytes.subarray(0, size));
        expect(entries.map(({ cursor }) => cursor)).toEqual(
          all.slice(0, entries.length).map(({ cursor }) => cursor),
        );
        expect(entries.length).toBeGreaterThanOrEqual(before);
        before = entries.length;
      }
      expect(before).toBe(all.length);
    });

    test(`${form}: fault 64: a flipped byte costs no more than what it is part of, ${RUNS} times`, () => {
      const bytes = original(isCompact);
      const all = new Set(whole(isCompact).map(({ cursor }) => cursor));
      const random = new Random(SEED);
      let lost = 0;
      for (let i = 0; i < RUNS; i++) {
        const damaged = Buffer.from(bytes);
        const at = HEADER_BYTES + random.below(bytes.length - HEADER_BYTES);
        damaged[at] = damaged[at]! ^ (1 << random.below(8));
        const { entries } = reading(damaged);
        expect(entries.length).toBeLessThanOrEqual(all.size);
        lost += all.size - entries.filter(({ cursor }) => all.has(cursor)).length;
      }
      // Most hits are of fields, and of what is empty.
      expect(lost).toBeLessThan(all.size * RUNS * 0.02);
    });

    test(`${form}: fault 64: every byte of the header, flipped, ends in entries or a refusal`, () => {
      const bytes = original(isCompact);
      for (let at = 0; at < HEADER_BYTES; at++) {
        const damaged = Buffer.from(bytes);
        damaged[at] = damaged[at]! ^ 0xff;
        const { entries, refused } = reading(damaged);
        expect(entries.length).toBeLessThanOrEqual(200);
        if (entries.length === 0) expect([refused.length, at]).toEqual([refused.length, at]);
      }
    });

    test(`${form}: fault 64: whatever the bytes are, reading ends, ${RUNS} times`, () => {
      const bytes = original(isCompact);
      const random = new Random(SEED + 1);
      for (let i = 0; i < RUNS; i++) {
        const damaged = Buffer.from(bytes);
        const hits = 1 + random.below(200);
        for (let hit = 0; hit < hits; hit++) {
          const at = random.below(damaged.length - 8);
          // Counts, sizes and offsets are what leads astray.
          if (random.below(2) === 0) damaged[at] = random.below(256);
          else damaged.writeUInt32LE(random.pick([0, 0xffffffff, 64, at, 1 << 20]), at - at % 8);
        }
        const { entries } = reading(damaged);
        expect(entries.length).toBeLessThanOrEqual(bytes.length / 64);
      }
    });
  }
});
