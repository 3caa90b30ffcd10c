import type { KeptLetter } from "./letter-folder.ts";

/** Letters that are in a folder, with their sums. The oldest come first. */
export class HeldLetters {
  private readonly letters = new Map<string, KeptLetter>();
  bytes = 0;
  records = 0;

  constructor(letters: readonly KeptLetter[] = []) {
    for (const letter of letters) this.add(letter);
  }

  get size(): number {
    return this.letters.size;
  }

  /** Adds a letter that is newer than all others. */
  add(letter: KeptLetter): void {
    if (this.letters.has(letter.id)) return;
    this.letters.set(letter.id, letter);
    this.bytes += letter.fileBytes;
    this.records += letter.records;
  }

  remove({ id, fileBytes, records }: KeptLetter): void {
    if (!this.letters.delete(id)) return;
    this.bytes -= fileBytes;
    this.records -= records;
  }

  /** The oldest but that one. */
  oldestBut(spared: string | undefined): KeptLetter | undefined {
    for (const letter of this.letters.values()) if (letter.id !== spared) return letter;
    return undefined;
  }
}
