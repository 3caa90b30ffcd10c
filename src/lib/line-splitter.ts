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
    if (end !== -1) for (const line of splitText(data.toString("utf8", 0, end))) lines.push(line);
    let from = end + 1;
    while (data.length - from >= this.maxBytes) {
      const to = from + this.maxBytes;
      lines.push(data.toString("utf8", from, to));
      this.cut++;
      from = to;
    }
    // A copy: the chunk's memory may be the stream's own.
    this.rest = Buffer.from(data.subarray(from));
    return lines;
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
