import type { QueuedPayload } from "../queued-payload.ts";
import type { LogReader } from "./log-reader.ts";

interface Ready {
  readonly seq: number;
  readonly endRecord: number;
  readonly payload: QueuedPayload;
}

/** The next entries of a queue as they are in memory: while there are some, nothing needs to be read. */
export class ReadyPayloads {
  private readonly limit: number;
  private readonly entries: Ready[] = [];

  constructor(limit: number) {
    this.limit = limit;
  }

  get isFull(): boolean {
    return this.entries.length >= this.limit;
  }

  /** The last one's number; `undefined` when there is none. */
  get lastSeq(): number | undefined {
    return this.entries.at(-1)?.seq;
  }

  /** Keeps a payload that was just written, when nothing lies between it and what comes before it here. */
  keep(payload: QueuedPayload, seq: number, endRecord: number, reader: LogReader): boolean {
    const before = this.entries.at(-1)?.seq ?? reader.seq;
    if (before !== seq - 1 || this.entries.length >= this.limit) return false;
    this.entries.push({ seq, endRecord, payload });
    return true;
  }

  /** The next one, which then counts as read. */
  take(reader: LogReader): QueuedPayload | undefined {
    const next = this.entries.shift();
    if (next === undefined) return undefined;
    reader.passOver(next.seq, next.endRecord);
    return next.payload;
  }

  /** Takes those up to a number out, because they are given up. */
  drop(upTo: number): readonly Pick<Ready, "seq" | "payload">[] {
    const count = this.entries.findIndex(({ seq }) => seq > upTo);
    return this.entries.splice(0, count === -1 ? this.entries.length : count);
  }
}
