import type { Position } from "./problem.ts";

/**
 * A configuration as it was written: maps keep their repeated keys and their order, every value is text
 * as in Fluent Bit, and everything knows its place. YAML, classic files and the command line all become this.
 */
export type ConfigNode = ScalarNode | ListNode | MapNode;

export interface ScalarNode {
  readonly kind: "scalar";
  readonly at: Position;
  readonly text: string;
  /** The text came from a variable: it must not appear in a message. */
  readonly secret?: boolean;
  /** The text names a variable that is not set: that is reported, and nothing else about it. */
  readonly unset?: boolean;
  /** The line on which the text itself begins, where that is not the line of its position: in a YAML block. */
  readonly textLine?: number;
}
export interface ListNode {
  readonly kind: "list";
  readonly at: Position;
  readonly items: readonly ConfigNode[];
}
export interface MapNode {
  readonly kind: "map";
  readonly at: Position;
  readonly entries: readonly MapEntry[];
}
export interface MapEntry {
  readonly key: string;
  readonly at: Position;
  readonly value: ConfigNode;
}

/** The first entry with this key, in any case. */
export function entryOf(map: MapNode, key: string): MapEntry | undefined {
  return map.entries.find((entry) => entry.key.toLowerCase() === key);
}

/** What a schema is given: text, a list, or an object with lower-case keys. */
export type PlainValue = string | PlainValue[] | { [key: string]: PlainValue };

export function plainValue(node: ConfigNode): PlainValue {
  if (node.kind === "scalar") return node.text;
  if (node.kind === "list") return node.items.map(plainValue);
  return Object.fromEntries(
    node.entries.map((entry) => [entry.key.toLowerCase(), plainValue(entry.value)]),
  );
}

/** All texts in a node that came from variables. */
export function* secretTexts(node: ConfigNode): Generator<string> {
  if (node.kind === "scalar") {
    if (node.secret) yield node.text;
  } else if (node.kind === "list") {
    for (const item of node.items) yield* secretTexts(item);
  } else for (const entry of node.entries) yield* secretTexts(entry.value);
}

/** All texts in a node. */
export function* textsOf(node: ConfigNode): Generator<string> {
  if (node.kind === "scalar") yield node.text;
  else if (node.kind === "list") { for (const item of node.items) yield* textsOf(item); }
  else for (const entry of node.entries) yield* textsOf(entry.value);
}
