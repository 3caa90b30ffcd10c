/** A path pattern cut into the part without wildcards and one matcher per further segment. */
export interface PathPattern {
  readonly source: string;
  /** The folder to start in. */
  readonly root: string;
  readonly segments: readonly Segment[];
}

/** `any` is `**`: any number of folders, none included. */
export type Segment = { readonly kind: "any" } | {
  readonly kind: "name";
  readonly matches: (name: string) => boolean;
  readonly literal: string | undefined;
};

const WILDCARD = /[*?[{]/;

/** Compiles a path with wildcards. One without is a pattern of literal segments only. */
export function compilePathPattern(source: string): PathPattern {
  const expanded = source.startsWith("~/") ? `${process.env.HOME ?? ""}${source.slice(1)}` : source;
  const absolute = expanded.startsWith("/");
  const parts = expanded.split("/").filter((part) => part !== "");
  const fixed: string[] = [];
  while (parts.length > 1 && !WILDCARD.test(parts[0]!)) fixed.push(parts.shift()!);
  const root = (absolute ? "/" : "") + fixed.join("/");
  return { source, root: root === "" ? "." : root, segments: parts.map(compileSegment) };
}

function compileSegment(part: string): Segment {
  if (part === "**") return { kind: "any" };
  if (!WILDCARD.test(part)) {
    return { kind: "name", literal: part, matches: (name) => name === part };
  }
  const glob = new Bun.Glob(part);
  const hidden = part.startsWith(".");
  // As in a shell, a leading dot must be asked for.
  return {
    kind: "name",
    literal: undefined,
    matches: (name) => (hidden || !name.startsWith(".")) && glob.match(name),
  };
}

/** True when the path is one that the pattern finds. */
export function matchesPath(pattern: PathPattern, path: string): boolean {
  const prefix = pattern.root === "."
    ? ""
    : pattern.root.endsWith("/")
    ? pattern.root
    : `${pattern.root}/`;
  if (!path.startsWith(prefix)) return false;
  return matchesFrom(pattern.segments, 0, path.slice(prefix.length).split("/"), 0);
}

function matchesFrom(segments: readonly Segment[], s: number, names: string[], n: number): boolean {
  if (s === segments.length) return n === names.length;
  const segment = segments[s]!;
  if (segment.kind === "name") {
    return n < names.length && segment.matches(names[n]!) &&
      matchesFrom(segments, s + 1, names, n + 1);
  }
  for (let skip = n; skip < names.length; skip++) {
    if (matchesFrom(segments, s + 1, names, skip)) return true;
    if (names[skip]!.startsWith(".")) return false;
  }
  return false;
}

/** Compiles `exclude_path` patterns, where `*` also crosses folders, as fnmatch(3) without flags has it. */
export function compileExclusion(patterns: readonly string[]): (path: string) => boolean {
  if (patterns.length === 0) return () => false;
  const regexes = patterns.map((pattern) => new RegExp(`^${fnmatchSource(pattern)}$`, "s"));
  return (path) => regexes.some((regex) => regex.test(path));
}

function fnmatchSource(pattern: string): string {
  let source = "";
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i]!;
    if (c === "*") source += ".*";
    else if (c === "?") source += ".";
    else if (c === "[") {
      const end = pattern.indexOf("]", i + 2);
      if (end === -1) source += "\\[";
      else {
        const body = pattern.slice(i + 1, end).replace(/^!/, "^").replaceAll("\\", "\\\\");
        source += `[${body}]`;
        i = end;
      }
    } else source += c.replace(/[\\^$.|+(){}\]]/g, "\\$&");
  }
  return source;
}
