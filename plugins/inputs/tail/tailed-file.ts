import { closeSync, fstatSync, realpathSync, type Stats } from "node:fs";
import type { Batch } from "logcollector/plugin";
import type { BatchMaker } from "./batch-maker.ts";
import { FileReader, openForTail, type ReadBuffer, type ReaderLimits } from "./file-reader.ts";
import type { TextEncoding } from "./text-decoder.ts";

export interface TailedFileOptions {
  /** The path that records and tags speak of. */
  readonly path: string;
  /** Where the file lies now, when it was renamed before it was first seen. */
  readonly openPath: string;
  /** Where it was made, with links resolved, when it was renamed before it was first seen. */
  readonly home: string | undefined;
  readonly stat: Stats;
  readonly maker: BatchMaker;
  readonly limits: ReaderLimits;
  readonly encoding: TextEncoding | "auto";
  readonly fromHead: boolean;
}

/** What one turn at a file gave. */
export type Turn =
  | { readonly kind: "batch"; readonly batch: Batch | undefined }
  | { readonly kind: "end" }
  | { readonly kind: "replaced" };

/** The identity of a file on this machine: it survives a rename. */
export function identityOf(stat: Stats): string {
  return `${stat.dev}:${stat.ino}`;
}

/** One file that is followed, under the path it was found at. */
export class TailedFile {
  readonly path: string;
  readonly identity: string;
  readonly maker: BatchMaker;
  readonly birthMs: number;
  readonly compressed: boolean;
  /** The path with links resolved: the one that changes are reported for. */
  realPath: string;
  /** The resolved path that it was made at: where its successors appear. */
  readonly home: string;
  /** An older file at the same path that must be read to its end before this one. */
  predecessor: TailedFile | undefined;
  /** When the file was found to be no longer at its path, on the clock's scale; -1 while it is there. */
  rotatedMs = -1;
  /** When something was last read, on the clock's scale. */
  grewMs = -Infinity;
  /** When a change was last reported. */
  changedMs = -Infinity;
  /** When it is looked at again without being told, on the clock's scale. */
  pollMs = 0;
  /** When it was last asked whether it is still at its path. */
  checkedMs = 0;
  /** It is in the queue of files to read. */
  queued = false;
  /** It was read to its end at least once since it was found or rotated. */
  drained = false;
  /** Where the file lies: other than `path` once it was renamed. */
  openPath: string;
  /** Everything before this is safe at every output. */
  safeOffset = 0;
  /** Size and time of the last change as the last scan saw them, in bytes and in milliseconds since 1970. */
  size: number;
  changedWallMs: number;
  private readonly reader: FileReader;

  constructor(options: TailedFileOptions) {
    this.path = options.path;
    this.identity = identityOf(options.stat);
    this.maker = options.maker;
    this.birthMs = options.stat.birthtimeMs;
    this.compressed = options.path.endsWith(".gz");
    this.realPath = realPathOf(options.openPath);
    this.home = options.home ?? this.realPath;
    this.openPath = options.openPath;
    this.size = options.stat.size;
    this.changedWallMs = options.stat.mtimeMs;
    this.reader = new FileReader(options.limits, options.encoding);
    if (this.compressed) return;
    this.open();
    if (!options.fromHead) this.reader.seek(options.stat.size);
  }

  get isOpen(): boolean {
    return this.reader.isOpen;
  }

  /** Bytes that were not read. */
  get lag(): number {
    return this.reader.lag();
  }

  get offset(): number {
    return this.reader.offset;
  }

  /** Reads once. Throws when the file cannot be opened or read. */
  turn(shared: ReadBuffer): Turn {
    const { reader } = this;
    if (!reader.isOpen) this.open();
    const result = reader.read(shared);
    if (result.kind === "end") return { kind: "end" };
    if (result.kind === "replaced") return { kind: "replaced" };
    if (result.kind === "passed") return { kind: "batch", batch: undefined };
    const { from, to, offset } = result;
    const batch = result.kind === "lines"
      ? this.maker.fromLines(shared.buffer, from, to, offset, reader.text)
      : this.maker.fromLongLine(shared.buffer, from, to, offset, reader.text);
    return { kind: "batch", batch };
  }

  /** The unfinished last line, when no more can come. Throws like {@link turn}. */
  lastLine(shared: ReadBuffer): Batch | undefined {
    if (!this.reader.isOpen) this.open();
    const result = this.reader.readPartial(shared);
    if (result.kind !== "lines") return undefined;
    const { from, to, offset } = result;
    return this.maker.fromLines(shared.buffer, from, to, offset, this.reader.text);
  }

  /** It was renamed. */
  moveTo(path: string): void {
    this.openPath = path;
    this.realPath = realPathOf(path);
  }

  /** Gives the descriptor back; the next turn opens the file again, and goes on where it was. */
  rest(): void {
    this.reader.close();
  }

  private open(): void {
    const fd = openForTail(this.openPath);
    if (identityOf(fstatSync(fd)) !== this.identity) {
      closeSync(fd);
      throw new Error(`Cannot open ${this.openPath}: another file is there now`);
    }
    this.reader.attach(fd);
  }
}

function realPathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
