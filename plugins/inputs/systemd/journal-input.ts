import {
  Batch,
  ConfigError,
  type Input,
  type InputContext,
  type LogRecord,
} from "logcollector/plugin";
import type { SystemdConfig } from "./config.ts";
import { currentBoot } from "./current-boot.ts";
import { DamageReport } from "./damage-report.ts";
import { BLOCK_BYTES, EntryEncoder, MAX_RECORDS } from "./entry-encoder.ts";
import { EntrySource } from "./entry-source.ts";
import { fluentBitCursor } from "./fluent-bit-cursor.ts";
import { JournalFinder } from "./journal/found-files.ts";
import type { JournalFile } from "./journal/journal-file.ts";
import { Journal } from "./journal/journal.ts";
import { SavedPlace } from "./journal/reading-place.ts";
import { JournalLedger, STREAM } from "./journal-ledger.ts";
import { JournalWatch } from "./journal-watch.ts";
import { type Selection, selectionOf } from "./selection.ts";

const NO_UNIT = "unknown";
/** Folders are looked into this often even if no change in them was reported. */
const SCAN_MS = 10_000;
/** With nothing to read for so long, memory is given back. */
const REST_MS = 5000;
/** After so many entries others have their turn, even if none was wanted. */
const MAX_PASSED = 8192;
/** So it is after so many bytes were unpacked, of which little may be left. */
const MAX_UNPACKED_BYTES = 16 * 1024 * 1024;

/** What entries are gathered in. */
interface Block {
  /** Adds a file's current entry. False when it is not wanted. */
  add(file: JournalFile): boolean;
  removeLast(): void;
  isFull(): boolean;
}

/** The systemd input at work. */
export class JournalInput implements Input {
  private readonly config: SystemdConfig;
  private readonly ctx: InputContext;
  private readonly finder: JournalFinder;
  private readonly ledger: JournalLedger;
  private readonly damage: DamageReport;
  private readonly encoder: EntryEncoder;
  private readonly bootId: string | undefined;
  /** The tag depends on the unit. */
  private readonly isTagOfUnit: boolean;
  /** Somebody looks into records: they are better made at once. */
  private wantsRecords = false;

  constructor(config: SystemdConfig, ctx: InputContext) {
    this.config = config;
    this.ctx = ctx;
    this.finder = new JournalFinder({ paths: config.path, namespace: config.namespace });
    this.ledger = new JournalLedger(
      ctx,
      ctx.checkpoints({
        path: config.db,
        sync: config["db.sync"],
        migrate: (database) => fluentBitCursor(database, STREAM),
      }),
    );
    this.damage = new DamageReport(ctx);
    this.bootId = config.boot === "current" ? currentBoot() : undefined;
    this.isTagOfUnit = ctx.tag.includes("*");
    this.encoder = new EntryEncoder({
      lowercase: config.lowercase,
      stripUnderscores: config.strip_underscores,
      usesSourceTime: config.time_from === "source",
      selection: selectionFor(config),
      onRecords: () => void (this.wantsRecords = true),
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    const entries = this.open();
    const { journal } = entries;
    const watch = new JournalWatch();
    try {
      journal.scan(this.nowUs);
      if (!journal.hasFiles) this.ctx.log.warn(`No journal files yet in ${this.finder.describe()}`);
      let scannedMs = this.ctx.clock.nowMs();
      let readMs = scannedMs;
      while (!signal.aborted) {
        watch.follow(this.finder.folders);
        if (await this.readOn(entries, signal)) readMs = this.ctx.clock.nowMs();
        if (signal.aborted) break;
        if (this.ctx.clock.nowMs() - readMs >= REST_MS) journal.rest();
        if (!journal.isToScan) await watch.wait(signal);
        const nowMs = this.ctx.clock.nowMs();
        if (watch.takeRenames() || journal.isToScan || nowMs - scannedMs >= SCAN_MS) {
          scannedMs = nowMs;
          journal.scan(this.nowUs);
        }
        journal.refresh();
      }
    } finally {
      watch.close();
      journal.close();
    }
  }

  private get nowUs(): number {
    const { sec, nsec } = this.ctx.clock.wall();
    return sec * 1e6 + Math.floor(nsec / 1000);
  }

  private open(): EntrySource {
    const { config, damage, finder } = this;
    const { saved } = this.ledger;
    const place = saved === undefined ? undefined : this.savedPlace(saved);
    const startUs = this.nowUs;
    const sinceUs = config.since?.(startUs);
    const journal = new Journal({
      finder,
      file: {
        maxFieldBytes: config.max_field_size,
        maxFields: config.max_fields,
        counts: damage.counts,
      },
      begin: (file) => {
        if (place !== undefined) return place.begin(file);
        if (config.read_from_tail && file.header.headRealtimeUs <= startUs) return file.skipAll();
        if (sinceUs !== undefined) file.seek(({ realtimeUs }) => realtimeUs >= sinceUs);
      },
      onRefused: (path, reason, message) => damage.refusedFile(path, reason, message),
      onLost: (path, entries) => damage.lost(path, entries),
    });
    return new EntrySource(journal, (file) => {
      const missing = place?.missingBefore(file) ?? 0;
      if (missing > 0) damage.gap(missing, "they were removed while nobody read on");
    });
  }

  private savedPlace(text: string): SavedPlace | undefined {
    try {
      return new SavedPlace(text, this.nowUs);
    } catch (error) {
      this.ctx.log.error(`${(error as Error).message}; reading begins as if there were none`);
      return undefined;
    }
  }

  /** Reads everything there is. Says whether there was anything. */
  private async readOn(entries: EntrySource, signal: AbortSignal): Promise<boolean> {
    for (let hasRead = false;; hasRead = true) {
      if (signal.aborted) return hasRead;
      const batch = this.wantsRecords ? this.nextRecords(entries) : this.nextLines(entries);
      this.damage.update();
      const { place } = entries;
      if (place !== undefined && batch !== undefined && batch.length > 0) {
        await this.ledger.emit(batch, place);
      } else if (place !== undefined && (batch !== undefined || this.ledger.saved === undefined)) {
        this.ledger.passed(place);
      }
      if (batch === undefined) return hasRead;
      await this.ctx.breathe();
    }
  }

  /** The next entries as JSON; none of them may be wanted. `undefined` when there is nothing to read. */
  private nextLines(entries: EntrySource): Batch | undefined {
    const { encoder } = this;
    encoder.begin();
    const tag = this.gather(entries, {
      add: (file) => encoder.add(file),
      removeLast: () => encoder.removeLast(),
      isFull: () => encoder.isFull || encoder.length >= this.config.max_entries,
    });
    if (tag === undefined) return undefined;
    const { lines } = encoder;
    return Batch.ofJson(tag, lines, { stream: STREAM, bytes: lines.bytes.length });
  }

  /** The same as records. */
  private nextRecords(entries: EntrySource): Batch | undefined {
    const records: LogRecord[] = [];
    const most = Math.min(MAX_RECORDS, this.config.max_entries);
    let bytes = 0;
    const tag = this.gather(entries, {
      add: (file) => {
        const record = this.encoder.record(file);
        if (record === undefined) return false;
        bytes += this.encoder.recordBytes;
        return records.push(record) > 0;
      },
      removeLast: () => void records.pop(),
      isFull: () => records.length >= most || bytes >= BLOCK_BYTES,
    });
    return tag === undefined ? undefined : Batch.of(tag, records, { stream: STREAM, bytes });
  }

  /** Adds entries to a block until it is full, or the next has another tag. Returns the tag if any entry was read. */
  private gather(entries: EntrySource, block: Block): string | undefined {
    let tag: string | undefined;
    let seen = 0;
    const { counts } = this.damage;
    const mostUnpacked = counts.unpackedBytes + MAX_UNPACKED_BYTES;
    while (seen < MAX_PASSED && counts.unpackedBytes < mostUnpacked && !block.isFull()) {
      const file = entries.next();
      if (file === undefined) break;
      seen++;
      if (!this.isOfBoot(file) || !block.add(file)) continue;
      const own = this.tagOf(this.encoder.unit);
      if (tag !== undefined && own !== tag) {
        block.removeLast();
        entries.hold(file);
        return tag;
      }
      tag = own;
    }
    if (seen === 0) return undefined;
    entries.take();
    return tag ?? this.ctx.tag;
  }

  private isOfBoot({ bootId }: JournalFile): boolean {
    return this.bootId === undefined || bootId === this.bootId;
  }

  private tagOf(unit: string | undefined): string {
    return this.isTagOfUnit ? this.ctx.tag.replaceAll("*", unit ?? NO_UNIT) : this.ctx.tag;
  }
}

function selectionFor(config: SystemdConfig): Selection {
  try {
    return selectionOf(config);
  } catch (error) {
    throw new ConfigError(`systemd_filter: ${(error as Error).message}`);
  }
}
