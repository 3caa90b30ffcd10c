import {
  closeSync,
  copyFileSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { gzipSync } from "node:zlib";
import type { TempFolder } from "../../support/temp-folder.ts";
import type { Random } from "../../support/random.ts";
import type { Lives } from "./tail-lives.ts";

/** The step of the clock by which the file system puts down times, and a little more. */
const CLOCK_STEP_MS = 12;

/** How a log is rotated. */
export type RotationStyle = "rename" | "copy";

/** What is written into one file from its making, or from its being emptied, on. */
class Content {
  readonly number: number;
  /** The whole lines. */
  readonly lines: string[];
  readonly fd: number;
  /** Others have the same first lines. */
  isShared = false;
  /** How many of the lines were written before it was rotated or deleted. */
  before = Infinity;
  /** Of this many lines it is certain that they can still be read. */
  needed = Infinity;
  /** Nothing more is written to it: another content has its file. */
  isOver = false;
  /** Its file is deleted: what is unread when the collector ends is lost. */
  isGone = false;
  /** The life in which tail saw something of it. */
  seenInLife = -1;
  /** Its first line was written in pieces. */
  wasPartial = false;
  /** Tail cannot know whether it was read. */
  mayRepeat = false;
  /** Bytes of a line whose end is still to be written. */
  rest = "";

  constructor(number: number, fd: number, lines: string[]) {
    this.number = number;
    this.fd = fd;
    this.lines = lines;
  }

  /** The lines that are there, and can still be read. */
  get expected(): string[] {
    const whole = this.lines.length - (this.rest === "" ? 0 : 1);
    return this.lines.slice(0, Math.min(whole, this.needed));
  }
}

/**
 * A writer of one log file that does everything that happens to log files, and knows which lines must
 * arrive. What is lost by the nature of things is avoided: what nobody has seen before its name was gone, and what is
 * in a file that is deleted or emptied while nobody looks.
 */
export class LogWriter {
  /** What was done, for the report of a failure. */
  readonly actions: string[] = [];
  private readonly folder: TempFolder;
  private readonly name: string;
  private readonly lives: Lives;
  private readonly random: Random;
  private readonly style: RotationStyle;
  private readonly contents: Content[] = [];
  private readonly descriptors = new Set<number>();
  private current: Content | undefined;
  /** Tail has put down that there is such a file. */
  private isKnown = false;

  constructor(
    folder: TempFolder,
    name: string,
    lives: Lives,
    random: Random,
    style: RotationStyle,
  ) {
    this.folder = folder;
    this.name = name;
    this.lives = lives;
    this.random = random;
    this.style = style;
  }

  /** Does one thing, chosen at random. */
  async step(): Promise<void> {
    const { random } = this;
    const kind = random.pick(
      [
        "write",
        "write",
        "write",
        "partial",
        "rotate",
        "rotate",
        "truncate",
        "delete",
        "again",
        "pack",
        "late",
        "read",
        "yield",
      ] as const,
    );
    this.actions.push(kind);
    if (kind === "write") this.write(this.opened(), random.below(40));
    else if (kind === "partial") this.partial(this.opened());
    else if (kind === "rotate") await this.rotate();
    else if (kind === "truncate") await this.truncate();
    else if (kind === "delete") await this.remove();
    else if (kind === "again") await this.makeAgain();
    else if (kind === "pack") await this.pack();
    else if (kind === "late") this.writeLate();
    else if (kind === "read") await this.untilRead();
    else await Bun.sleep(random.below(15));
  }

  /** The collector ended: what it had not read of files that are gone cannot be read any more. */
  ended(): void {
    const counts = this.lives.counts();
    for (const content of this.contents) if (content.isGone) this.giveUp(content, counts);
  }

  async finish(): Promise<void> {
    for (const content of this.contents) this.complete(content);
    await this.untilRead();
  }

  close(): void {
    for (const fd of this.descriptors) closeSync(fd);
  }

  /** What is wrong with what arrived: nothing, when each line is there, in order, and no more often than it may be. */
  problems(ordered: boolean): string[] {
    const problems = this.lives.all().flatMap(({ lines, before }, life) =>
      this.disorder(lines, ordered ? before : undefined).map((what) => `life ${life}: ${what}`)
    );
    return [...problems, ...this.missing(), ...this.repeated()].slice(0, 5);
  }

  private missing(): string[] {
    const counts = this.lives.counts();
    return [...this.expectedCounts()].filter(([line, expected]) =>
      (counts.get(line) ?? 0) < expected
    ).map(([line, expected]) => `${shown(line)}: ${counts.get(line) ?? 0} of ${expected} times`);
  }

  /** What was settled must not come again; what is under way in this life counts as settled. */
  private repeated(): string[] {
    const counts = new Map(this.lives.settled);
    if (this.lives.isRunning) {
      for (const line of this.lives.all().at(-1)!.lines) {
        counts.set(line, (counts.get(line) ?? 0) + 1);
      }
    }
    const allowed = new Map<string, number>();
    for (const { lines, mayRepeat } of this.contents) {
      for (const line of lines) {
        allowed.set(line, (allowed.get(line) ?? 0) + (mayRepeat ? Infinity : 1));
      }
    }
    return [...counts].filter(([line, count]) =>
      line.startsWith(`${this.name} `) && count > (allowed.get(line) ?? 0)
    ).map(([line, count]) => `${shown(line)}: ${count} times`);
  }

  /** The lines of a content come one after the other, and those of the contents before it have come by then. */
  private disorder(
    lines: readonly string[],
    before: ReadonlyMap<string, number> | undefined,
  ): string[] {
    const problems: string[] = [];
    const next = new Map<number, number>();
    const seen = new Set<string>(before?.keys());
    let earliest = 0;
    for (const line of lines) {
      const [name, number, index] = line.split(" ");
      if (name !== this.name) continue;
      seen.add(line);
      const content = this.contents[Number(number)]!;
      if (content.isShared || content.mayRepeat) continue;
      const expected = next.get(content.number) ?? Number(index);
      if (Number(index) !== expected) {
        problems.push(`${shown(line)} in the place of ${expected}`);
      }
      next.set(content.number, Number(index) + 1);
      if (before === undefined) continue;
      while (earliest < content.number && this.isThrough(this.contents[earliest]!, seen)) {
        earliest++;
      }
      if (earliest < content.number) problems.push(`${shown(line)} before the end of ${earliest}`);
    }
    return problems;
  }

  private isThrough({ lines, before, needed }: Content, seen: ReadonlySet<string>): boolean {
    return lines.slice(0, Math.min(before, needed)).every((line) => seen.has(line));
  }

  private expectedCounts(): Map<string, number> {
    const expected = new Map<string, number>();
    for (const content of this.contents) {
      for (const line of content.expected) expected.set(line, (expected.get(line) ?? 0) + 1);
    }
    return expected;
  }

  private get path(): string {
    return this.folder.at(this.name);
  }

  private opened(): Content {
    if (this.current !== undefined) return this.current;
    const fd = openSync(this.path, "a");
    this.descriptors.add(fd);
    return this.begin(fd, []);
  }

  private begin(fd: number, lines: string[]): Content {
    this.current = new Content(this.contents.length, fd, lines);
    this.contents.push(this.current);
    return this.current;
  }

  private line(content: Content): string {
    const start = `${this.name} ${content.number} ${content.lines.length}`;
    // No two lines end alike.
    const filler = `${content.number}:${content.lines.length},`
      .repeat(this.random.below(20) === 0 ? this.random.below(1000) : 0);
    const line = `${start} ${filler}ü`;
    content.lines.push(line);
    return `${line}\n`;
  }

  private write(content: Content, lines: number): void {
    this.complete(content);
    let text = "";
    for (let i = 0; i < lines; i++) text += this.line(content);
    writeSync(content.fd, text);
  }

  private partial(content: Content): void {
    const bytes = content.rest === ""
      ? Buffer.from(this.line(content))
      : Buffer.from(content.rest, "latin1");
    const cut = this.random.below(bytes.length);
    content.wasPartial ||= content.lines.length === 1;
    writeSync(content.fd, bytes.subarray(0, cut));
    content.rest = bytes.toString("latin1", cut);
  }

  private complete(content: Content): void {
    if (content.rest !== "") writeSync(content.fd, Buffer.from(content.rest, "latin1"));
    content.rest = "";
  }

  /**
   * Nobody can find a file that was renamed or deleted before any of that name was ever seen. False while that is
   * so.
   */
  private async untilKnown(): Promise<boolean> {
    const { lives, current } = this;
    if (current === undefined) return false;
    this.complete(current);
    if (!lives.isRunning) return this.isKnown;
    if (!this.isKnown) {
      if (current.lines.length === 0) this.write(current, 1);
      await this.untilRead();
      lives.commit();
      this.isKnown = true;
    }
    return true;
  }

  /** True once all that was written is safe, and is known to be. */
  private async untilSettled(): Promise<boolean> {
    const { lives } = this;
    if (lives.isRunning) {
      await this.untilRead();
      lives.ackAll();
      lives.commit();
      return true;
    }
    return [...this.expectedCounts()].every(([line, expected]) =>
      (lives.settled.get(line) ?? 0) >= expected
    );
  }

  private async rotate(): Promise<void> {
    if (!await this.untilKnown()) return;
    const current = this.current!;
    if (this.style === "copy") {
      await this.untilSeen(current);
      // A copy that is made within one step of the clock looks like an earlier file.
      await Bun.sleep(Math.max(0, statSync(this.path).birthtimeMs + CLOCK_STEP_MS - Date.now()));
    }
    for (const { from, to } of this.shifts()) renameSync(from, to);
    current.before = current.lines.length;
    if (this.style === "rename") {
      renameSync(this.path, `${this.path}.1`);
      this.current = undefined;
    } else {
      copyFileSync(this.path, `${this.path}.1`);
      this.empty(current);
    }
  }

  /**
   * A file that was found empty, or with a few bytes in it, and was filled and emptied before it was read, cannot be
   * told from one that is still to be written to. One that was emptied before under tail's eyes is looked at closely.
   */
  private async untilSeen(content: Content): Promise<void> {
    const life = this.lives.all().length;
    const before = this.contents.at(-2);
    const isWatched = before?.fd === content.fd && before.seenInLife === life;
    if (this.lives.isRunning && (!isWatched || content.wasPartial)) {
      if (content.lines.length === 0) this.write(content, 1);
      await this.untilRead();
    }
    content.seenInLife = life;
  }

  /** The renames that make room for one more rotated file. */
  private shifts(): { from: string; to: string }[] {
    return this.rotated().map(({ n, packed }) => ({
      from: `${this.path}.${n}${packed}`,
      to: `${this.path}.${n + 1}${packed}`,
    }));
  }

  /** The rotated files, the oldest first. */
  private rotated(): { n: number; packed: string }[] {
    return readdirSync(this.folder.path).flatMap((name) => {
      const [, own, n, packed = ""] = /^(.*)\.(\d+)(\.gz)?$/.exec(name) ?? [];
      return own === this.name ? [{ n: Number(n), packed }] : [];
    }).sort((a, b) => b.n - a.n);
  }

  /**
   * Compresses the oldest rotated file that is not compressed yet, as gzip does it. While tail runs it must have the
   * file open. Nothing tells two files apart that have the same content once both are compressed. Compressed copies
   * are not tried: of those that are made within a second it cannot be told which were read.
   */
  private async pack(): Promise<void> {
    if (this.style === "copy" || this.contents.some(({ isShared }) => isShared)) return;
    await this.untilRead();
    const oldest = this.rotated().find(({ packed }) => packed === "");
    if (oldest === undefined) return;
    const path = `${this.path}.${oldest.n}`;
    const { atime, mtime, ino } = statSync(path);
    const own = this.contents.filter(({ fd }) => fstatSync(fd).ino === ino);
    for (const content of own) {
      this.complete(content);
      content.isOver = true;
      // Where the collector is killed before it put down which file it had read, it cannot tell.
      content.mayRepeat = true;
    }
    writeFileSync(`${path}.gz`, gzipSync(readFileSync(path)));
    utimesSync(`${path}.gz`, atime, mtime);
    unlinkSync(path);
  }

  /** Empties the file without a copy. */
  private async truncate(): Promise<void> {
    const { current } = this;
    if (current === undefined) return;
    this.complete(current);
    if (!await this.untilSettled()) return;
    this.empty(current);
    this.forgetCopies();
  }

  /** Nothing tells a copy of a file that is gone, or of a content that was not copied, from a file of its own. */
  private forgetCopies(): void {
    if (this.style === "copy") { for (const content of this.contents) content.mayRepeat = true; }
  }

  /** What is written from now on is another content. */
  private empty(current: Content): void {
    current.before = current.lines.length;
    current.isOver = true;
    ftruncateSync(current.fd);
    this.begin(current.fd, []);
  }

  private async remove(): Promise<void> {
    if (!await this.untilKnown()) return;
    const { current, lives } = this;
    // While it runs it must have the file open.
    if (lives.isRunning) await this.untilRead();
    unlinkSync(this.path);
    current!.before = current!.lines.length;
    current!.isGone = true;
    this.current = undefined;
    if (!lives.isRunning) this.giveUp(current!, lives.counts());
    // Nothing tells a copy of a file that is gone from a file of its own.
    if (this.style === "copy") { for (const content of this.contents) content.mayRepeat = true; }
  }

  /** Makes another file with the same lines: all of them must arrive again. */
  private async makeAgain(): Promise<void> {
    const { current } = this;
    if (!await this.untilKnown() || !await this.untilSettled()) return;
    if (this.style === "rename" && this.random.below(2) === 0) await this.rotate();
    else await this.remove();
    const fd = openSync(this.path, "a");
    this.descriptors.add(fd);
    const next = this.begin(fd, [...current!.lines]);
    next.isShared = true;
    // Of copies of the same content it cannot be told which was read.
    next.mayRepeat = this.style === "copy";
    current!.isShared = true;
    writeSync(fd, current!.lines.map((line) => `${line}\n`).join(""));
  }

  /** A program that still has the old file open goes on writing to it. */
  private writeLate(): void {
    const isOpen = (content: Content) =>
      content !== this.current && !content.isShared && !content.isOver &&
      (this.lives.isRunning || !content.isGone);
    const old = this.contents.filter(isOpen);
    const counts = this.lives.counts();
    const seen = old.filter(({ lines }) => lines[0] !== undefined && counts.has(lines[0]));
    if (seen.length > 0) this.write(seen.at(-1)!, this.random.below(5));
  }

  private giveUp(content: Content, counts: ReadonlyMap<string, number>): void {
    const expected = this.expectedCounts();
    const first = content.lines.findIndex((line) =>
      (counts.get(line) ?? 0) < (expected.get(line) ?? 1)
    );
    if (first !== -1) content.needed = Math.min(content.needed, first);
    content.isOver = true;
  }

  private async untilRead(): Promise<void> {
    if (!this.lives.isRunning) return;
    const endMs = performance.now() + 5000;
    while (this.missing().length > 0) {
      if (performance.now() > endMs) throw new Error(this.problems(false).join("; "));
      await Bun.sleep(3);
    }
  }
}

function shown(line: string): string {
  return line.slice(0, 30);
}
