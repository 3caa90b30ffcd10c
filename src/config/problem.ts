/** One mistake in the configuration, with the place to correct. */
export interface ConfigProblem {
  /** The file as the user named it, or the argument such as `-p path=…`. */
  readonly file: string;
  /** Counted from 1; 0 when the file has no lines, as a command-line argument. */
  readonly line: number;
  /** Counted from 1; 0 when unknown. */
  readonly column: number;
  readonly message: string;
}

/** A place in a configuration file. */
export type Position = Pick<ConfigProblem, "file" | "line" | "column">;

/** `config.yaml:12:5`, or the argument alone. */
export function formatPosition(at: Position): string {
  if (at.line === 0) return at.file;
  return at.column === 0 ? `${at.file}:${at.line}` : `${at.file}:${at.line}:${at.column}`;
}

/** The one line that the user sees. A message never holds a line break, whatever it quotes. */
export function formatProblem(problem: ConfigProblem): string {
  return `${formatPosition(problem)}: ${problem.message.replace(/[\x00-\x1f\x7f]+/g, " ")}`;
}

/** Collects mistakes, so that all of them are shown at once. */
export class Problems {
  private readonly list: ConfigProblem[] = [];
  private readonly files: string[] = [];
  /** Things that work, and that the user should know of. */
  readonly warnings: string[] = [];

  add(at: Position, message: string): void {
    const { file, line, column } = at;
    this.list.push({ file, line, column, message });
  }

  warn(at: Position, message: string): void {
    this.warnings.push(`${formatPosition(at)}: ${message}`);
  }

  /** Remembers the order in which files were read; problems are shown in it. */
  reading(file: string): void {
    this.files.push(file);
  }

  get count(): number {
    return this.list.length;
  }

  sorted(): ConfigProblem[] {
    const rank = new Map(this.files.map((file, index) => [file, index]));
    const known = new Set<string>();
    return this.list
      .filter((problem) => {
        const text = formatProblem(problem);
        return known.has(text) ? false : known.add(text);
      })
      .sort((a, b) =>
        (rank.get(a.file) ?? Infinity) - (rank.get(b.file) ?? Infinity) || a.line - b.line ||
        a.column - b.column || 0
      );
  }
}
