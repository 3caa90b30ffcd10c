import type { ConfigNode, ListNode, MapEntry, MapNode, ScalarNode } from "./node.ts";
import type { Position } from "./problem.ts";

/** Beyond these a file is for the library, which knows the limits and how to report them. */
const MAX_CHARS = 64 * 1024;
const MAX_DEPTH = 16;

/** Control characters, and what takes two places in a string; outside of comments all that is not ASCII. */
const UNUSUAL = /[^\n\x20-\x7e\xa0-\ud7ff\ue000-\ufefe]/;
const UNUSUAL_IN_LINE = /[^\x20-\x7e]/;
/** Of documents. */
const MARKER = /^(?:---|\.\.\.|%)/m;
const KEY = /([A-Za-z_][\w.-]{0,99}):(?: +|$)/y;
const QUOTED = /"([^"\\\n]*)"|'((?:[^'\n]|'')*)'/y;
/** Text without quotes: it begins with no sign that YAML has a use for. */
const PLAIN = /(?:[^\s\-?:,[\]{}#&*!|>'"%@`]|-(?=[^\s,[\]{}]))[^\n]*/y;
const FLOW_PLAIN = /(?:[^\s\-?:,[\]{}#&*!|>'"%@`]|-(?=[^\s,[\]{}]))[^,[\]{}\n]*/y;
const SPACES = / */y;
/** A colon that could end a key. */
const KEY_SIGN = /:(?: |$)/;

/**
 * Reads YAML of the kind that nearly every configuration is: maps and lists, nested by indentation or in brackets within a
 * line, of keys and texts in one line each. Gives just what the library makes of it, or `undefined` when something in it is
 * out of the ordinary or wrong: then the library is asked. It takes 30 ms to load and to get going, a fifth of a start.
 */
export function readPlainYaml(text: string, file: string): MapNode | undefined {
  if (text.length > MAX_CHARS || UNUSUAL.test(text) || MARKER.test(text)) return undefined;
  const lines = text.split("\n").flatMap((line, i) => {
    const indent = line.search(/[^ ]/);
    return indent === -1 || line[indent] === "#" ? [] : [{ text: line, indent, number: i + 1 }];
  });
  if (lines.some((line) => UNUSUAL_IN_LINE.test(line.text))) return undefined;
  try {
    return new PlainYaml(lines, file).document();
  } catch (error) {
    if (error instanceof NotPlain) return undefined;
    throw error;
  }
}

class NotPlain extends Error {}

interface Line {
  readonly text: string;
  readonly indent: number;
  /** From 1. */
  readonly number: number;
}

class PlainYaml {
  private readonly lines: readonly Line[];
  private readonly file: string;
  private next = 0;
  /** Where in the line. */
  private column = 0;

  constructor(lines: readonly Line[], file: string) {
    this.lines = lines;
    this.file = file;
  }

  document(): MapNode {
    const first = this.lines[0];
    if (first === undefined || first.text[first.indent] === "-") throw new NotPlain();
    this.column = first.indent;
    const map = this.blockMap(first.indent, 0);
    if (this.next < this.lines.length) throw new NotPlain();
    return map;
  }

  /** Entries from the place in the line on, and in the lines below that begin in the same column. */
  private blockMap(indent: number, depth: number): MapNode {
    const at = this.position();
    const entries: MapEntry[] = [];
    do entries.push(this.blockEntry(indent, depth)); while (this.isAt(indent));
    return { kind: "map", at, entries };
  }

  private blockEntry(indent: number, depth: number): MapEntry {
    const at = this.position();
    const key = this.take(KEY)?.[1];
    if (key === undefined) throw new NotPlain();
    if (!this.isLineEnd) return { key, at, value: trimmed(this.inlineValue(indent, depth)) };
    this.next++;
    const line = this.lines[this.next];
    if (line === undefined || line.indent < indent) throw new NotPlain();
    // The items of a list may stand below their key.
    if (line.indent === indent && line.text[indent] !== "-") throw new NotPlain();
    return { key, at, value: this.block(line.indent, depth + 1) };
  }

  /** A map or a list that begins in a line of its own. */
  private block(indent: number, depth: number): ConfigNode {
    if (depth > MAX_DEPTH) throw new NotPlain();
    this.column = indent;
    return this.line.text[indent] === "-"
      ? this.blockList(indent, depth)
      : this.blockMap(indent, depth);
  }

  private blockList(indent: number, depth: number): ListNode {
    const at = this.position();
    const items: ConfigNode[] = [];
    do {
      if (!this.line.text.startsWith("- ", indent)) throw new NotPlain();
      this.column = indent + 1;
      this.skipSpaces();
      if (this.isLineEnd) throw new NotPlain();
      items.push(this.blockItem(indent, depth + 1));
    } while (this.isAt(indent) && this.line.text[indent] === "-");
    return { kind: "list", at, items };
  }

  private blockItem(indent: number, depth: number): ConfigNode {
    const { column } = this;
    KEY.lastIndex = column;
    if (KEY.test(this.line.text)) return this.blockMap(column, depth);
    return this.inlineValue(indent, depth);
  }

  /** A value that ends with its line; `indent` is that of what holds it. */
  private inlineValue(indent: number, depth: number): ConfigNode {
    const first = this.line.text[this.column];
    const value = first === "{" || first === "["
      ? this.flow(depth + 1)
      : this.quoted() ?? this.plain();
    this.skipSpaces();
    if (!this.isLineEnd) throw new NotPlain();
    this.next++;
    const below = this.lines[this.next];
    // It could be the rest of the text.
    if (below !== undefined && below.indent > indent) throw new NotPlain();
    return value;
  }

  private plain(): ScalarNode {
    const at = this.position();
    const rest = this.take(PLAIN)?.[0];
    if (rest === undefined) throw new NotPlain();
    const comment = rest.indexOf(" #");
    const text = (comment === -1 ? rest : rest.slice(0, comment)).trimEnd();
    if (KEY_SIGN.test(text)) throw new NotPlain();
    return { kind: "scalar", at, text };
  }

  private quoted(): ScalarNode | undefined {
    const at = this.position();
    const match = this.take(QUOTED);
    if (match === undefined) return undefined;
    return { kind: "scalar", at, text: match[1] ?? match[2]!.replaceAll("''", "'") };
  }

  private flow(depth: number): ConfigNode {
    if (depth > MAX_DEPTH) throw new NotPlain();
    const at = this.position();
    if (this.skip("{")) {
      const entries = this.flowParts("}", () => this.flowEntry(depth));
      return { kind: "map", at, entries };
    }
    if (this.skip("[")) {
      return { kind: "list", at, items: this.flowParts("]", () => this.flowValue(depth)) };
    }
    throw new NotPlain();
  }

  private flowParts<T>(end: string, read: () => T): T[] {
    const parts: T[] = [];
    this.skipSpaces();
    if (this.skip(end)) return parts;
    for (;;) {
      parts.push(read());
      this.skipSpaces();
      if (this.skip(end)) return parts;
      if (!this.skip(",")) throw new NotPlain();
      this.skipSpaces();
    }
  }

  private flowEntry(depth: number): MapEntry {
    const at = this.position();
    const key = this.take(KEY)?.[1];
    if (key === undefined) throw new NotPlain();
    return { key, at, value: trimmed(this.flowValue(depth)) };
  }

  private flowValue(depth: number): ConfigNode {
    const first = this.line.text[this.column];
    if (first === "{" || first === "[") return this.flow(depth + 1);
    const quoted = this.quoted();
    if (quoted !== undefined) return quoted;
    const at = this.position();
    const text = this.take(FLOW_PLAIN)?.[0].trimEnd();
    if (text === undefined || KEY_SIGN.test(text) || text.includes(" #")) throw new NotPlain();
    return { kind: "scalar", at, text };
  }

  private get line(): Line {
    return this.lines[this.next]!;
  }

  /** Whether the next line begins in this column, which then is the place. */
  private isAt(indent: number): boolean {
    if (this.lines[this.next]?.indent !== indent) return false;
    this.column = indent;
    return true;
  }

  private get isLineEnd(): boolean {
    const { text } = this.line;
    return this.column >= text.length ||
      text[this.column] === "#" && text[this.column - 1] === " ";
  }

  private take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.column;
    const match = pattern.exec(this.line.text);
    if (match === null) return undefined;
    this.column = pattern.lastIndex;
    return match;
  }

  private skip(character: string): boolean {
    if (this.line.text[this.column] !== character) return false;
    this.column++;
    return true;
  }

  private skipSpaces(): void {
    this.take(SPACES);
  }

  private position(): Position {
    return { file: this.file, line: this.line.number, column: this.column + 1 };
  }
}

/** The space inside the quotes of an option's value is not part of it. */
function trimmed(value: ConfigNode): ConfigNode {
  return value.kind === "scalar" ? { ...value, text: value.text.trim() } : value;
}
