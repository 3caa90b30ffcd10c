import type { LinkedRule } from "../../lib/multiline/state-rules.ts";
import type { Body, LogRecord } from "../../sdk/record.ts";

/** The line that is being fed. One object per joiner, so that feeding allocates nothing. */
export interface FedLine {
  /** The text to join. */
  content: string;
  /** The fields around it; `undefined` when the line is plain text. */
  body: Body | undefined;
  sec: number;
  nsec: number;
  metadata: Body | undefined;
  position: number;
}

/** What every record of a joiner gets. */
export interface JoinedShape {
  /** The field that text without fields becomes. */
  readonly key: string;
  readonly extra: Readonly<Body> | undefined;
  readonly positionKey: string | undefined;
  readonly maxLength: number;
  readonly onTruncated: (() => void) | undefined;
}

/** The record that grows in one group of a stream: stdout or stderr, or the only one. */
export class Group {
  /** The rule that the last line matched. It outlives the record, as in Fluent Bit. */
  rule: LinkedRule | undefined;
  position = -1;
  length = 0;
  truncated = false;
  private text = "";
  private endsWithNewline = false;
  private body: Body | undefined;
  private sec = 0;
  private nsec = 0;
  private metadata: Body | undefined;
  private readonly shape: JoinedShape;
  /** The field of the content; without one, text ends in a newline, as in Fluent Bit. */
  private readonly keyContent: string | undefined;

  constructor(shape: JoinedShape, keyContent: string | undefined) {
    this.shape = shape;
    this.keyContent = keyContent;
  }

  get isOpen(): boolean {
    return this.position !== -1;
  }

  /** Takes the line's time and fields if it is the record's first. */
  open(line: FedLine): void {
    if (this.position !== -1) {
      if (line.metadata !== undefined) this.metadata = { ...this.metadata, ...line.metadata };
      return;
    }
    this.position = line.position;
    this.body = line.body;
    this.sec = line.sec;
    this.nsec = line.nsec;
    this.metadata = line.metadata;
  }

  /** Starts a new line of text, unless there is none yet or one was started. */
  breakLine(): void {
    if (this.length > 0 && !this.endsWithNewline) this.append("\n");
  }

  /** False when the text reached its limit: the rest is cut off. */
  append(piece: string): boolean {
    if (piece === "") return !this.truncated;
    const room = this.shape.maxLength - this.length;
    if (piece.length > room) {
      if (!this.truncated) this.shape.onTruncated?.();
      this.truncated = true;
      piece = piece.slice(0, Math.max(0, room)).toWellFormed();
      if (piece === "") return false;
    }
    this.text = this.length === 0 ? piece : this.text + piece;
    this.length += piece.length;
    this.endsWithNewline = piece.charCodeAt(piece.length - 1) === 0x0a;
    return !this.truncated;
  }

  flush(out: LogRecord[]): void {
    if (!this.isOpen) return;
    if (this.keyContent === undefined && this.length > 0 && !this.endsWithNewline) {
      this.text += "\n";
    }
    const { body, sec, nsec } = this;
    const metadata = this.truncated
      ? { ...this.metadata, multiline_truncated: true }
      : this.metadata;
    if (body !== undefined) {
      if (this.length > 0 && this.keyContent !== undefined) body[this.keyContent] = this.text;
      emit(out, body, sec, nsec, metadata, this.position, this.shape);
    } else if (this.length > 0) {
      const key = this.keyContent ?? this.shape.key;
      emit(out, { [key]: this.text }, sec, nsec, metadata, this.position, this.shape);
    }
    this.clear();
  }

  private clear(): void {
    this.position = -1;
    this.length = 0;
    this.text = "";
    this.endsWithNewline = this.truncated = false;
    this.body = this.metadata = undefined;
  }
}

/** Appends a finished record with the fields that all records get. */
export function emit(
  out: LogRecord[],
  body: Body,
  sec: number,
  nsec: number,
  metadata: Body | undefined,
  position: number,
  shape: JoinedShape,
): void {
  if (shape.extra !== undefined) Object.assign(body, shape.extra);
  if (shape.positionKey !== undefined) body[shape.positionKey] = position;
  out.push(metadata === undefined ? { sec, nsec, body } : { sec, nsec, body, metadata });
}
