/** Kept between uses; more than this is given back at once. */
const KEEP_BYTES = 1 << 20;

/**
 * Memory to put something together in. Room that is never written to costs nothing: the system gives pages
 * when they are first touched.
 */
export class Scratch {
  private buffer = Buffer.alloc(0);

  /** Memory of at least this size, with anything in it. Valid until the next call. */
  room(bytes: number): Buffer {
    if (bytes <= this.buffer.length) return this.buffer;
    const size = Math.max(bytes, 64 * 1024) * 1.25;
    const next = Buffer.allocUnsafeSlow(Math.ceil(size / 4096) * 4096);
    if (next.length <= KEEP_BYTES) this.buffer = next;
    return next;
  }
}
