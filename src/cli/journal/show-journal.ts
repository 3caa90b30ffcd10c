import { currentBoot } from "../../../plugins/inputs/systemd/current-boot.ts";
import { EntryEncoder } from "../../../plugins/inputs/systemd/entry-encoder.ts";
import { JournalFinder } from "../../../plugins/inputs/systemd/journal/found-files.ts";
import {
  type JournalFile,
  noDamage,
} from "../../../plugins/inputs/systemd/journal/journal-file.ts";
import { Journal } from "../../../plugins/inputs/systemd/journal/journal.ts";
import { JournalWatch } from "../../../plugins/inputs/systemd/journal-watch.ts";
import { addressWriter } from "../../../plugins/inputs/systemd/write-address.ts";
import { type Selection, selectionOf } from "../../../plugins/inputs/systemd/selection.ts";
import { countOf } from "../../lib/count-of.ts";
import { HeapKeeper } from "../heap-keeper.ts";
import type { JournalCommand } from "./arguments.ts";
import type { JournalIo } from "./journal-io.ts";
import { BlockWriter } from "./block-writer.ts";
import { type Printer, printerOf } from "./printer.ts";

/** Values are shown whole up to this. */
const MAX_FIELD_BYTES = 64 * 1024 * 1024;
const MAX_FIELDS = 8000;
const GARBAGE_OF_BYTES = 1 / 4;
/** If the last entries of each file have not enough that are wanted, so many times as many are looked at. */
const WIDER = 8;

/** Shows entries, and goes on with those to come if that is wanted. */
export class JournalShow {
  private readonly command: JournalCommand;
  private readonly io: JournalIo;
  private readonly finder: JournalFinder;
  private readonly selection: Selection;
  private readonly encoder: EntryEncoder;
  private readonly bootId: string | undefined;
  private readonly sinceUs: number;
  private readonly untilUs: number;
  private readonly counts = noDamage();
  private readonly heap = new HeapKeeper();
  private refused = 0;

  constructor(command: JournalCommand, io: JournalIo) {
    this.command = command;
    this.io = io;
    const { paths, namespace, units, identifiers, priority, matches } = command;
    this.finder = new JournalFinder({ paths, namespace });
    this.selection = selectionOf({
      systemd_filter: matches,
      systemd_filter_type: "or",
      units,
      identifiers,
      ...(priority && { priority }),
      include_kernel: true,
    });
    this.encoder = new EntryEncoder({
      lowercase: false,
      stripUnderscores: false,
      usesSourceTime: false,
      selection: this.selection,
      onRecords: () => undefined,
      address: addressWriter(),
      binary: "numbers",
    });
    this.bootId = command.currentBoot ? currentBoot() : undefined;
    const nowUs = Date.now() * 1000;
    this.sinceUs = command.since?.(nowUs) ?? 0;
    this.untilUs = command.until?.(nowUs) ?? Infinity;
  }

  /** Returns how many files could not be read. */
  async run(signal: AbortSignal): Promise<number> {
    const { lines, follow } = this.command;
    const journal = lines === undefined ? this.open() : this.last(lines);
    if (!journal.hasFiles && this.refused === 0) this.nothingFound();
    try {
      this.print(journal);
      if (follow) await this.follow(journal, signal);
    } finally {
      journal.close();
    }
    const { entries, fields } = this.counts;
    const unread = fields.damaged + fields.too_large;
    if (entries > 0) {
      this.io.stderr(
        `${entries} damaged ${entries === 1 ? "entry" : "entries"} could not be read\n`,
      );
    }
    if (unread > 0) this.io.stderr(`${countOf(unread, "field")} could not be read\n`);
    return this.refused;
  }

  private nothingFound(): void {
    const where = this.finder.describe();
    this.io.stderr(
      `logcollector: no journal files in ${where}; reading them takes root or the group systemd-journal\n`,
    );
    this.refused++;
  }

  private open(inFile?: (file: JournalFile) => void): Journal {
    this.refused = 0;
    const journal = new Journal({
      finder: this.finder,
      file: { maxFieldBytes: MAX_FIELD_BYTES, maxFields: MAX_FIELDS, counts: this.counts },
      begin: (file) => {
        if (this.sinceUs > 0) file.seek(({ realtimeUs }) => realtimeUs >= this.sinceUs);
        inFile?.(file);
      },
      onRefused: (path, _reason, message) => {
        this.refused++;
        this.io.stderr(`logcollector: cannot read ${path}: ${message}\n`);
      },
      onLost: () => undefined,
    });
    journal.scan(Date.now() * 1000);
    return journal;
  }

  /** A journal in front of its last entries that are wanted. */
  private last(lines: number): Journal {
    for (let perFile = lines;; perFile = Math.max(perFile, 1) * WIDER) {
      let isCut = false;
      const places = new Map<string, number>();
      const begin = (file: JournalFile) => {
        const from = Math.max(file.position, file.count - perFile);
        isCut ||= from > file.position;
        file.skipTo(from);
      };
      const counting = this.open(begin);
      const wanted: { identity: string; position: number }[] = [];
      for (let file = counting.next(); file !== undefined; file = counting.next()) {
        if (this.isWanted(file)) {
          wanted.push({ identity: file.identity, position: file.position - 1 });
        }
      }
      const ends = new Map(counting.files.map((file) => [file.identity, file.position]));
      counting.close();
      if (wanted.length < lines && isCut) continue;
      for (const { identity, position } of wanted.slice(Math.max(0, wanted.length - lines))) {
        if (!places.has(identity)) places.set(identity, position);
      }
      return this.open((file) => {
        const at = places.get(file.identity) ?? ends.get(file.identity);
        if (at === undefined) file.skipAll();
        else file.skipTo(at);
      });
    }
  }

  private isWanted(file: JournalFile): boolean {
    if (!this.isInRange(file)) return false;
    this.encoder.begin();
    return this.selection.isEverything || this.encoder.add(file);
  }

  private print(journal: Journal): void {
    const { format } = this.command;
    if (format === "json") this.printJson(journal);
    else this.printEach(journal, printerOf(format));
  }

  private printEach(journal: Journal, print: Printer): void {
    const out = new BlockWriter((bytes) => this.write(bytes));
    for (let file = journal.next(); file !== undefined; file = journal.next()) {
      if (this.isWanted(file)) print(file, out);
    }
    out.flush();
  }

  private printJson(journal: Journal): void {
    const { encoder } = this;
    encoder.begin();
    for (let file = journal.next(); file !== undefined; file = journal.next()) {
      if (this.isInRange(file)) encoder.add(file);
      if (!encoder.isFull) continue;
      this.write(encoder.text);
      encoder.begin();
    }
    this.write(encoder.text);
  }

  private write(bytes: Uint8Array): void {
    this.io.stdoutBytes(bytes);
    // Most of it never was an object.
    this.heap.quiet(bytes.length * GARBAGE_OF_BYTES);
  }

  private isInRange({ bootId, realtimeUs }: JournalFile): boolean {
    return (this.bootId === undefined || bootId === this.bootId) &&
      realtimeUs >= this.sinceUs && realtimeUs <= this.untilUs;
  }

  private async follow(journal: Journal, signal: AbortSignal): Promise<void> {
    const watch = new JournalWatch();
    while (!signal.aborted) {
      watch.follow(journal.folders);
      await watch.wait(signal);
      if (watch.takeRenames() || journal.isToScan) journal.scan(Date.now() * 1000);
      journal.refresh();
      this.print(journal);
    }
    watch.close();
  }
}
