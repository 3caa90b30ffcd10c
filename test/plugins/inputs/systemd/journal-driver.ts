import systemd from "../../../../plugins/inputs/systemd.ts";
import { InputDriver, type InputDriverOptions } from "../../../support/input-driver.ts";
import { makeJournal, type SourceEntry } from "../../../support/journal-fixtures.ts";
import { TempFolder } from "../../../support/temp-folder.ts";

const BOOT = "0123456789abcdef".repeat(2);
const START_US = 1_700_000_000_000_000;

/** An entry with this number: each comes a second after the one before. */
export function entry(
  n: number,
  fields: Readonly<Record<string, string>> | readonly (readonly [string, string | Buffer])[] = {},
  bootId = BOOT,
): SourceEntry {
  const list = Array.isArray(fields) ? fields : Object.entries(fields);
  return {
    realtimeUs: START_US + n * 1_000_000,
    monotonicUs: 5_000_000 + n * 1_000_000,
    bootId,
    fields: [["MESSAGE", `message ${n}`], ...list],
  };
}

/** A folder of journals, with a collector that is started and stopped over it. */
export class JournalHost implements Disposable {
  readonly folder = new TempFolder();
  readonly positions = new Map<string, string>();

  /** Adds entries to a file, in the order of their times. */
  write(name: string, entries: readonly SourceEntry[]): void {
    makeJournal(this.folder.at(name), entries);
  }

  start(options: Record<string, unknown> = {}, driver: InputDriverOptions = {}): InputDriver {
    return new InputDriver(
      systemd,
      { path: this.folder.path, ...options },
      { positions: this.positions, ...driver },
    );
  }

  /** Runs until it has read so many records; returns their messages. */
  async run(count: number, options: Record<string, unknown> = {}): Promise<unknown[]> {
    await using input = this.start(options);
    await input.untilRecords(count);
    return input.values("MESSAGE");
  }

  [Symbol.dispose](): void {
    this.folder[Symbol.dispose]();
  }
}
