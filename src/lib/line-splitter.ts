const LF = 0x0a;

/** Cuts a stream of bytes into lines. A line that would grow over the limit comes in pieces. */
export class LineSplitter {
  private readonly maxBytes: number;
  private rest: Buffer = Buffer.alloc(0);
  /** Lines that were cut because they were longer than the limit. */
  cut = 0;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  /** The lines that these bytes complete, without their line breaks. */
  push(chunk: Uint8Array): string[] {
    const data = this.rest.length === 0
      ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
      : Buffer.concat([this.rest, chunk]);
    const end = data.lastIndexOf(LF);
    const lines: string[] = [];
    if (end !== -1) this.takeLines(data, end, lines);
    const from = this.takePieces(data, end + 1, data.length, lines);
    // A copy: the chunk's memory may be the stream's own.
    this.rest = Buffer.from(data.subarray(from));
    return lines;
  }

  private takeLines(data: Buffer, end: number, lines: string[]): void {
    // No line can be too long in data that is shorter than that, and most is.
    if (end <= this.maxBytes) {
      for (const line of splitText(data.toString("utf8", 0, end))) lines.push(line);
      return;
    }
    for (let from = 0; from <= end;) {
      const to = data.indexOf(LF, from);
      const last = this.takePieces(data, from, to, lines);
      lines.push(stripReturn(data.toString("utf8", last, to)));
      from = to + 1;
    }
  }

  /** Cuts pieces of the longest size off, none in the middle of a character. Returns where the rest begins. */
  private takePieces(data: Buffer, from: number, end: number, lines: string[]): number {
    while (end - from > this.maxBytes) {
      let to = from + this.maxBytes;
      for (let back = 0; back < 3 && to > from + 1 && (data[to]! & 0xc0) === 0x80; back++) to--;
      lines.push(data.toString("utf8", from, to));
      this.cut++;
      from = to;
    }
    return from;
  }

  /** What is left at the end of the stream, as a last line. */
  flush(): string[] {
    if (this.rest.length === 0) return [];
    const last = stripReturn(this.rest.toString("utf8"));
    this.rest = Buffer.alloc(0);
    return [last];
  }
}

function splitText(text: string): string[] {
  const lines = text.split("\n");
  return text.includes("\r") ? lines.map(stripReturn) : lines;
}

function stripReturn(line: string): string {
  return line.endsWith("\r") ? line.slice(0, -1) : line;
}
