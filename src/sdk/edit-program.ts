import type { Kernels } from "../lib/kernels.ts";

/** Steps as src/kernels/edit-lines.ts knows them. */
const STEPS = {
  end: 0,
  remove: 1,
  removePrefix: 2,
  set: 3,
  add: 4,
  rename: 5,
  copy: 6,
  moveToStart: 7,
  moveToEnd: 8,
  nest: 9,
  lift: 10,
  select: 11,
} as const;
/** So that no text seems to go on in the next one. */
const GAP = Buffer.from([0, 0]);

/** Where a text lies, and how long it is. */
type Place = readonly [at: number, length: number];

/** What is to be done to records, as the kernel wants it. */
export class EditProgram {
  private readonly words: number[] = [];
  private readonly texts: Buffer[] = [];
  private length = 0;

  step(step: keyof typeof STEPS, ...words: readonly (number | Place)[]): void {
    this.words.push(STEPS[step], ...words.flat());
  }

  name(name: string): Place {
    return this.text(JSON.stringify(name));
  }

  /** As it stands at the beginning of a name, with the quote. Of an empty one nothing. */
  prefix(prefix: string): Place {
    return prefix === "" ? [0, 0] : this.text(JSON.stringify(prefix).slice(0, -1));
  }

  /** A name, and the value behind it. */
  member(name: string, value: string): readonly number[] {
    const [nameText, valueText] = [JSON.stringify(name), JSON.stringify(value)];
    const [at] = this.text(`${nameText}:${valueText}`);
    const length = Buffer.byteLength(nameText);
    return [at, length, at + length + 1, Buffer.byteLength(valueText)];
  }

  /** The program in its final form. */
  build(): BuiltEdit {
    const words = Int32Array.from([...this.words, STEPS.end]);
    return new BuiltEdit(Buffer.from(words.buffer), Buffer.concat(this.texts));
  }

  /** The same of words that are no steps. */
  buildWords(words: readonly number[]): BuiltEdit {
    return new BuiltEdit(Buffer.from(Int32Array.from(words).buffer), Buffer.concat(this.texts));
  }

  private text(text: string): Place {
    const bytes = Buffer.from(text);
    const at = this.length;
    this.texts.push(bytes, GAP);
    this.length += bytes.length + GAP.length;
    return [at, bytes.length];
  }
}

export class BuiltEdit {
  private readonly words: Buffer;
  private readonly texts: Buffer;

  constructor(words: Buffer, texts: Buffer) {
    this.words = words;
    this.texts = texts;
  }

  /**
   * Puts it into the kernel's memory, with an object whose members all records have besides. Returns where that lies among
   * the texts, or -1 without one; `undefined` when there is no room.
   */
  load(kernel: Kernels, tail: Buffer | undefined): number | undefined {
    const { words, texts } = this;
    const tailLength = tail === undefined ? 0 : tail.length + 2;
    if (words.length > kernel.maxEdits || texts.length + tailLength > kernel.maxEditTexts) {
      return undefined;
    }
    const { bytes, edits, editTexts } = kernel;
    bytes.set(words, edits);
    bytes.set(texts, editTexts);
    if (tail === undefined) return -1;
    const at = editTexts + texts.length;
    bytes.write("{", at);
    bytes.set(tail, at + 1);
    bytes.write("}", at + 1 + tail.length);
    return texts.length;
  }
}

/** Whether a field of this name stays where it is put, and a prefix where it stands. */
export function isPlainName(name: string): boolean {
  return /^[^\d]/.test(name) && name !== "__proto__" && name.isWellFormed();
}
