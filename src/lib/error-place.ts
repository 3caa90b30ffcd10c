interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Folders of the collector itself: a frame there says nothing to the author of a plugin. */
const OWN = ["/$bunfs/", "node:", "bun:", "native"];
const roots = new Set<string>();

/** Says that files below this folder are the user's, so that their places are worth showing. */
export function noteUserFolder(folder: string): void {
  roots.add(folder.endsWith("/") ? folder : `${folder}/`);
}

/**
 * An error's message, with the place in the user's own file where it was thrown, if it was there:
 * `x is not a function (mask.ts:12:7)`.
 */
export function messageWithPlace(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const place = placeOf(error);
  const text = message.replace(/\s+/g, " ").trim();
  return place === undefined ? text : `${text} (${place.file}:${place.line}:${place.column})`;
}

function placeOf(error: unknown): Place | undefined {
  const { position, stack } = error as { position?: unknown; stack?: unknown } ?? {};
  if (isPosition(position) && position.file !== "") {
    return { ...position, file: position.file.replace(/[?#].*$/, "") };
  }
  if (typeof stack !== "string") return undefined;
  for (
    const [, file, line, column] of stack.matchAll(/\(?((?:\/|[a-z]+:)[^\s()]*?):(\d+):(\d+)\)?$/gm)
  ) {
    if (isUsers(file!)) {
      return { file: file!.replace(/[?#].*$/, ""), line: Number(line), column: Number(column) };
    }
  }
  return undefined;
}

function isUsers(file: string): boolean {
  if (OWN.some((prefix) => file.startsWith(prefix))) return false;
  for (const root of roots) if (file.startsWith(root)) return true;
  return false;
}

function isPosition(value: unknown): value is Place {
  return typeof value === "object" && value !== null && "file" in value && "line" in value;
}
