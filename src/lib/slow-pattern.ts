import { compilePattern } from "./pattern.ts";

/** Texts are tried up to this length, one character again and again: two ways through them show early. */
const LONGEST = 6;
const SAMPLES = 'aZ0_ -./:,="\té';

/** In how many ways a part matches a character 0, 1, 2 … times; more than two count as two. */
type Ways = readonly number[];
const NONE: Ways = new Array<number>(LONGEST + 1).fill(0);
const EMPTY: Ways = NONE.with(0, 1);
const ONCE: Ways = NONE.with(1, 1);

/**
 * True for an Onigmo expression with a repetition inside of a repetition, such as `(a+)+$`, that can divide
 * one text in many ways: a line that nearly matches then takes time that doubles with each character.
 * Back references and atomic groups count as harmless, since what they match cannot be told this way.
 */
export function isSlowPattern(source: string): boolean {
  if (!/\)[*+{]/.test(source)) return false;
  return [...new Set(SAMPLES + source)].some((char) => new Walk(source, char).isSlow());
}

const GROUP = /\((?:\?(?:(<?[=!])|(>)|[imx-]+(\))|[imx-]*:|<\w+>|#[^)]*(\))))?/y;
const ATOM = /\\[pP]\{[^}]*\}|\\x\{[^}]*\}|\\x\w{1,2}|\\u\w{4}|\\[^]|[^]/y;
const CLASS = /\[\^?\]?(?:\\[^]|\[:\^?\w+:\]|\[(?:\\[^]|[^\]\\])*\]|[^\]\\[])*\]/y;
const REPEAT = /(?:([*+?])|\{(\d*)(,?)(\d*)\})([?+]?)/y;
const ZERO_WIDTH = /^(?:[\^$]|\\[bBAzZG])$/;
const UNKNOWN = /^\\[k1-9]$/;

/** Walks through an expression once, for texts of one character. */
class Walk {
  private at = 0;
  private slow = false;
  private readonly source: string;
  private readonly char: string;

  constructor(source: string, char: string) {
    this.source = source;
    this.char = char;
  }

  isSlow(): boolean {
    this.alternatives();
    return this.slow;
  }

  private take(form: RegExp): RegExpExecArray | null {
    form.lastIndex = this.at;
    const found = form.exec(this.source);
    if (found?.[0]) this.at += found[0].length;
    return found;
  }

  private alternatives(): Ways {
    let ways = this.sequence();
    while (this.take(/\|/y)) ways = plus(ways, this.sequence());
    return ways;
  }

  private sequence(): Ways {
    let ways = EMPTY;
    while (this.at < this.source.length && !/[|)]/.test(this.source[this.at]!)) {
      ways = then(ways, this.repeated(this.source[this.at] === "(" ? this.group() : this.atom()));
    }
    return ways;
  }

  private group(): Ways {
    const [, look, atomic, flags, comment] = this.take(GROUP)!;
    if (flags || comment) return EMPTY;
    const ways = this.alternatives();
    this.take(/\)/y);
    return look ? EMPTY : atomic ? NONE : ways;
  }

  private atom(): Ways {
    const [text] = this.take(CLASS) ?? this.take(ATOM)!;
    if (ZERO_WIDTH.test(text)) return EMPTY;
    if (UNKNOWN.test(text)) return NONE;
    return matches(text, this.char) ? ONCE : NONE;
  }

  private repeated(ways: Ways): Ways {
    for (let found = this.take(REPEAT); found?.[0]; found = this.take(REPEAT)) {
      const [, sign, from, comma, to, mode] = found;
      const min = sign ? (sign === "+" ? 1 : 0) : Number(from);
      const max = sign === "?" ? 1 : sign || (comma && !to) ? Infinity : Number(to || from);
      if (max === Infinity && times(ways, 0, max).includes(2)) this.slow = true;
      ways = mode === "+" ? NONE : times(ways, min, max);
    }
    return ways;
  }
}

const known = new Map<string, boolean>();

function matches(atom: string, char: string): boolean {
  if (atom.length === 1 && atom !== ".") return atom === char;
  const key = atom + char;
  let result = known.get(key);
  if (result === undefined) {
    try {
      result = compilePattern(atom).test(char);
    } catch {
      result = false;
    }
    known.set(key, result);
  }
  return result;
}

function plus(a: Ways, b: Ways): Ways {
  return a.map((count, length) => Math.min(2, count + b[length]!));
}

/** One behind the other. */
function then(a: Ways, b: Ways): Ways {
  return a.map((_, length) => {
    let count = 0;
    for (let first = 0; first <= length; first++) count += a[first]! * b[length - first]!;
    return Math.min(2, count);
  });
}

/** A part so many times. Rounds that match nothing lead nowhere new. */
function times(ways: Ways, min: number, max: number): Ways {
  const round = ways.with(0, 0);
  let total = NONE;
  let sofar = EMPTY;
  for (let i = 0; i <= Math.min(max, LONGEST); i++) {
    if (i >= min || ways[0]! > 0) total = plus(total, sofar);
    sofar = then(sofar, round);
  }
  return total;
}
