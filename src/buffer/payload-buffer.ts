import type { Framing } from "../sdk/payload.ts";

/** Of larger memory so much is kept, up to so many times the full size each. */
const KEPT_LARGE = 8;
const LARGEST = 4;

/** Memory of full size that is not in use, shared by the payloads of one output. */
export class BufferPool {
  private readonly free: Buffer[] = [];
  /** Larger ones, for batches of which each alone becomes more than a payload of full size. */
  private readonly large: Buffer[] = [];
  readonly size: number;
  private readonly keep: number;

  constructor(size: number, keep = 16) {
    this.size = size;
    this.keep = keep;
  }

  take(): Buffer | undefined {
    return this.free.pop();
  }

  /** Memory of more than full size, at least so many bytes. */
  takeLarge(bytes: number): Buffer | undefined {
    const at = this.large.findIndex(({ length }) => length >= bytes);
    return at < 0 ? undefined : this.large.splice(at, 1)[0];
  }

  give(buffer: Buffer): void {
    if (buffer.length === this.size) {
      if (this.free.length < this.keep) this.free.push(buffer);
    } else if (buffer.length > this.size && buffer.length <= this.size * LARGEST) {
      if (this.large.length < KEPT_LARGE) this.large.push(buffer);
    }
  }
}

const FIRST_SIZE = 16 * 1024;

/** Bytes of one open payload: grows by doubling up to the pool's size, and beyond it for a single large write. */
export class PayloadBuffer {
  private buffer: Buffer;
  private readonly pool: BufferPool;
  private readonly separator: string;
  private readonly suffix: string;
  private readonly prefixLength: number;
  length = 0;

  constructor(pool: BufferPool, framing: Framing) {
    this.pool = pool;
    this.buffer = pool.take() ?? Buffer.allocUnsafeSlow(Math.min(FIRST_SIZE, pool.size));
    this.separator = framing.separator ?? "";
    this.suffix = framing.suffix ?? "";
    if (framing.prefix) this.writeText(framing.prefix);
    this.prefixLength = this.length;
  }

  text(text: string): void {
    this.separate();
    this.writeText(text);
  }

  bytes(bytes: Uint8Array): void {
    this.separate();
    this.reserve(bytes.length);
    this.buffer.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** The finished bytes. The memory stays this object's until {@link recycle}. */
  finish(): Uint8Array {
    if (this.suffix !== "") this.writeText(this.suffix);
    return this.buffer.subarray(0, this.length);
  }

  recycle(): void {
    this.pool.give(this.buffer);
  }

  private separate(): void {
    if (this.separator !== "" && this.length > this.prefixLength) this.writeText(this.separator);
  }

  private writeText(text: string): void {
    // UTF-8 takes at most three bytes per UTF-16 unit. Counting exactly is only worth it near the end.
    const room = this.buffer.length - this.length;
    if (text.length * 3 > room) this.reserve(Buffer.byteLength(text, "utf8"));
    this.length += this.buffer.write(text, this.length, "utf8");
  }

  private reserve(bytes: number): void {
    const needed = this.length + bytes;
    if (needed <= this.buffer.length) return;
    let size = this.buffer.length;
    while (size < needed) size *= 2;
    const full = size >= this.pool.size && needed <= this.pool.size;
    const known = full
      ? this.pool.take()
      : needed > this.pool.size
      ? this.pool.takeLarge(needed)
      : undefined;
    const next = known ?? Buffer.allocUnsafeSlow(full ? this.pool.size : size);
    next.set(this.buffer.subarray(0, this.length));
    this.pool.give(this.buffer);
    this.buffer = next;
  }
}
