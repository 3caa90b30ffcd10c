/**
 * Sorts a stream of lines into JSON objects and plain lines. Several objects may stand on one line, and
 * one object may go over several.
 */
export class JsonOrLines {
  private readonly maxChars: number;
  private open = "";

  constructor(maxChars: number) {
    this.maxChars = maxChars;
  }

  push(lines: readonly string[]): string[] {
    const found: string[] = [];
    for (const line of lines) this.take(line, found);
    return found;
  }

  /** What is left of an object that did not end, line by line. */
  flush(): string[] {
    const rest = this.open;
    this.open = "";
    return rest === "" ? [] : rest.split("\n");
  }

  private take(line: string, found: string[]): void {
    let text = this.open === "" ? line : `${this.open}\n${line}`;
    this.open = "";
    for (;;) {
      text = text.trimStart();
      if (text === "") return;
      const end = startsJson(text) ? endOfJson(text) : -1;
      if (end === -1) return this.incomplete(text, found);
      if (end === text.length || startsJson(text.slice(end).trimStart())) {
        found.push(text.slice(0, end));
        text = text.slice(end);
      } else {
        found.push(text);
        return;
      }
    }
  }

  private incomplete(text: string, found: string[]): void {
    if (/^\{\s*("|$)/.test(text) && text.length < this.maxChars) this.open = text;
    else found.push(...text.split("\n"));
  }
}

function startsJson(text: string): boolean {
  return text.startsWith("{") || text.startsWith("[");
}

/** The end of the JSON value that starts the text, or -1 when it is not complete. */
function endOfJson(text: string): number {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 0x22) {
      i = endOfString(text, i);
      if (i === -1) return -1;
    } else if (c === 0x7b || c === 0x5b) depth++;
    else if (c === 0x7d || c === 0x5d) {
      if (--depth === 0) return i + 1;
    }
  }
  return -1;
}

function endOfString(text: string, from: number): number {
  for (let i = from + 1; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 0x5c) i++;
    else if (c === 0x22) return i;
  }
  return -1;
}
