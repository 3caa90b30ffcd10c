import type { Body } from "./record.ts";

/** Lines as they were read, not yet made into records: what a pipeline that only moves lines works on. */
export interface RawLines {
  /** The field that a line becomes, `log` for most inputs. */
  readonly key: string;
  readonly lines: readonly string[];
  /** Number of lines: does not split the text. */
  readonly count: number;
  /** The lines with a line feed between two: does not split what came as one text. */
  readonly text: string;
  /**
   * The same as {@link text} in valid UTF-8, when it came as that and nobody asked for the text. The memory is
   * the reader's: it is valid only while the batch is handed over.
   */
  readonly bytes: Uint8Array | undefined;
  /** The time of all the lines, as in `LogRecord`. */
  readonly sec: number;
  readonly nsec: number;
  /** Fields that every record of the batch carries in front of its line, such as the file's path. */
  readonly extra?: Readonly<Body> | undefined;
}

/** Lines for `Batch.ofLines`: as a list, or as one text or its UTF-8 bytes with a line feed between two and their number. */
export type RawSource =
  & Pick<RawLines, "key" | "sec" | "nsec" | "extra">
  & (
    | Pick<RawLines, "lines">
    | Pick<RawLines, "text" | "count">
    | { readonly bytes: Uint8Array; readonly count: number }
  );

export class RawBlock implements RawLines {
  readonly key: string;
  readonly count: number;
  readonly sec: number;
  readonly nsec: number;
  readonly extra: Readonly<Body> | undefined;
  bytes: Uint8Array | undefined;
  private list: readonly string[] | undefined;
  private whole: string | undefined;

  constructor(source: RawSource) {
    this.key = source.key;
    this.sec = source.sec;
    this.nsec = source.nsec;
    this.extra = source.extra;
    this.bytes = "bytes" in source ? source.bytes : undefined;
    this.list = "lines" in source ? source.lines : undefined;
    this.whole = "text" in source ? source.text : undefined;
    this.count = "lines" in source ? source.lines.length : source.count;
  }

  get lines(): readonly string[] {
    return this.list ??= this.count === 0 ? [] : this.text.split("\n");
  }

  get text(): string {
    return this.whole ??= this.list?.join("\n") ?? this.decode();
  }

  /** Lets go of the reader's memory without having used it. */
  expire(): void {
    this.bytes = undefined;
  }

  private decode(): string {
    const { bytes } = this;
    if (bytes === undefined) {
      throw new Error(
        "Cannot read a batch's lines: their memory was given back after the hand-over",
      );
    }
    this.bytes = undefined;
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8");
  }
}
