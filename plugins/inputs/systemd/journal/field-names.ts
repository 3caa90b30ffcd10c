/** The name of a field; one object per name, so that names can be told apart by it. */
export interface FieldName {
  readonly text: string;
  readonly bytes: Buffer;
  /** For whoever looks for names that repeat within an entry: the number of the latest entry that has it. */
  seenIn: number;
  /** What the reader's user keeps of the name. */
  note: unknown;
}

const BUCKETS = 1024;

/** Finds names by their bytes, without making text of them. */
export class FieldNames {
  private readonly buckets: FieldName[][] = [];
  count = 0;

  /** The name that stands from `from` to `to`. */
  find(bytes: Uint8Array, from: number, to: number): FieldName {
    const hash = (to - from) * 31 + bytes[from]! * 7 + bytes[to - 1]! * 131 +
      bytes[(from + to) >> 1]! * 17;
    const bucket = this.buckets[hash & (BUCKETS - 1)] ??= [];
    for (const name of bucket) if (isSame(name.bytes, bytes, from, to)) return name;
    this.count++;
    const own = Buffer.from(bytes.subarray(from, to));
    const name = { text: own.toString("utf8"), bytes: own, seenIn: -1, note: undefined };
    bucket.push(name);
    return name;
  }
}

function isSame(name: Uint8Array, bytes: Uint8Array, from: number, to: number): boolean {
  if (name.length !== to - from) return false;
  for (let i = 0; i < name.length; i++) if (name[i] !== bytes[from + i]) return false;
  return true;
}
