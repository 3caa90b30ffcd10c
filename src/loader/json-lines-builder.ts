import { type JsonLines, SPAN } from "../sdk/json-lines.ts";
import type { LogRecord } from "../sdk/record.ts";

const FIRST_LINES = 512;
const NONE: ReadonlyMap<number, string> = new Map();

/** Collects where the records of a block are and what time they have, in memory that is used again and again. */
export class JsonLinesBuilder {
  private spans = new Int32Array(FIRST_LINES * SPAN.size);
  private sec = new Float64Array(FIRST_LINES);
  private nsec = new Int32Array(FIRST_LINES);
  private rewritten: Map<number, string> | undefined;
  count = 0;

  get rewrittenCount(): number {
    return this.rewritten?.size ?? 0;
  }

  clear(): void {
    this.count = 0;
    this.rewritten = undefined;
  }

  /** An object from `start` to `end`, without what lies from `cutFrom` to `cutTo`. */
  add(
    start: number,
    end: number,
    time: Pick<LogRecord, "sec" | "nsec">,
    cutFrom = end,
    cutTo = end,
  ): void {
    const i = this.next(time);
    const { spans } = this;
    const span = i * SPAN.size;
    spans[span + SPAN.start] = start;
    spans[span + SPAN.cutFrom] = cutFrom;
    spans[span + SPAN.cutTo] = cutTo;
    spans[span + SPAN.end] = end;
  }

  /** An object that is not in the bytes. */
  addRewritten(text: string, time: Pick<LogRecord, "sec" | "nsec">): void {
    const i = this.next(time);
    (this.rewritten ??= new Map()).set(i, text);
  }

  build(bytes: Buffer, onRecords: () => void): JsonLines {
    const { count, spans, sec, nsec, rewritten = NONE } = this;
    return { count, bytes, spans, sec, nsec, rewritten, onRecords };
  }

  private next({ sec, nsec }: Pick<LogRecord, "sec" | "nsec">): number {
    const i = this.count++;
    if (i === this.sec.length) this.grow();
    this.sec[i] = sec;
    this.nsec[i] = nsec;
    return i;
  }

  private grow(): void {
    const length = this.sec.length * 2;
    const { spans, sec, nsec } = this;
    this.spans = new Int32Array(length * SPAN.size);
    this.spans.set(spans);
    this.sec = new Float64Array(length);
    this.sec.set(sec);
    this.nsec = new Int32Array(length);
    this.nsec.set(nsec);
  }
}
