const KEEP = 2;
const KiB = 1024;
const USUAL_BYTES = 256 * KiB;

/** Memory for payloads that are read back: as good as always one at a time, so that two buffers do. */
export class ReadMemory {
  private readonly free: ArrayBufferLike[] = [];

  take(bytes: number): Buffer {
    const at = this.free.findIndex(({ byteLength }) => byteLength >= bytes);
    if (at === -1) return Buffer.allocUnsafeSlow(Math.max(bytes, USUAL_BYTES)).subarray(0, bytes);
    return Buffer.from(this.free.splice(at, 1)[0]!, 0, bytes);
  }

  give(buffer: Buffer): void {
    // A payload of unusual size would stay for good.
    if (this.free.length < KEEP && buffer.buffer.byteLength <= 4 * USUAL_BYTES) {
      this.free.push(buffer.buffer);
    }
  }
}
