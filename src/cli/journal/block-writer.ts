const BLOCK_BYTES = 128 * 1024;

/** Gathers what is printed, so that it is written in few pieces. */
export class BlockWriter {
  private readonly write: (bytes: Uint8Array) => void;
  private block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  private at = 0;

  constructor(write: (bytes: Uint8Array) => void) {
    this.write = write;
  }

  text(text: string): void {
    this.room(text.length * 3);
    this.at += this.block.write(text, this.at);
  }

  bytes(source: Uint8Array, from: number, to: number): void {
    this.room(to - from);
    const { block } = this;
    // For a few bytes a loop is faster than a call of the runtime.
    if (to - from > 48) block.set(source.subarray(from, to), this.at);
    else for (let i = from, at = this.at; i < to; i++, at++) block[at] = source[i]!;
    this.at += to - from;
  }

  byte(byte: number): void {
    this.room(1);
    this.block[this.at++] = byte;
  }

  flush(): void {
    if (this.at > 0) this.write(this.block.subarray(0, this.at));
    this.at = 0;
  }

  private room(bytes: number): void {
    if (this.at + bytes <= this.block.length) return;
    this.flush();
    // What one large value took is given back with the next.
    if (bytes > BLOCK_BYTES) this.block = Buffer.allocUnsafeSlow(bytes);
    else if (this.block.length > BLOCK_BYTES) this.block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  }
}
