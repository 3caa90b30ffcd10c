import {
  closeSync,
  existsSync,
  ftruncateSync,
  openSync,
  readdirSync,
  renameSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import type { InputDriver } from "../../support/input-driver.ts";
import type { TempFolder } from "../../support/temp-folder.ts";
import type { Random } from "../../support/random.ts";

/** One file from its making to its end, whatever names it has had. */
interface Generation {
  readonly number: number;
  readonly fd: number;
  lines: number;
  /** How many of them were written before it was renamed or deleted. */
  before: number;
  /** Text of a line whose end is still to be written. */
  rest: string;
}

/**
 * A writer of one log file that does everything that happens to log files, and knows which lines must
 * arrive. What copytruncate loses by its nature is avoided: it waits until everything was read.
 */
export class LogWriter {
  private readonly folder: TempFolder;
  private readonly name: string;
  private readonly input: InputDriver;
  private readonly random: Random;
  private readonly generations: Generation[] = [];
  private current: Generation | undefined;
  /** What was done, for the report of a failure. */
  readonly actions: string[] = [];

  constructor(folder: TempFolder, name: string, input: InputDriver, random: Random) {
    this.folder = folder;
    this.name = name;
    this.input = input;
    this.random = random;
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
        "truncate",
        "delete",
        "late",
        "read",
        "yield",
      ],
    );
    this.actions.push(kind);
    if (kind === "write") this.write(this.opened(), random.below(40));
    else if (kind === "partial") this.partial(this.opened());
    else if (kind === "rotate") await this.rotate();
    else if (kind === "truncate") await this.truncate();
    else if (kind === "delete") await this.remove();
    else if (kind === "late") this.writeLate();
    else if (kind === "read") await this.untilRead();
    else await Bun.sleep(random.below(15));
  }

  async finish(): Promise<void> {
    for (const generation of this.generations) this.complete(generation);
    await this.untilRead();
  }

  close(): void {
    for (const { fd } of this.generations) closeSync(fd);
  }

  /** What is wrong with what arrived: nothing, when each line is there once, in the order of its file. */
  problems(ordered: boolean): string[] {
    const problems: string[] = [];
    const next = new Map<number, number>();
    const own = this.own();
    for (const [generation, line] of own) {
      const expected = next.get(generation) ?? 0;
      if (line !== expected) {
        problems.push(`${generation}: line ${line} in the place of ${expected}`);
      }
      next.set(generation, line + 1);
      if (!ordered) continue;
      for (const earlier of this.generations) {
        const missing = earlier.number < generation &&
          (next.get(earlier.number) ?? 0) < earlier.before;
        if (missing) {
          problems.push(`line ${line} of ${generation} before the end of ${earlier.number}`);
        }
      }
    }
    for (const { number, lines } of this.generations) {
      if ((next.get(number) ?? 0) !== lines) {
        problems.push(`${number}: ${next.get(number) ?? 0} of ${lines} lines`);
      }
    }
    return problems.slice(0, 5);
  }

  private own(): [generation: number, line: number][] {
    return this.input.values().flatMap((value) => {
      const [name, generation, line] = String(value).split(" ");
      return name === this.name ? [[Number(generation), Number(line)] as [number, number]] : [];
    });
  }

  private get path(): string {
    return this.folder.at(this.name);
  }

  private opened(): Generation {
    if (this.current !== undefined) return this.current;
    const number = this.generations.length;
    const fd = openSync(this.path, "a");
    this.current = { number, fd, lines: 0, before: Infinity, rest: "" };
    this.generations.push(this.current);
    return this.current;
  }

  private line(generation: Generation): string {
    const filler = "x".repeat(this.random.below(20) === 0 ? this.random.below(6000) : 0);
    return `${this.name} ${generation.number} ${generation.lines++} ${filler}ü\n`;
  }

  private write(generation: Generation, lines: number): void {
    this.complete(generation);
    let text = "";
    for (let i = 0; i < lines; i++) text += this.line(generation);
    writeSync(generation.fd, text);
  }

  private partial(generation: Generation): void {
    const bytes = Buffer.from(generation.rest || this.line(generation), "latin1");
    const cut = this.random.below(bytes.length);
    writeSync(generation.fd, bytes.subarray(0, cut));
    generation.rest = bytes.toString("latin1", cut);
  }

  private complete(generation: Generation): void {
    if (generation.rest !== "") writeSync(generation.fd, Buffer.from(generation.rest, "latin1"));
    generation.rest = "";
  }

  /** Nobody can find a file that was renamed or deleted before any of that name was ever seen. */
  private async untilSeen(isSeen: (generation: number) => boolean): Promise<void> {
    const current = this.current!;
    this.complete(current);
    if (current.lines === 0) this.write(current, 1);
    if (!this.own().some(([generation]) => isSeen(generation))) await this.untilRead();
    current.before = current.lines;
  }

  private async rotate(): Promise<void> {
    if (this.current === undefined) return;
    await this.untilSeen(() => true);
    const suffixes = readdirSync(this.folder.path).flatMap((name) => {
      const suffix = name.startsWith(`${this.name}.`)
        ? Number(name.slice(this.name.length + 1))
        : 0;
      return suffix > 0 ? [suffix] : [];
    }).sort((a, b) => b - a);
    for (const n of suffixes) renameSync(`${this.path}.${n}`, `${this.path}.${n + 1}`);
    renameSync(this.path, `${this.path}.1`);
    this.current = undefined;
  }

  private async truncate(): Promise<void> {
    const { current } = this;
    if (current === undefined) return;
    this.complete(current);
    await this.untilRead();
    ftruncateSync(current.fd);
  }

  private async remove(): Promise<void> {
    const { current } = this;
    if (current === undefined) return;
    await this.untilSeen((generation) => generation === current.number);
    if (existsSync(this.path)) unlinkSync(this.path);
    this.current = undefined;
  }

  /** A program that still has the old file open goes on writing to it. */
  private writeLate(): void {
    const old = this.generations.filter((generation) =>
      generation !== this.current && this.own().some(([number]) => number === generation.number)
    );
    if (old.length > 0) this.write(old.at(-1)!, this.random.below(5));
  }

  private async untilRead(): Promise<void> {
    const whole = () =>
      this.generations.reduce((sum, { lines, rest }) => sum + lines - (rest === "" ? 0 : 1), 0);
    const endMs = performance.now() + 5000;
    while (this.own().length < whole()) {
      if (performance.now() > endMs) throw new Error(this.problems(false).join("; "));
      await Bun.sleep(3);
    }
  }
}
