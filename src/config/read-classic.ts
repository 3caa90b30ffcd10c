import type { MapEntry, MapNode, ScalarNode } from "./node.ts";
import type { Position, Problems } from "./problem.ts";
import { notSupported, type Sections } from "./sections.ts";

/** What a classic file may ask for besides its sections. */
export interface ClassicActions {
  include(path: ScalarNode): void;
  /** `@SET name=value` */
  set(name: string, value: ScalarNode): void;
}

interface OpenSection {
  readonly name: string;
  readonly at: Position;
  readonly entries: MapEntry[];
}

const REFUSED = new Set(["custom", "stream_task", "upstream", "node"]);

/** Reads Fluent Bit's classic format (`[PARSER]` and indented `Key value` lines) into `into`. */
export function readClassic(
  text: string,
  file: string,
  into: Sections,
  problems: Problems,
  actions: ClassicActions,
): void {
  let section: OpenSection | undefined;
  const lines = text.replace(/^\ufeff/, "").split(/\r?\n/);
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!;
    const words = line.trim();
    if (words === "" || words.startsWith("#")) continue;
    const at: Position = { file, line: i + 1, column: line.length - line.trimStart().length + 1 };
    if (words.startsWith("@")) readCommand(words, at, problems, actions);
    else if (words.startsWith("[")) {
      const name = /^\[\s*([^\]]+?)\s*\]$/.exec(words)?.[1]?.toLowerCase();
      if (name === undefined) problems.add(at, "expected a section such as [PARSER]");
      section = name === undefined ? undefined : { name, at, entries: [] };
      if (section !== undefined) place(section, into, problems);
    } else if (section === undefined) problems.add(at, "expected a section such as [PARSER] first");
    else if (section.name === "plugins") readPlugin(readEntry(words, at), into, problems);
    else section.entries.push(readEntry(words, at));
  }
}

/** `Path /lib/out_x.so` of `[PLUGINS]` is an entry of `plugins`. */
function readPlugin({ key, at, value }: MapEntry, into: Sections, problems: Problems): void {
  if (key.toLowerCase() === "path") into.pluginEntries.push(value);
  else problems.add(at, `unknown option "${key}" of [PLUGINS]: expected Path`);
}

function readEntry(words: string, at: Position): MapEntry {
  const match = /^(\S+)(\s*)(.*)$/s.exec(words)!;
  const column = at.column + match[1]!.length + match[2]!.length;
  return {
    key: match[1]!,
    at,
    value: { kind: "scalar", at: { ...at, column }, text: match[3]!.trimEnd() },
  };
}

function readCommand(
  words: string,
  at: Position,
  problems: Problems,
  actions: ClassicActions,
): void {
  const include = /^@include\s+(.+)$/i.exec(words);
  if (include) return actions.include({ kind: "scalar", at, text: include[1]! });
  const set = /^@set\s+([^=\s]+)\s*=\s*(.*)$/i.exec(words);
  if (set) return actions.set(set[1]!, { kind: "scalar", at, text: set[2]! });
  problems.add(at, `unknown command "${words.split(/\s/)[0]}": expected @INCLUDE or @SET`);
}

/** Puts a section where it belongs before its lines are read: they are appended to the same array. */
function place(section: OpenSection, into: Sections, problems: Problems): void {
  const { name, at, entries } = section;
  const map: MapNode = { kind: "map", at, entries };
  if (name === "service") into.service.push(map);
  else if (name === "input" || name === "filter" || name === "output") into.plugins[name].push(map);
  else if (name === "parser") into.parsers.push(map);
  else if (name === "multiline_parser") into.multilineParsers.push(map);
  else if (name === "plugins") return;
  else if (REFUSED.has(name)) problems.add(at, notSupported(`[${name.toUpperCase()}]`));
  else problems.add(at, `unknown section "[${name.toUpperCase()}]"`);
}
