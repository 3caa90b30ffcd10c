import type {
  AlternativeElementNode,
  AlternativeNode,
  CharacterClassElementNode,
  CharacterClassNode,
  CharacterNode,
  CharacterSetNode,
  QuantifierNode,
} from "oniguruma-parser/parser";
import { compilePattern, onigmo } from "./pattern.ts";

/** What a kernel needs to match lines: see src/kernels/regex.ts, which names the instructions. */
export interface LineProgram {
  readonly words: Int32Array;
  readonly sets: Uint8Array;
  /** Two for each capture, in their order. */
  readonly slots: number;
  /** The names of the captures, in order. */
  readonly names: readonly string[];
  /** A match can only be at the beginning of a line. */
  readonly isAnchored: boolean;
  /** Only lines of ASCII match here as they do in a regular expression. */
  readonly onlyAscii: boolean;
}

const OP = {
  match: 0,
  byte: 1,
  set: 2,
  greedy: 3,
  lazy: 4,
  save: 5,
  split: 6,
  jump: 7,
  atEnd: 8,
  atStart: 9,
  wholeRun: 10,
  until: 11,
  bytes: 12,
} as const;
/** Words of each instruction. */
const SIZE = [1, 2, 2, 4, 4, 2, 3, 2, 1, 1, 4, 4, 4];
const MAX_BYTES = 4;

const MAX_WORDS = 4096;
const MAX_SETS = 256;
const MAX_CAPTURES = 60;
const SET_BYTES = 32;
/** Behind the bits of a set: whether all bytes from 0x80 are in it. */
const SET_HIGH = 16;

const STARTS: ReadonlySet<string> = new Set(["line_start", "string_start"]);
const ENDS: ReadonlySet<string> = new Set(["line_end", "string_end", "string_end_newline"]);

/** Something that the kernel has no instruction for. */
class NotPossible extends Error {}

/**
 * Compiles an Onigmo expression for the kernel that matches lines. Returns `undefined` for one that only an engine for
 * regular expressions can match: with look-around, back references, options, atomic groups or captures in repetitions.
 */
export function compileLineProgram(source: string): LineProgram | undefined {
  try {
    return new Compiler().compile(source);
  } catch (error) {
    // The source is known to be valid; the parser may be pickier than the translator.
    if (error instanceof NotPossible || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

type OneByte = CharacterNode | CharacterClassNode | CharacterSetNode;

class Compiler {
  private readonly words: number[] = [];
  private readonly sets: Uint8Array[] = [];
  private readonly setNumbers = new Map<string, number>();
  private readonly names: string[] = [];
  private onlyAscii = false;

  compile(source: string): LineProgram {
    if (/^\/.*\/[imxo]*$/s.test(source)) throw new NotPossible("delimiters");
    const { body } = onigmo().parse(source, { rules: { captureGroup: false, singleline: true } });
    this.alternatives(body);
    this.emit(OP.match);
    this.lookAhead();
    const sets = new Uint8Array(Math.max(1, this.sets.length) * SET_BYTES);
    this.sets.forEach((set, i) => sets.set(set, i * SET_BYTES));
    return {
      words: Int32Array.from(this.words),
      sets,
      slots: this.names.length * 2,
      names: this.names,
      isAnchored: this.words[0] === OP.atStart,
      onlyAscii: this.onlyAscii,
    };
  }

  private emit(...words: number[]): number {
    const at = this.words.length;
    if (at + words.length > MAX_WORDS) throw new NotPossible("too long");
    this.words.push(...words);
    return at;
  }

  private alternatives(list: readonly AlternativeNode[]): void {
    const ends: number[] = [];
    list.forEach((alternative, i) => {
      if (i === list.length - 1) return this.sequence(alternative.body);
      const split = this.emit(OP.split, 0, 0);
      this.words[split + 1] = this.words.length;
      this.sequence(alternative.body);
      ends.push(this.emit(OP.jump, 0));
      this.words[split + 2] = this.words.length;
    });
    for (const jump of ends) this.words[jump + 1] = this.words.length;
  }

  private sequence(nodes: readonly AlternativeElementNode[]): void {
    const bytes: number[] = [];
    for (const node of nodes) {
      if (node.type === "Character") bytes.push(...Buffer.from(String.fromCodePoint(node.value)));
      else {
        this.text(bytes.splice(0));
        this.element(node);
      }
    }
    this.text(bytes);
  }

  private text(bytes: readonly number[]): void {
    for (let from = 0; from < bytes.length; from += MAX_BYTES) {
      const some = bytes.slice(from, from + MAX_BYTES);
      if (some.length === 1) this.emit(OP.byte, some[0]!);
      else {
        const word = some.reduce((sum, byte, i) => sum | (byte << (i * 8)), 0);
        const mask = some.length === MAX_BYTES ? -1 : (1 << (some.length * 8)) - 1;
        this.emit(OP.bytes, word, mask, some.length);
      }
    }
  }

  private element(node: AlternativeElementNode): void {
    switch (node.type) {
      case "Character":
        return this.text([...Buffer.from(String.fromCodePoint(node.value))]);
      case "CharacterClass":
      case "CharacterSet":
        this.emit(OP.set, this.setOf(node));
        return;
      case "Assertion":
        if (!node.negate && STARTS.has(node.kind)) this.emit(OP.atStart);
        else if (!node.negate && ENDS.has(node.kind)) this.emit(OP.atEnd);
        else throw new NotPossible(node.kind);
        return;
      case "Group":
        if (node.atomic || node.flags !== undefined) throw new NotPossible("group");
        return this.alternatives(node.body);
      case "CapturingGroup":
        return this.capture(node.number, node.name ?? "", node.body);
      case "Quantifier":
        return this.repeat(node);
      default:
        throw new NotPossible(node.type);
    }
  }

  private capture(number: number, name: string, body: readonly AlternativeNode[]): void {
    // Captures are numbered as they come; one that comes twice is in a repetition.
    if (number !== this.names.length + 1 || number > MAX_CAPTURES) throw new NotPossible("capture");
    this.names.push(name);
    this.emit(OP.save, number * 2 - 2);
    this.alternatives(body);
    this.emit(OP.save, number * 2 - 1);
  }

  private repeat({ kind, min, max, body }: QuantifierNode): void {
    if (kind === "possessive") throw new NotPossible(kind);
    const isLazy = kind === "lazy";
    if (max === null || max === Infinity) return this.endless(body, min, isLazy);
    for (let i = 0; i < min; i++) this.element(body);
    const splits: number[] = [];
    for (let i = min; i < max; i++) {
      const split = this.emit(OP.split, 0, 0);
      splits.push(split);
      this.words[split + (isLazy ? 2 : 1)] = this.words.length;
      const from = this.words.length;
      this.element(body);
      // An optional part that matches nothing counts as one that took no part.
      if (this.mayMatchNothing(from)) throw new NotPossible("empty repetition");
    }
    for (const split of splits) this.words[split + (isLazy ? 1 : 2)] = this.words.length;
  }

  private endless(body: QuantifierNode["body"], min: number, isLazy: boolean): void {
    if (isOneByte(body)) {
      const set = this.setOf(body);
      // Bytes are counted, not characters.
      this.onlyAscii ||= min > 1 && this.hasHigh(set);
      this.emit(isLazy ? OP.lazy : OP.greedy, set, min, -1);
      return;
    }
    const captures = this.names.length;
    for (let i = 0; i < min; i++) this.element(body);
    const split = this.emit(OP.split, 0, 0);
    this.words[split + (isLazy ? 2 : 1)] = this.words.length;
    const from = this.words.length;
    this.element(body);
    if (this.names.length > captures || this.mayMatchNothing(from)) {
      throw new NotPossible("repeated captures, or nothing repeated");
    }
    this.emit(OP.jump, split);
    this.words[split + (isLazy ? 1 : 2)] = this.words.length;
  }

  /** Whether the instructions from there to the end may be passed without a byte. */
  private mayMatchNothing(from: number): boolean {
    const { words } = this;
    const passes = (pc: number): boolean => {
      if (pc >= words.length) return true;
      const op = words[pc]!;
      if (op === OP.byte || op === OP.bytes || op === OP.set) return false;
      if ((op === OP.greedy || op === OP.lazy) && words[pc + 2]! > 0) return false;
      // A way back is one that has taken a byte.
      if (op === OP.jump) return words[pc + 1]! > pc && passes(words[pc + 1]!);
      if (op === OP.split) return [1, 2].some((k) => words[pc + k]! > pc && passes(words[pc + k]!));
      return passes(pc + SIZE[op]!);
    };
    return passes(from);
  }

  /** Tells each run the byte that must follow it, and finds out whether lines must be ASCII. */
  private lookAhead(): void {
    const { words } = this;
    for (let pc = 0, size = 0; pc < words.length; pc += size) {
      const op = words[pc]!;
      size = SIZE[op]!;
      if (op === OP.set) this.onlyAscii ||= this.hasHigh(words[pc + 1]!);
      if (op !== OP.greedy && op !== OP.lazy) continue;
      let next = pc + SIZE[op]!;
      while (words[next] === OP.save) next += SIZE[OP.save]!;
      const set = words[pc + 1]!;
      // A run must not end, nor the next begin, in the middle of a character.
      this.onlyAscii ||= this.hasHigh(set) &&
        this.mayBeginHigh(pc + SIZE[op]!, op === OP.lazy);
      if (words[next] === OP.byte || words[next] === OP.bytes) {
        this.follow(pc, words[next + 1]! & 0xff);
      }
    }
  }

  /** A run behind which comes a byte. */
  private follow(pc: number, byte: number): void {
    const { words } = this;
    words[pc + 3] = byte;
    const set = this.sets[words[pc + 1]!]!;
    if (isIn(set, byte)) return;
    // The byte ends the run, so there is one way to match it, greedy or not.
    if (isAllBut(set, byte)) words.splice(pc, 4, OP.until, byte, words[pc + 2]!, 0);
    else words.splice(pc, 4, OP.wholeRun, words[pc + 1]!, words[pc + 2]!, 0);
  }

  /**
   * Whether what follows may begin with a byte from 0x80.
   *
   * @param atEnd what counts when nothing follows: a lazy run then ends anywhere
   */
  private mayBeginHigh(pc: number, atEnd: boolean, seen = new Set<number>()): boolean {
    if (seen.has(pc)) return false;
    seen.add(pc);
    const { words } = this;
    const op = words[pc]!;
    const next = pc + SIZE[op]!;
    switch (op) {
      case OP.byte:
      case OP.bytes:
        return (words[pc + 1]! & 0xff) >= 0x80;
      case OP.set:
        return this.hasHigh(words[pc + 1]!);
      case OP.until:
        return true;
      case OP.greedy:
      case OP.lazy:
      case OP.wholeRun:
        return this.hasHigh(words[pc + 1]!) ||
          (words[pc + 2] === 0 && this.mayBeginHigh(next, atEnd, seen));
      case OP.split:
        return this.mayBeginHigh(words[pc + 1]!, atEnd, seen) ||
          this.mayBeginHigh(words[pc + 2]!, atEnd, seen);
      case OP.jump:
        return this.mayBeginHigh(words[pc + 1]!, atEnd, seen);
      case OP.save:
        return this.mayBeginHigh(next, atEnd, seen);
      case OP.atStart:
        return true;
      case OP.match:
        return atEnd;
      default:
        return false;
    }
  }

  private hasHigh(set: number): boolean {
    return this.sets[set]![SET_HIGH] !== 0;
  }

  private setOf(node: OneByte): number {
    const { generate, parse } = onigmo();
    const { pattern } = generate({
      ...parse(""),
      body: [{ type: "Alternative", body: [node] }],
    });
    const known = this.setNumbers.get(pattern);
    if (known !== undefined) return known;
    if (this.sets.length === MAX_SETS) throw new NotPossible("too many sets");
    const high = highOf(node);
    this.onlyAscii ||= high === "some";
    const set = new Uint8Array(SET_BYTES);
    const one = compilePattern(`\\A(?:${pattern})\\z`);
    for (let byte = 0; byte < 0x80; byte++) {
      if (one.test(String.fromCharCode(byte))) set[byte & 15]! |= 1 << (byte >> 4);
    }
    set[SET_HIGH] = high === "all" ? 0xff : 0;
    const number = this.sets.push(set) - 1;
    this.setNumbers.set(pattern, number);
    return number;
  }
}

function isIn(set: Uint8Array, byte: number): boolean {
  return byte >= 0x80 ? set[SET_HIGH] !== 0 : (set[byte & 15]! & (1 << (byte >> 4))) !== 0;
}

function isAllBut(set: Uint8Array, byte: number): boolean {
  for (let each = 0; each <= 0x80; each++) {
    // No line has a line feed.
    if (each !== byte && each !== 0x0a && !isIn(set, each)) return false;
  }
  return true;
}

function isOneByte(node: QuantifierNode["body"]): node is OneByte {
  if (node.type === "Character") return node.value < 0x80;
  return node.type === "CharacterClass" || node.type === "CharacterSet";
}

/** Which characters behind ASCII are in a set, as far as that is plain to see. */
function highOf(node: CharacterClassElementNode): "all" | "none" | "some" {
  switch (node.type) {
    case "Character":
      return node.value < 0x80 ? "none" : "some";
    case "CharacterClassRange":
      return node.max.value < 0x80 ? "none" : "some";
    case "CharacterSet":
      return node.kind === "dot" ? "all" : "some";
    case "CharacterClass": {
      if (node.kind !== "union") return "some";
      const parts = node.body.map(highOf);
      if (parts.some((part) => part !== "none")) return "some";
      return node.negate ? "all" : "none";
    }
  }
}
