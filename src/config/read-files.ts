import { resolve } from "node:path";
import { besideFile, type ConfigFiles, isGlob, readFailure } from "./files.ts";
import type { ScalarNode } from "./node.ts";
import type { Position, Problems } from "./problem.ts";
import { readClassic } from "./read-classic.ts";
import { readYaml } from "./read-yaml.ts";
import { readSections, type Sections } from "./sections.ts";

/** Enough for any layout by hand; a generator that writes more has gone wrong. */
const MAX_FILES = 1000;

/** Reads configuration files and all that they include into one set of sections. */
export class FileReader {
  private readonly chain: { path: string; shown: string }[] = [];
  private readonly done = new Set<string>();
  private readonly files: ConfigFiles;
  private readonly into: Sections;
  private readonly problems: Problems;
  private readonly expand: (node: ScalarNode) => ScalarNode;

  constructor(
    files: ConfigFiles,
    into: Sections,
    problems: Problems,
    /** Replaces the variables in an included path. */
    expand: (node: ScalarNode) => ScalarNode,
  ) {
    this.files = files;
    this.into = into;
    this.problems = problems;
    this.expand = expand;
  }

  /** Reads one file. `from` is the place that asked for it, if a file did. */
  read(shown: string, from?: Position): void {
    const path = resolve(shown);
    if (this.chain.some((open) => open.path === path)) {
      const names = [...this.chain.map((open) => open.shown), shown].join(" → ");
      this.problems.add(from!, `the file includes itself: ${names}`);
      return;
    }
    // Included from two places, a file still counts once.
    if (this.done.has(path)) return;
    this.done.add(path);
    if (this.done.size > MAX_FILES) {
      this.problems.add(from!, `more than ${MAX_FILES} files are included`);
      return;
    }
    const text = this.readText(shown, from);
    if (text === undefined) return;
    this.problems.reading(shown);
    this.chain.push({ path, shown });
    if (isClassic(shown, text)) this.readClassicFile(text, shown);
    else this.readYamlFile(text, shown);
    this.chain.pop();
  }

  private readText(shown: string, from: Position | undefined): string | undefined {
    try {
      const text = this.files.read(shown);
      if (!text.includes("\0")) return text;
      this.problems.add({ file: shown, line: 1, column: 1 }, "this is not a text file");
    } catch (error) {
      const chain = this.chain.length > 1
        ? ` (included by ${this.chain.map((open) => open.shown).join(" → ")})`
        : "";
      this.problems.add(
        from ?? { file: shown, line: 0, column: 0 },
        from === undefined
          ? `cannot read the file: ${readFailure(error)}`
          : `cannot read "${shown}": ${readFailure(error)}${chain}`,
      );
    }
    return undefined;
  }

  private readYamlFile(text: string, shown: string): void {
    const map = readYaml(text, shown, this.problems);
    if (map === undefined) return;
    readSections(map, this.into, this.problems, (path) => this.include(shown, path));
  }

  private readClassicFile(text: string, shown: string): void {
    readClassic(text, shown, this.into, this.problems, {
      include: (path) => this.include(shown, path),
      set: (name, value) => void this.into.env.push({ name, value, isFile: false }),
    });
  }

  private include(includer: string, written: ScalarNode): void {
    const path = this.expand(written);
    if (path.unset) return;
    if (path.text === "") return this.problems.add(path.at, "the path to include is empty");
    const target = besideFile(includer, path.text);
    if (!isGlob(target)) return this.read(target, path.at);
    const found = this.files.glob(target);
    if (found.length === 0) {
      this.problems.warn(path.at, `no file matches "${path.secret ? "***" : path.text}"`);
    }
    for (const file of found) {
      // A pattern may well match the file that it stands in.
      if (resolve(file) !== this.chain.at(-1)!.path) this.read(file, path.at);
    }
  }
}

/** A classic file says so by its name, or by its first line that is not a comment. */
function isClassic(path: string, text: string): boolean {
  if (/\.(ya?ml|json)$/i.test(path)) return false;
  const first = text.split(/\r?\n/).map((line) => line.trim()).find((line) =>
    line !== "" && !line.startsWith("#")
  );
  return /^\[[a-z_ ]+\]$/i.test(first ?? "") || /^@(include|set)\b/i.test(first ?? "");
}
