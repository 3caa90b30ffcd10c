import { dirname } from "node:path";
import type { InputContext } from "logcollector/plugin";
import type { Ancestry } from "./ancestors.ts";
import { BatchMaker } from "./batch-maker.ts";
import type { TailConfig } from "./config.ts";
import type { Copy } from "./copies.ts";
import { FILE_TIME_STEP_MS } from "./birth-times.ts";
import { ownStream, StreamLedger } from "./file-checkpoint.ts";
import { type FileIdentity, identityOf, streamOf } from "./file-identity.ts";
import { statOf } from "./folder-listing.ts";
import type { NewFile } from "./new-file.ts";
import type { KnownFile } from "./known-files.ts";
import { mayHold, packedGenerations, type PackedOptions } from "./packed-generations.ts";
import { type LineStream, PackedSearch, type Sought } from "./packed-search.ts";
import { hasPlace, isSure, isTelling, type Place, START } from "./place.ts";
import type { Positions } from "./positions.ts";
import { realPathOf } from "./real-path.ts";
import type { FoundFile } from "./scan.ts";
import type { FileSettings } from "./settings.ts";
import { TailedFile } from "./tailed-file.ts";

export interface FileOpenerOptions {
  readonly config: TailConfig;
  readonly ctx: InputContext;
  readonly settings: FileSettings;
  readonly positions: Positions;
  readonly followed: () => Iterable<TailedFile>;
}

/** A file that is unknown although others are known came later than they were seen last, or this much before. */
const UNSEEN_MS = 60_000;
/** Compressed files that were searched and are remembered. */
const MAX_LOOKED_INTO = 10_000;

/** Begins to follow files: where they were left, or as the configuration says. */
export class FileOpener {
  private readonly options: FileOpenerOptions;
  /** Compressed files that were searched, as they were then. */
  private readonly lookedInto = new Set<string>();

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
      search: isUnread(known) ? this.searchFor(openPath) : undefined,
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

  /**
   * Compressed files in which the rest of files may be that are gone. Those that hold nothing that is known came
   * after them, and are read whole, if the times of their making can be relied on.
   */
  openPacked(path: string, { gone, now }: Ancestry): TailedFile[] {
    const { settings, positions } = this.options;
    const tag = settings.tagFor(path);
    const plain = gone.filter(({ position: { place, isDone } }) =>
      place.packedBytes === undefined && (!isDone || isTelling(place))
    );
    if (tag === null || plain.length === 0) return [];
    const files = [...new Set(plain.map(({ position }) => position.file.home))].flatMap((home) => {
      const there = plain.filter(({ position }) => position.file.home === home);
      const madeMs = Math.min(...there.map(({ position }) => position.seenSec * 1000));
      const changedMs = Math.min(...there.map(({ position }) => position.file.birthMs));
      return packedGenerations(home, { madeMs, changedMs }, this.packedOptions);
    });
    const sought = plain.map((known): Sought => {
      const { stream, position: { file, place, seenSec, isDone } } = known;
      const ledger = new StreamLedger(stream, file, seenSec);
      ledger.start = place;
      const newMaker = () => new BatchMaker(settings.maker(path, tag, stream));
      return { place, stream: { ledger, newMaker }, isReadElsewhere: isDone };
    });
    const search = new PackedSearch({
      sought,
      readsOthers: plain.every(({ position }) => position.file.birthMs > 0),
      onEnd: (found) =>
        plain.forEach((known, i) => {
          if (known.position.isDone) return;
          if (!found.has(sought[i]!)) return this.complain(known.position.file.path, files);
          positions.leaveGone(known, sought[i]!.stream!.ledger);
        }),
    });
    return this.openEach(search.unread(files, now?.position), sought.at(-1)!.stream!, search);
  }

  /** Compressed copies of what a file held before it was truncated. */
  openPackedCopies(of: TailedFile, lost: Place): TailedFile[] {
    // Where nothing was read of what it held, it may hold it still.
    const isGone = lost.offset === 0 ? !hasPlace(of.openPath, lost) : isTelling(lost);
    if (!isGone) return [];
    const { ledger, newMaker } = of;
    const seenMs = ledger.seenSec * 1000;
    const since = { madeMs: seenMs, changedMs: seenMs };
    const files = packedGenerations(of.home, since, this.packedOptions);
    const stream = { ledger, newMaker };
    const { known } = this.options.positions;
    const done = [...known.at(of.path)]
      .filter(({ position }) => position.isDone && isTelling(position.place))
      .map(({ position: { place } }) => ({ place, stream, isReadElsewhere: true }));
    const others = this.readElsewhere((file) => file !== of && file.home === of.home);
    const search = new PackedSearch({
      sought: [{ place: lost, stream, isReadElsewhere: false }, ...others, ...done],
      readsOthers: ledger.file.birthMs > 0 && of.isAtHome,
      onEnd: (found) => {
        const isFound = [...found].some(({ place }) => place === lost);
        if (!isFound && lost.offset > 0) this.complain(of.path, files);
      },
    });
    return this.openEach(search.unread(files, undefined), stream, search);
  }

  private get packedOptions(): PackedOptions {
    const { settings, positions: { births, known } } = this.options;
    return {
      births,
      isTaken: (found) =>
        settings.isWanted(found.path) || this.lookedInto.has(lookKey(found)) ||
        known.matchRenamed(found.path, found.stat) !== undefined,
    };
  }

  private openEach(
    files: readonly FoundFile[],
    { ledger, newMaker }: LineStream,
    search: PackedSearch,
  ): TailedFile[] {
    const { settings, positions: { births }, ctx } = this.options;
    return files.map((found) => {
      const { path: openPath, stat } = found;
      if (this.lookedInto.size >= MAX_LOOKED_INTO) this.lookedInto.clear();
      this.lookedInto.add(lookKey(found));
      ctx.log.info(`Looking into ${openPath} for what was not read of ${ledger.file.path}`);
      return new TailedFile({
        openPath,
        stat,
        births,
        ledger,
        own: ownStream(stat, ledger, births),
        compressed: true,
        search,
        newMaker,
        limits: settings.limits,
        encoding: settings.encoding,
        start: START,
      });
    });
  }

  private complain(path: string, files: readonly FoundFile[]): void {
    this.options.ctx.log.warn(
      `Cannot find what was not read of ${path}: it is not in ${
        files.map((file) => file.path).join(", ")
      }`,
    );
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

  /** A compressed file that the patterns find may hold what was read before it was compressed. */
  private searchFor(openPath: string): PackedSearch | undefined {
    const { positions } = this.options;
    if (!openPath.endsWith(".gz")) return undefined;
    const isHere = (home: string) => mayHold(openPath, home);
    const sought = this.readElsewhere(({ home }) => isHere(home), openPath);
    for (const known of positions.known.madeIn(dirname(openPath))) {
      const { stream, position: { file, place, seenSec, isDone } } = known;
      if (!isHere(file.home)) continue;
      const onFound = () => {
        if (!isDone) positions.leaveGone(known, new StreamLedger(stream, file, seenSec));
      };
      sought.push({ place, stream: undefined, isReadElsewhere: false, onFound });
    }
    return sought.length === 0 ? undefined : new PackedSearch({ sought, readsOthers: true });
  }

  /** What a followed file held that is compressed under its name, or gone from where it was, is read there. */
  private readElsewhere(isHere: (file: TailedFile) => boolean, packedPath?: string): Sought[] {
    return [...this.options.followed()].filter((file) =>
      !file.compressed && isHere(file) &&
      (packedPath === `${file.openPath}.gz` || !isAtPath(file, file.openPath))
    ).map((file) => ({
      place: file.place,
      stream: undefined,
      isReadElsewhere: true,
      onFound: (packed: TailedFile) => void (packed.plain = file),
    })).filter(({ place }) => isSure(place));
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
        ? positions.wallSec * 1000 - FILE_TIME_STEP_MS
        : undefined,
    };
  }
}

/** Nothing of it was read before. */
function isUnread(known: KnownFile | undefined): boolean {
  if (known === undefined) return true;
  const { offset, packedBytes = 0 } = known.position.place;
  return offset === 0 && packedBytes === 0;
}

function isAtPath(file: TailedFile, path: string): boolean {
  const stat = statOf(path);
  return stat !== undefined && file.isSame(stat);
}

function lookKey({ stat }: FoundFile): string {
  return `${identityOf(stat)}:${stat.mtimeMs}:${stat.size}`;
}
