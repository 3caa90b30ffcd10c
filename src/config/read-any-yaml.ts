import {
  Composer,
  type CST,
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  Parser,
} from "yaml";
import { NO_ANCHOR, UNCLOSED_QUOTE, yamlMessage } from "./yaml-message.ts";
import type { ConfigNode, MapEntry, MapNode } from "./node.ts";
import type { Position, Problems } from "./problem.ts";

const MAX_TOKENS = 400_000;
const MAX_DEPTH = 64;
/** Bounds what aliases unfold to. */
const MAX_NODES = 50_000;

/** Reads whatever YAML there is, or reports why not and returns `undefined`. An empty file is an empty map. */
export function readAnyYaml(source: string, file: string, problems: Problems): MapNode | undefined {
  const start: Position = { file, line: 1, column: 1 };
  const lines = new LineCounter();
  const position = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(1, line), column: Math.max(1, col) };
  };
  const tokens = readTokens(source, lines, (offset, message) => {
    problems.add(position(offset), message);
  });
  if (tokens === undefined) return undefined;

  const documents = [
    ...new Composer({
      schema: "failsafe",
      uniqueKeys: false,
      lineCounter: lines,
      keepSourceTokens: true,
    })
      .compose(tokens, true, source.length),
  ];
  const errors = documents.flatMap((document) => document.errors);
  if (errors.length > 0) {
    // The first error of a parser is the mistake; those that follow from it only confuse.
    const first = errors.sort((a, b) => a.pos[0] - b.pos[0])[0]!;
    problems.add(position(first.pos[0]), yamlMessage(first));
    return undefined;
  }
  if (documents.length > 1) {
    problems.add(position(documents[1]!.range[0]), "only one YAML document is allowed in a file");
    return undefined;
  }
  return convertDocument(documents[0]!, position, start, problems);
}

/** Tokens of the source, or `undefined` when it nests or holds too much. Neither is left to recursion. */
function readTokens(
  source: string,
  lines: LineCounter,
  refuse: (offset: number, message: string) => void,
): CST.Token[] | undefined {
  const parser = new Parser(lines.addNewLine);
  lines.addNewLine(0);
  const tokens: CST.Token[] = [];
  let count = 0;
  for (const lexeme of new Lexer().lex(source)) {
    if (isUnclosedQuote(lexeme)) {
      // The library would name the end of the file.
      refuse(parser.offset, UNCLOSED_QUOTE);
      return undefined;
    }
    for (const token of parser.next(lexeme)) tokens.push(token);
    if (parser.stack.length > MAX_DEPTH + 2) {
      refuse(parser.offset, `nesting is deeper than ${MAX_DEPTH} levels`);
      return undefined;
    }
    if (++count > MAX_TOKENS) {
      refuse(parser.offset, "the file holds too many values");
      return undefined;
    }
  }
  for (const token of parser.end()) tokens.push(token);
  return tokens;
}

function isUnclosedQuote(lexeme: string): boolean {
  const quote = lexeme[0];
  if (quote !== '"' && quote !== "'") return false;
  return lexeme.length === 1 || !lexeme.endsWith(quote);
}

class Unusable extends Error {
  readonly offset: number;
  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

function convertDocument(
  document: Document.Parsed,
  position: (offset: number) => Position,
  start: Position,
  problems: Problems,
): MapNode | undefined {
  const { contents } = document;
  if (contents === null || isScalar(contents) && !contents.value) {
    return { kind: "map", at: start, entries: [] };
  }
  try {
    const node = new Conversion(position).convert(contents, 0, 0);
    if (node.kind === "map") return node;
    problems.add(node.at, "expected sections such as `pipeline:` at the top of the file");
  } catch (error) {
    if (!(error instanceof Unusable)) throw error;
    problems.add(position(error.offset), error.message);
  }
  return undefined;
}

/** From the library's nodes to ours. Aliases unfold to copies, as many as the limits allow. */
class Conversion {
  private nodes = 0;
  private readonly anchors = new Map<string, unknown>();
  private readonly position: (offset: number) => Position;

  constructor(position: (offset: number) => Position) {
    this.position = position;
  }

  convert(node: unknown, offset: number, depth: number): ConfigNode {
    const from = rangeStart(node) ?? offset;
    if (depth > MAX_DEPTH) throw new Unusable(`nesting is deeper than ${MAX_DEPTH} levels`, from);
    if (++this.nodes > MAX_NODES) throw new Unusable("aliases unfold to too many values", from);
    if (isAlias(node)) {
      const target = this.anchors.get(node.source);
      if (target === undefined) throw new Unusable(NO_ANCHOR, from);
      return this.convert(target, from, depth + 1);
    }
    const anchor = (node as { anchor?: string } | null)?.anchor;
    if (anchor !== undefined) this.anchors.set(anchor, node);
    const tag = (node as { tag?: string } | null)?.tag;
    if (tag?.startsWith("!")) {
      throw new Unusable("a value that begins with ! is a tag in YAML: put it in quotes", from);
    }
    const at = this.position(from);
    if (isMap(node)) {
      return {
        kind: "map",
        at,
        entries: node.items.flatMap((pair) => this.pair(pair, from, depth)),
      };
    }
    if (isSeq(node)) {
      return { kind: "list", at, items: node.items.map((item) => this.item(item, from, depth)) };
    }
    if (!isScalar(node)) return { kind: "scalar", at, text: "" };
    const text = scalarText(node.value);
    if (!node.type?.startsWith("BLOCK")) return { kind: "scalar", at, text };
    const blankLines = /^\s*\n/.exec(text)?.[0].split("\n").length ?? 1;
    return { kind: "scalar", at, text, textLine: at.line + blankLines };
  }

  private item(item: unknown, offset: number, depth: number): ConfigNode {
    // `[a: b]` holds a pair: a map of one.
    if (!isPair(item)) return this.convert(item, offset, depth + 1);
    const entries = this.pair(item, offset, depth);
    return { kind: "map", at: entries[0]?.at ?? this.position(offset), entries };
  }

  private pair(pair: { key: unknown; value: unknown }, offset: number, depth: number): MapEntry[] {
    const from = rangeStart(pair.key) ?? offset;
    const key = this.convert(pair.key, from, depth + 1);
    if (key.kind !== "scalar") throw new Unusable("a key must be plain text", from);
    const value = this.convert(pair.value, from, depth + 1);
    if (key.text === "<<" && value.kind !== "scalar") return mergedEntries(value);
    return [{ key: key.text.trim(), at: key.at, value: trimmed(value) }];
  }
}

/** The line break at the end of a block is not part of an option, nor is the space inside its quotes. */
function trimmed(value: ConfigNode): ConfigNode {
  return value.kind === "scalar" ? { ...value, text: value.text.trim() } : value;
}

function mergedEntries(value: ConfigNode): MapEntry[] {
  if (value.kind === "map") return [...value.entries];
  return value.kind === "list" ? value.items.flatMap(mergedEntries) : [];
}

function rangeStart(node: unknown): number | undefined {
  return (node as { range?: [number, number, number] | null } | null)?.range?.[0];
}

function scalarText(value: unknown): string {
  return value === null || value === undefined ? "" : String(value);
}
