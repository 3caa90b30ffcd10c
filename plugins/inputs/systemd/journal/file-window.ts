import { readSync } from "node:fs";

const CHUNK_BYTES = 64 * 1024;
const MAX_CHUNKS = 16;

interface Chunk {
  readonly number: number;
  readonly bytes: Buffer;
  /** The same memory as 32-bit numbers. */
  readonly words: Uint32Array<ArrayBufferLike>;
  /** How much of it was read. */
  length: number;
}

/**
 * A file that is read in chunks, of which the latest stay in memory. Reading, not mapping: a file that is cut off
 * while it is mapped would end the process.
 */
export class FileWindow {
  private readonly fd: number;
  private readonly chunks = new Map<number, Chunk>();
  /** The last two: an entry and what it refers to often lie in two. */
  private last: Chunk | undefined;
  private lastButOne: Chunk | undefined;
  private spare: Chunk | undefined;
  /** The memory that the latest {@link locate} was about; valid until the next call. */
  bytes: Buffer = Buffer.alloc(0);
  /** How long the file is: nothing is looked for behind it, however far offsets lead. */
  size = 0;
  private words: Uint32Array<ArrayBufferLike> = new Uint32Array(0);

  constructor(fd: number) {
    this.fd = fd;
  }

  /**
   * Finds so many bytes of the file in {@link bytes}. Returns where they begin in it, or -1 when the file has not
   * got them. The offset is a multiple of 8.
   */
  locate(offset: number, length: number): number {
    if (offset + length > this.size) return -1;
    const number = Math.floor(offset / CHUNK_BYTES);
    const at = offset - number * CHUNK_BYTES;
    if (at + length > CHUNK_BYTES) return this.span(offset, length);
    let chunk = this.last;
    if (chunk === undefined || chunk.number !== number) {
      chunk = this.lastButOne?.number === number ? this.lastButOne : this.chunk(number);
      this.lastButOne = this.last;
      this.last = chunk;
    }
    if (at + length > chunk.length) return -1;
    this.bytes = chunk.bytes;
    this.words = chunk.words;
    return at;
  }

  u8(at: number): number {
    return this.bytes[at]!;
  }

  /** `at` is a multiple of 4. */
  u32(at: number): number {
    return this.words[at >> 2]!;
  }

  /** `at` is a multiple of 4. Not exact beyond 2^53, where nothing that is valid lies. */
  u64(at: number): number {
    return this.words[at >> 2]! + this.words[(at >> 2) + 1]! * 2 ** 32;
  }

  /** 16 bytes as they are written in names and cursors. */
  id(at: number): string {
    return this.bytes.toString("hex", at, at + 16);
  }

  /** What was read may have changed since. */
  forget(): void {
    this.chunks.clear();
    this.last = undefined;
    this.lastButOne = undefined;
  }

  private chunk(number: number): Chunk {
    let chunk = this.chunks.get(number);
    if (chunk === undefined) chunk = this.read(number);
    else this.chunks.delete(number);
    // The chunk that was not wanted for longest comes first.
    this.chunks.set(number, chunk);
    return chunk;
  }

  private read(number: number): Chunk {
    const chunk = { ...this.memory(), number };
    chunk.length = readFully(this.fd, chunk.bytes, CHUNK_BYTES, number * CHUNK_BYTES);
    return chunk;
  }

  private memory(): Omit<Chunk, "number"> {
    if (this.chunks.size < MAX_CHUNKS) return memoryFor(CHUNK_BYTES);
    for (const [number, chunk] of this.chunks) {
      if (chunk === this.last || chunk === this.lastButOne) continue;
      this.chunks.delete(number);
      return chunk;
    }
    return memoryFor(CHUNK_BYTES);
  }

  /** What lies in several chunks is read on its own. */
  private span(offset: number, length: number): number {
    if (
      this.spare === undefined || this.spare.bytes.length < length || isTooMuch(this.spare, length)
    ) {
      this.spare = { ...memoryFor(Math.max(4096, Math.ceil(length / 8) * 8)), number: -1 };
    }
    const { bytes, words } = this.spare;
    if (readFully(this.fd, bytes, length, offset) < length) return -1;
    this.bytes = bytes;
    this.words = words;
    return 0;
  }
}

/** What one large object took is given back when the next is small. */
function isTooMuch({ bytes }: Chunk, length: number): boolean {
  return bytes.length > CHUNK_BYTES && length <= CHUNK_BYTES;
}

function memoryFor(size: number): Omit<Chunk, "number"> {
  const bytes = Buffer.allocUnsafeSlow(size);
  return { bytes, words: new Uint32Array(bytes.buffer, bytes.byteOffset, size >> 2), length: 0 };
}

function readFully(fd: number, into: Buffer, length: number, offset: number): number {
  let done = 0;
  while (done < length) {
    const count = readSync(fd, into, done, length - done, offset + done);
    if (count === 0) break;
    done += count;
  }
  return done;
}
