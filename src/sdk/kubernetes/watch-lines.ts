const LF = 0x0a;
/** An object of the API is at most a few megabytes. */
const LONGEST_LINE = 8 << 20;

/** Cuts the answer of a watch into its lines, each of them one change. */
export class WatchLines {
  private parts: Buffer[] = [];
  private bytes = 0;

  /** The lines that these bytes complete. Throws when one is too long. */
  *push(part: Buffer): Generator<string, void, void> {
    for (let from = 0; from < part.length;) {
      const end = part.indexOf(LF, from);
      if (end < 0) {
        this.keep(Buffer.from(part.subarray(from)));
        return;
      }
      this.keep(part.subarray(from, end));
      yield (this.parts.length === 1 ? this.parts[0]! : Buffer.concat(this.parts)).toString();
      this.parts = [];
      this.bytes = 0;
      from = end + 1;
    }
  }

  private keep(bytes: Buffer): void {
    this.bytes += bytes.length;
    if (this.bytes > LONGEST_LINE) {
      throw new Error(`a change has more than ${LONGEST_LINE >> 20} MiB`);
    }
    this.parts.push(bytes);
  }
}
