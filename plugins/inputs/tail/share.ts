import type { Stats } from "node:fs";
import type { Shard } from "logcollector/plugin";
import type { BirthTimes } from "./birth-times.ts";
import type { KnownFile } from "./known-files.ts";
import type { FoundFile } from "./scan.ts";
import type { Step } from "./step-work.ts";
import { claimOfFound, claimOfKnown, fileKey } from "./stream-claim.ts";

/** The share of the files that this instance has; all of them, where it is the only one. */
export class Share {
  private readonly shard: Shard | undefined;
  private readonly births: BirthTimes;
  /** The files of the last scan, and whether they are this share's. */
  private decided = new Map<string, boolean>();
  /** Paths of the last scan where others' files lie. */
  private paths: ReadonlySet<string> = new Set();

  constructor(shard: Shard | undefined, births: BirthTimes) {
    this.shard = shard;
    this.births = births;
  }

  /** What is for one instance to do. */
  get isFirst(): boolean {
    return this.shard === undefined || this.shard.index === 0;
  }

  /** There is no other instance. */
  get isWhole(): boolean {
    return this.shard === undefined;
  }

  /** Others have files too, as far as the last scan says. */
  get isPart(): boolean {
    return this.paths.size > 0;
  }

  /** At the last scan another's file lay there. */
  isElsewhere(path: string): boolean {
    return this.paths.has(path);
  }

  /** At the last scan it was found, as another's. */
  isOthers(stat: Stats): boolean {
    return this.decided.get(this.keyOf(stat)) === false;
  }

  /** Those of the known files that are this share's. */
  async ofKnown(files: readonly KnownFile[]): Promise<readonly KnownFile[]> {
    if (this.shard === undefined || files.length === 0) return files;
    const claims = files.map(({ stream, position }) => claimOfKnown(stream, position.file));
    const own = await this.shard.claim(claims);
    return files.filter((_, i) => own[i]);
  }

  /** Those of the files that a scan found which are this share's. */
  *ofFound(files: FoundFile[]): Generator<Step, FoundFile[]> {
    const { shard, births } = this;
    if (shard === undefined) return files;
    const keys = files.map(({ stat }) => this.keyOf(stat));
    const decided = new Map<string, boolean>();
    const open = new Map<string, FoundFile>();
    for (const [i, found] of files.entries()) {
      const known = this.decided.get(keys[i]!);
      if (known === undefined) open.set(keys[i]!, found);
      else decided.set(keys[i]!, known);
    }
    if (open.size > 0) {
      const claims = [...open.values()].map(({ path, stat }) => claimOfFound(path, stat, births));
      yield shard.claim(claims).then((own) => {
        for (const [i, key] of [...open.keys()].entries()) decided.set(key, own[i]!);
      });
    }
    this.decided = decided;
    const isOwn = files.map((_, i) => decided.get(keys[i]!) === true);
    this.paths = new Set(files.filter((_, i) => !isOwn[i]).map(({ path }) => path));
    return files.filter((_, i) => isOwn[i]);
  }

  /** The first scan is over. */
  found(): void {
    this.shard?.found();
  }

  /** Nothing is known of the file any more. */
  forget({ position: { file: { ino, birthMs, dev } } }: KnownFile): void {
    this.shard?.release(fileKey(ino, birthMs, dev));
  }

  private keyOf(stat: Stats): string {
    return fileKey(stat.ino, this.births.of(stat), stat.dev);
  }
}
