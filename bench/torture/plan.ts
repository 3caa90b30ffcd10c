import { Random } from "../../test/support/random.ts";
import type { LogFolder } from "./log-folder.ts";
import type { SinkMode } from "./torture-sink.ts";

/** A line that was written, and what may come of it. */
export interface Written {
  readonly text: string;
  /** How often it was written: lines that are alike have one number. */
  times: number;
  /** What else than the text itself is right. */
  readonly accepts?: (log: string) => boolean;
}

/** One thing that happens, to every collector at the same moment. */
export type Step =
  | { readonly kind: "files"; readonly act: (folder: LogFolder) => void }
  | { readonly kind: "pause"; readonly ms: number }
  /** Until everybody has what was written so far, or gets nothing more. */
  | { readonly kind: "settle"; readonly written: number }
  | { readonly kind: "process"; readonly act: "start" | "stop" | "kill" }
  | { readonly kind: "sink"; readonly mode: SinkMode };

/** The longest line that is not cut, for all. */
export const MAX_LINE_BYTES = 256_000;

/** What finds a line again, wherever it went: its source and its number there. */
export const LINE_ID = /[a-z][a-z0-9-]{0,20}#\d+\|/g;

const WORDS = [
  "GET",
  "/index.html",
  "größer",
  "☃",
  "😀",
  '"quoted"',
  "back\\slash",
  "a\tb",
  "7",
  "{}",
];

/** What happens to some files, worked out beforehand from a seed: the same bytes for everybody. */
export class Plan {
  readonly steps: Step[] = [];
  readonly lines = new Map<string, Written>();
  /** Lines written so far. */
  written = 0;
  readonly random: Random;
  private readonly next = new Map<string, number>();

  constructor(seed: number) {
    this.random = new Random(seed);
  }

  /** Lines of a source, with their ends; they count as written from here on. */
  text(source: string, count: number, end = "\n"): string {
    let text = "";
    for (let i = 0; i < count; i++) text += this.line(source, this.words()) + end;
    return text;
  }

  /** One line, without its end. */
  line(source: string, payload: string, accepts?: Written["accepts"]): string {
    const number = this.next.get(source) ?? 0;
    this.next.set(source, number + 1);
    const text = `${source}#${number}|${payload}|`;
    this.lines.set(text.slice(0, text.indexOf("|") + 1), {
      text,
      times: 1,
      ...(accepts === undefined ? {} : { accepts }),
    });
    this.written++;
    return text;
  }

  /** The same line, once more. */
  again(text: string): string {
    this.lines.get(text.slice(0, text.indexOf("|") + 1))!.times++;
    this.written++;
    return text;
  }

  files(act: (folder: LogFolder) => void): void {
    this.steps.push({ kind: "files", act });
  }

  append(file: string, content: string | Uint8Array): void {
    this.files((folder) => folder.append(file, content));
  }

  /** Appends some lines of a source to a file, in several writes with small pauses. */
  write(file: string, source: string, writes = 1, most = 40, pauseMs = 15): void {
    for (let i = 0; i < writes; i++) {
      this.append(file, this.text(source, 1 + this.random.below(most)));
      if (writes > 1) this.pause(this.random.below(pauseMs));
    }
  }

  pause(ms: number): void {
    this.steps.push({ kind: "pause", ms });
  }

  settle(): void {
    this.steps.push({ kind: "settle", written: this.written });
  }

  start(): void {
    this.steps.push({ kind: "process", act: "start" });
  }

  stop(): void {
    this.steps.push({ kind: "process", act: "stop" });
  }

  kill(): void {
    this.steps.push({ kind: "process", act: "kill" });
  }

  sink(mode: SinkMode): void {
    this.steps.push({ kind: "sink", mode });
  }

  private words(): string {
    let text = "";
    for (let i = 2 + this.random.below(12); i >= 0; i--) text += `${this.random.pick(WORDS)} `;
    return text;
  }
}
