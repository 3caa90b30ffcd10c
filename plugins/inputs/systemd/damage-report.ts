import type { Counter, Gauge, InputContext, Logger } from "logcollector/plugin";
import { type DamageCounts, noDamage } from "./journal/journal-file.ts";

/** Counts what could not be read, and says it. */
export class DamageReport {
  readonly counts: DamageCounts = noDamage();
  private readonly log: Logger;
  private readonly entries: Counter;
  private readonly fields: { readonly [K in keyof DamageCounts["fields"]]: Counter };
  private readonly missing: Counter;
  private readonly refused: Gauge;

  constructor({ log, metrics }: InputContext) {
    this.log = log;
    this.entries = metrics.counter(
      "input_journal_damaged_entries_total",
      "Number of journal entries that could not be read",
    );
    const fields = (reason: string) =>
      metrics.counter(
        "input_journal_unread_fields_total",
        "Number of fields of journal entries that could not be read",
        { reason },
      );
    this.fields = {
      damaged: fields("damaged"),
      too_large: fields("too_large"),
    };
    this.missing = metrics.counter(
      "input_journal_missing_entries_total",
      "Number of journal entries that were removed before they were read",
    );
    this.refused = metrics.gauge(
      "input_journal_refused_files",
      "Number of times that a file was not read as a journal",
    );
  }

  refusedFile(path: string, reason: string, message: string): void {
    this.refused.value++;
    const what = reason === "unreadable"
      ? `Cannot open journal file ${path}: ${message}`
      : `Cannot read ${path} as a journal: ${message}`;
    if (reason === "unsupported") {
      this.log.error(`${what}; a newer version of this program may`, { reason });
    } else this.log.warn(what, { reason });
  }

  lost(path: string, entries: number): void {
    this.gap(entries, `${path} was removed before they were read`);
  }

  gap(entries: number, why: string): void {
    this.missing.value += entries;
    this.log.warn(`Missed ${entries} journal ${entries === 1 ? "entry" : "entries"}: ${why}`);
  }

  /** Says what has been found since the last time. */
  update(): void {
    const { entries, fields } = this.counts;
    if (entries > 0) {
      this.entries.value += entries;
      this.log.warn(`Left out ${entries} damaged journal entries`);
    }
    for (const reason of ["damaged", "too_large"] as const) {
      if (fields[reason] === 0) continue;
      this.fields[reason].value += fields[reason];
      this.log.warn(`Left out ${fields[reason]} fields of journal entries`, { reason });
    }
    Object.assign(this.counts.fields, noDamage().fields);
    this.counts.entries = 0;
  }
}
