import { type Fingerprint, fingerprint, HEAD_BYTES, isPrintOf, MARK_BYTES } from "./fingerprint.ts";
import type { PackedSearch, Sought } from "./packed-search.ts";
import type { TailedFile } from "./tailed-file.ts";

/** What was passed over is not what was sought after all. */
export class OtherContentError extends Error {
  override readonly name = "OtherContentError";
}

const NOTHING: Buffer = Buffer.alloc(0);

/** Passes over what was read before of a content that is unpacked from its start. */
export class Passage {
  private readonly file: TailedFile;
  private readonly search: PackedSearch | undefined;
  private sought: Sought | undefined;
  private phase: "choosing" | "passing" | "reading" | "ignoring";
  /** Bytes to pass over. */
  private left: number;
  /** The first bytes, until there are enough of them. */
  private first: Buffer = NOTHING;
  /** The last bytes that were passed over. */
  private last: Buffer = NOTHING;
  private total = 0;
  /** Where reading begins, in bytes. */
  start: number;

  /** Passes over so many bytes, or over what the file's search says was read. */
  constructor(file: TailedFile, offset: number) {
    const { search } = file;
    this.file = file;
    this.search = search;
    this.start = offset;
    this.left = offset;
    this.phase = search === undefined ? "passing" : "choosing";
  }

  /** Nothing of the content is to be read. */
  get ignoresAll(): boolean {
    return this.phase === "ignoring";
  }

  /** Bytes that came by. */
  get length(): number {
    return this.total;
  }

  /** Reading begins in the rest of a line that was too long. */
  get inLongLine(): boolean {
    return this.sought?.place.inLongLine ?? false;
  }

  /** The content's first bytes are these, as far as they came by. */
  get head(): Fingerprint {
    return fingerprint(this.first);
  }

  /** What is to be read of the next piece. Throws {@link OtherContentError}. */
  take(piece: Buffer): Buffer {
    this.total += piece.length;
    if (this.first.length < HEAD_BYTES) {
      const added = piece.subarray(0, HEAD_BYTES - this.first.length);
      this.first = Buffer.concat([this.first, added]);
    }
    if (this.phase === "choosing") {
      this.last = this.last.length === 0 ? piece : Buffer.concat([this.last, piece]);
      if (this.first.length < HEAD_BYTES) return NOTHING;
      return this.choose();
    }
    return this.phase === "passing" ? this.pass(piece) : this.ignoresAll ? NOTHING : piece;
  }

  /**
   * What is to be read of a content that ended before it was long enough to tell. One that ends before the place in
   * what it begins like was read. Throws {@link OtherContentError}.
   */
  end(): Buffer {
    const read = this.phase === "choosing" ? this.choose() : NOTHING;
    if (this.phase === "passing" && this.sought !== undefined) this.phase = "ignoring";
    return read;
  }

  /** Decides by the first bytes, which were kept together with what came with them. */
  private choose(): Buffer {
    const kept = this.last;
    this.last = NOTHING;
    this.sought = this.search!.choose(this.first);
    if (this.sought !== undefined) {
      this.start = this.sought.place.offset;
      this.left = this.start;
      this.phase = "passing";
      return this.pass(kept);
    }
    this.phase = this.search!.readsOthers ? "reading" : "ignoring";
    return this.ignoresAll ? NOTHING : kept;
  }

  private pass(piece: Buffer): Buffer {
    const passed = Math.min(this.left, piece.length);
    this.left -= passed;
    if (this.sought !== undefined && passed > 0) {
      const tail = Buffer.concat([
        this.last,
        piece.subarray(Math.max(0, passed - MARK_BYTES), passed),
      ]);
      this.last = Buffer.from(tail.subarray(Math.max(0, tail.length - MARK_BYTES)));
    }
    if (this.left > 0) return NOTHING;
    this.phase = "reading";
    if (this.sought !== undefined) this.arrive(this.sought);
    return this.ignoresAll ? NOTHING : piece.subarray(passed);
  }

  private arrive(sought: Sought): void {
    const { mark } = sought.place;
    if (!isPrintOf(mark, this.last.subarray(this.last.length - mark.bytes))) {
      throw new OtherContentError();
    }
    this.search!.isFound(sought, this.file);
    if (sought.isReadElsewhere) this.phase = "ignoring";
  }
}
