import { escapeControls } from "../../lib/escape-controls.ts";
import type { Logger } from "../../sdk/context.ts";
import { LEVEL_MARK } from "./protocol.ts";

const MAX_LINE = 4096;
/** Lines that are passed on within one second; more are counted. */
const MAX_LINES = 200;
/** Lines that wait until somebody wants them. */
const MAX_WAITING = 100;
const LAST_LINES = 3;
const MAX_LAST_WORDS = 500;

const LEVELS: Readonly<Record<string, keyof Logger>> = { 1: "error", 2: "warn", 4: "debug" };

/** What a plugin prints, line by line, with limits on their length and number. */
export class OutputLines {
  private readonly waiting: string[] = [];
  private log: Logger | undefined;
  private rest = "";
  private tooLong = false;
  private second = 0;
  private inSecond = 0;
  private leftOut = 0;
  private readonly recent: string[] = [];
  private panic: string | undefined;

  /** From now on lines go here, those that were printed before first. */
  to(log: Logger): void {
    this.log = log;
    for (const line of this.waiting.splice(0)) this.pass(line);
  }

  /** What tells best why the plugin failed: the message of a panic, or the last lines; "" when there is nothing. */
  get lastWords(): string {
    const lines = this.panic === undefined ? this.recent : [this.panic];
    return lines.map(textOf).join(" | ").slice(-MAX_LAST_WORDS);
  }

  /** Reads until the end of what the plugin prints. */
  async read(stream: AsyncIterable<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    try {
      for await (const chunk of stream) this.feed(decoder.decode(chunk, { stream: true }));
    } catch {
      // The process is gone.
    }
    this.endLine();
    this.tellLeftOut();
  }

  private feed(text: string): void {
    let from = 0;
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", from)) {
      this.append(text.slice(from, at));
      this.endLine();
      from = at + 1;
    }
    this.append(text.slice(from));
  }

  private append(piece: string): void {
    const room = MAX_LINE - this.rest.length;
    this.rest += piece.slice(0, room);
    this.tooLong ||= piece.length > room;
  }

  private endLine(): void {
    const line = this.tooLong ? `${this.rest} … (cut)` : this.rest;
    this.rest = "";
    this.tooLong = false;
    if (line.trim() === "") return;
    this.recent.push(line);
    if (this.recent.length > LAST_LINES) this.recent.shift();
    if (/^(panic|fatal error): /.test(line)) this.panic ??= line;
    if (this.log !== undefined) this.pass(line);
    else if (this.waiting.length < MAX_WAITING) this.waiting.push(line);
    else this.leftOut++;
  }

  private pass(line: string): void {
    const now = Math.floor(performance.now() / 1000);
    if (now !== this.second) {
      this.second = now;
      this.inSecond = 0;
      this.tellLeftOut();
    }
    if (++this.inSecond > MAX_LINES) {
      this.leftOut++;
      return;
    }
    const level = line.startsWith(LEVEL_MARK) ? LEVELS[line[1]!] ?? "info" : "info";
    this.log?.[level](textOf(line));
  }

  private tellLeftOut(): void {
    if (this.leftOut === 0 || this.log === undefined) return;
    this.log.warn(`The plugin printed ${this.leftOut} more lines, which are left out`);
    this.leftOut = 0;
  }
}

function textOf(line: string): string {
  return escapeControls(line.startsWith(LEVEL_MARK) ? line.slice(2) : line).trimEnd();
}
