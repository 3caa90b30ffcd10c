import type { Body, LogRecord } from "./record.ts";

/** Lines as they were read, not yet made into records: what a pipeline that only moves lines works on. */
export interface RawLines {
  /** The field that a line becomes, `log` for most inputs. */
  readonly key: string;
  readonly lines: readonly string[];
  /** Number of lines: does not split the text. */
  readonly count: number;
  /** The lines with a line feed between two: does not split what came as one text. */
  readonly text: string;
  /** The time of all the lines, as in {@link LogRecord}. */
  readonly sec: number;
  readonly nsec: number;
  /** Fields that every record of the batch carries in front of its line, such as the file's path. */
  readonly extra?: Readonly<Body> | undefined;
}

/** Lines for {@link Batch.ofLines}: as a list, or as one text with a line feed between two and their number. */
export type RawSource =
  & Pick<RawLines, "key" | "sec" | "nsec" | "extra">
  & (Pick<RawLines, "lines"> | Pick<RawLines, "text" | "count">);

class RawBlock implements RawLines {
  readonly key: string;
  readonly count: number;
  readonly sec: number;
  readonly nsec: number;
  readonly extra: Readonly<Body> | undefined;
  private list: readonly string[] | undefined;
  private whole: string | undefined;

  constructor(source: RawSource) {
    this.key = source.key;
    this.sec = source.sec;
    this.nsec = source.nsec;
    this.extra = source.extra;
    this.list = "lines" in source ? source.lines : undefined;
    this.whole = "text" in source ? source.text : undefined;
    this.count = "lines" in source ? source.lines.length : source.count;
  }

  get lines(): readonly string[] {
    return this.list ??= this.count === 0 ? [] : this.whole!.split("\n");
  }

  get text(): string {
    return this.whole ??= this.list!.join("\n");
  }
}

/** What {@link Batch} remembers of where it came from. Derived batches inherit it. */
export interface BatchOrigin {
  /** The ordered source inside the input: a file, a connection. Acks come in order per stream. */
  readonly stream?: string | undefined;
  /** Size of what was read from the source, in bytes; 0 when the input does not know. */
  readonly bytes?: number | undefined;
}

/**
 * The records that one input hands over at once, all with one tag, from one stream.
 *
 * A batch of raw lines makes its records when somebody first asks for them; an output that can write
 * the lines as they are ({@link Batch.raw}) never pays for the objects.
 */
export class Batch {
  readonly tag: string;
  readonly stream: string;
  readonly bytes: number;
  private list: LogRecord[] | undefined;
  private rawLines: RawLines | undefined;

  private constructor(
    tag: string,
    list: LogRecord[] | undefined,
    rawLines: RawLines | undefined,
    stream: string,
    bytes: number,
  ) {
    this.tag = tag;
    this.list = list;
    this.rawLines = rawLines;
    this.stream = stream;
    this.bytes = bytes;
  }

  /** A batch of records. The batch takes the array over: the caller must not keep it. */
  static of(tag: string, records: LogRecord[], origin: BatchOrigin = {}): Batch {
    return new Batch(tag, records, undefined, origin.stream ?? "", origin.bytes ?? 0);
  }

  /** A batch of lines that become records only when somebody reads {@link records}. */
  static ofLines(tag: string, raw: RawSource, origin: BatchOrigin = {}): Batch {
    return new Batch(tag, undefined, new RawBlock(raw), origin.stream ?? "", origin.bytes ?? 0);
  }

  /** Number of records. Does not make records of raw lines. */
  get length(): number {
    return this.list?.length ?? this.rawLines!.count;
  }

  /** The lines, as long as nobody asked for the records; afterwards `undefined`. */
  get raw(): RawLines | undefined {
    return this.rawLines;
  }

  /** The records, made from the raw lines at the first call. A filter may change them in place. */
  get records(): LogRecord[] {
    if (this.list === undefined) {
      this.list = materialise(this.rawLines!);
      this.rawLines = undefined;
    }
    return this.list;
  }

  /** A batch with the same tag and origin and other records: what a filter returns. */
  with(records: LogRecord[]): Batch {
    return new Batch(this.tag, records, undefined, this.stream, this.bytes);
  }

  /** A batch with the same origin under another tag: it goes through the filters again from the first. */
  retag(tag: string, records: LogRecord[] = this.records): Batch {
    return new Batch(tag, records, undefined, this.stream, this.bytes);
  }
}

function materialise(raw: RawLines): LogRecord[] {
  const { lines, key, sec, nsec, extra } = raw;
  const records = new Array<LogRecord>(lines.length);
  for (let i = 0; i < lines.length; i++) {
    const body: Body = extra === undefined ? { [key]: lines[i]! } : { ...extra, [key]: lines[i]! };
    records[i] = { sec, nsec, body };
  }
  return records;
}
