import type { Body, LineJoiner, LineParser, LogRecord } from "logcollector/plugin";

export interface DockerModeOptions {
  readonly key: string;
  readonly extra: Body | undefined;
  /** The field that gets the offset of a message's first line. */
  readonly offsetKey: string | undefined;
  readonly parser: LineParser | undefined;
  /**
   * A parser that takes the lines, as Docker wrote them, that start a message; without one each whole line
   * is a message, and so is each until it took one.
   */
  readonly first: LineParser | undefined;
  readonly flushTimeoutMs: number;
}

/** A message that does not end is cut into pieces of this size, as joined texts are by default, in characters. */
const MAX_CHARS = 2_000_000;

interface Pending {
  text: string;
  envelope: Body;
  sec: number;
  nsec: number;
  position: number;
  /** The last part ended its line, so that only a new message can end the wait. */
  isWhole: boolean;
}

/**
 * Joins lines that Docker's json-file driver split at 16 KiB: a part whose `log` does not end in a line
 * break goes on in the next. The joined line then goes through the parser like any other.
 */
export class DockerModeJoiner implements LineJoiner {
  readonly flushTimeoutMs: number;
  private readonly options: DockerModeOptions;
  private pending: Pending | undefined;
  private hasStarted = false;

  constructor(options: DockerModeOptions) {
    this.options = options;
    this.flushTimeoutMs = options.flushTimeoutMs;
  }

  get pendingPosition(): number {
    return this.pending?.position ?? -1;
  }

  feed(line: string, sec: number, nsec: number, position: number, out: LogRecord[]): void {
    const envelope = envelopeOf(line);
    if (envelope === undefined) {
      this.flush(out);
      out.push(this.parse(line, sec, nsec, position));
      return;
    }
    const text = envelope.log;
    const startsNew = this.options.first?.parse(line, sec, nsec) != null;
    this.hasStarted ||= startsNew;
    if (this.pending?.isWhole && (startsNew || !this.hasStarted)) this.flush(out);
    const isWhole = text.endsWith("\n");
    const before = this.pending;
    this.pending = {
      text: (before?.text ?? "") + text,
      envelope,
      sec,
      nsec,
      position: before?.position ?? position,
      isWhole,
    };
    const isFull = this.pending.text.length >= MAX_CHARS;
    if (isFull || (isWhole && this.options.first === undefined)) this.flush(out);
  }

  /** Tail feeds lines only. */
  feedRecord(record: LogRecord, _position: number, out: LogRecord[]): void {
    out.push(record);
  }

  flush(out: LogRecord[]): void {
    if (this.pending === undefined) return;
    const { text, envelope, sec, nsec, position } = this.pending;
    this.pending = undefined;
    out.push(this.parse(JSON.stringify({ ...envelope, log: text }), sec, nsec, position));
  }

  private parse(line: string, sec: number, nsec: number, position: number): LogRecord {
    const { parser, extra, key, offsetKey } = this.options;
    const added = offsetKey === undefined ? extra : { ...extra, [offsetKey]: position };
    const parsed = parser?.parse(line, sec, nsec);
    if (parsed == null) return { sec, nsec, body: { ...added, [key]: line } };
    Object.assign(parsed.body, added);
    return parsed;
  }
}

/** The object that Docker wrote, or `undefined` for a line that is none. */
function envelopeOf(line: string): (Body & { log: string }) | undefined {
  try {
    const value = JSON.parse(line);
    return typeof value?.log === "string" ? value : undefined;
  } catch {
    return undefined;
  }
}
