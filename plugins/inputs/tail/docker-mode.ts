import type { Body, LineJoiner, LineParser, LogRecord } from "logcollector/plugin";

export interface DockerModeOptions {
  readonly key: string;
  readonly extra: Body | undefined;
  readonly parser: LineParser | undefined;
  /** A parser whose match starts a new message; without one each whole line is a message. */
  readonly first: LineParser | undefined;
  readonly flushTimeoutMs: number;
}

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
      out.push(this.parse(line, sec, nsec));
      return;
    }
    const text = envelope.log;
    const startsNew = this.options.first?.parse(text, sec, nsec) != null;
    if (this.pending !== undefined && this.pending.isWhole && (startsNew || !this.options.first)) {
      this.flush(out);
    }
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
    if (isWhole && this.options.first === undefined) this.flush(out);
  }

  /** Tail feeds lines only. */
  feedRecord(record: LogRecord, _position: number, out: LogRecord[]): void {
    out.push(record);
  }

  flush(out: LogRecord[]): void {
    if (this.pending === undefined) return;
    const { text, envelope, sec, nsec } = this.pending;
    this.pending = undefined;
    out.push(this.parse(JSON.stringify({ ...envelope, log: text }), sec, nsec));
  }

  private parse(line: string, sec: number, nsec: number): LogRecord {
    const { parser, extra, key } = this.options;
    const parsed = parser?.parse(line, sec, nsec);
    if (parsed == null) return { sec, nsec, body: { ...extra, [key]: line } };
    Object.assign(parsed.body, extra);
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
