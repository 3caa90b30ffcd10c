import type { InputContext } from "logcollector/plugin";
import { BatchMaker } from "./batch-maker.ts";
import type { TailConfig } from "./config.ts";
import type { Copy } from "./copies.ts";
import { ownStream, StreamLedger } from "./file-checkpoint.ts";
import { type FileIdentity, streamOf } from "./file-identity.ts";
import type { NewFile } from "./file-table.ts";
import type { Place } from "./place.ts";
import type { Positions } from "./positions.ts";
import { realPathOf } from "./real-path.ts";
import type { FileSettings } from "./settings.ts";
import { TailedFile } from "./tailed-file.ts";

export interface FileOpenerOptions {
  readonly config: TailConfig;
  readonly ctx: InputContext;
  readonly settings: FileSettings;
  readonly positions: Positions;
}

/** A file that is unknown although others are known came later than they were seen last, or this much before. */
const UNSEEN_MS = 60_000;
/** The file system's clock lags behind by its step. */
const CLOCK_STEP_MS = 1000;

/** Begins to follow files: where they were left, or as the configuration says. */
export class FileOpener {
  private readonly options: FileOpenerOptions;

  constructor(options: FileOpenerOptions) {
    this.options = options;
  }

  /** Returns `undefined` when the file is not to be followed. Throws when it cannot be opened. */
  open(found: NewFile): TailedFile | undefined {
    const { settings, positions, ctx } = this.options;
    const { births } = positions;
    const { path, openPath, stat, known } = found;
    const tag = settings.tagFor(path);
    if (tag === null) {
      ctx.log.error(`Cannot follow ${path}: tag_regex does not match it`);
      return undefined;
    }
    const stream = streamOf(stat, births);
    const start = this.startOf(found, stream);
    const seenSec = known?.position.seenSec ?? positions.wallSec;
    const ledger = new StreamLedger(stream, this.identityOf(found, start), seenSec);
    const file = new TailedFile({
      openPath,
      stat,
      births,
      ledger,
      compressed: path.endsWith(".gz"),
      newMaker: () => new BatchMaker(settings.maker(path, tag, stream)),
      limits: settings.limits,
      encoding: settings.encoding,
      start,
    });
    ledger.start = file.place;
    positions.begin(ledger, known);
    settings.descriptors.used(file);
    return file;
  }

  /** A copy that is to be read for the stream of the file that it was made of. Throws like {@link open}. */
  openCopy({ path: openPath, stat, place }: Copy, of: TailedFile): TailedFile {
    const { settings, positions: { births } } = this.options;
    const copy = new TailedFile({
      openPath,
      stat,
      births,
      ledger: of.ledger,
      own: ownStream(stat, of.ledger, births),
      compressed: false,
      newMaker: of.newMaker,
      limits: settings.limits,
      encoding: settings.encoding,
      start: place ?? "head",
    });
    settings.descriptors.used(copy);
    return copy;
  }

  private startOf(found: NewFile, stream: string): "head" | "end" | Place {
    const { config, positions: { known }, ctx } = this.options;
    const { path, stat, isInitial, isSuccessor } = found;
    if (found.known !== undefined) return found.known.position.place;
    if (isSuccessor || known.isDamaged(stream)) return "head";
    if (known.hasOther(stat)) {
      ctx.log.info(`File ${path} has the inode of another that is gone: reading it from its start`);
      return "head";
    }
    const fromHead = isInitial && !this.isNewcomer(found)
      ? config.read_from_head
      : config.read_newly_discovered_files_from_head;
    // Compressed files are always read whole.
    return fromHead || path.endsWith(".gz") ? "head" : "end";
  }

  /** It came while the collector was stopped. */
  private isNewcomer({ stat }: NewFile): boolean {
    const { known: { lastSeenSec }, births } = this.options.positions;
    return lastSeenSec > 0 && births.of(stat) > lastSeenSec * 1000 - UNSEEN_MS;
  }

  private identityOf(found: NewFile, start: "head" | "end" | Place): FileIdentity {
    const { positions } = this.options;
    const { path, openPath, home, stat, isInitial, isSuccessor } = found;
    const wasThere = isInitial && !isSuccessor && (start === "end" || !this.isNewcomer(found));
    return {
      path,
      home: home ?? realPathOf(openPath),
      dev: stat.dev,
      ino: stat.ino,
      birthMs: positions.births.of(stat),
      madeBeforeMs: undefined,
      sinceMs: found.known !== undefined
        ? found.known.position.file.sinceMs
        : wasThere
        ? positions.wallSec * 1000 - CLOCK_STEP_MS
        : undefined,
    };
  }
}
