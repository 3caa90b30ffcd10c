import { JsonScan } from "./json-scan.ts";

/**
 * Sorts a stream of lines into JSON objects and plain lines. Several objects may stand on one line, and
 * one object may go over several.
 */
export class JsonOrLines {
  private readonly maxChars: number;
  /** The lines of an object that has not ended yet. */
  private open: string[] = [];
  private openChars = 0;
  private isObject = false;
  private scan = new JsonScan();

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
    this.open = [];
    return rest;
  }

  private take(line: string, found: string[]): void {
    if (this.open.length === 0) return this.start(line, found);
    this.scan.feed("\n");
    const end = this.scan.feed(line);
    if (end === -1) return this.keep(line, found);
    const before = this.open.join("\n");
    this.open = [];
    this.complete(`${before}\n${line.slice(0, end)}`, line.slice(end), found);
  }

  private start(text: string, found: string[]): void {
    text = text.trimStart();
    if (text === "") return;
    this.scan = new JsonScan();
    const end = startsJson(text) ? this.scan.feed(text) : -1;
    if (end !== -1) return this.complete(text.slice(0, end), text.slice(end), found);
    this.openChars = 0;
    this.isObject = false;
    this.keep(text, found);
  }

  /** An object has ended. What follows it on its line is the next one, or makes all of it a plain line. */
  private complete(object: string, rest: string, found: string[]): void {
    if (rest === "") found.push(object);
    else if (!startsJson(rest.trimStart())) found.push(object + rest);
    else {
      found.push(object);
      this.start(rest, found);
    }
  }

  /** Waits for the rest of an object. What cannot be one, or is too long, is plain lines. */
  private keep(line: string, found: string[]): void {
    // As long as nothing says what it is, there is only white space behind the brace of an earlier line.
    const head = this.isObject ? '{"' : this.open.length === 0 ? line : `{${line}`;
    this.open.push(line);
    this.openChars += line.length + 1;
    this.isObject ||= /^\{\s*"/.test(head);
    if ((this.isObject || /^\{\s*$/.test(head)) && this.openChars <= this.maxChars) return;
    for (const plain of this.flush()) found.push(plain);
  }
}

function startsJson(text: string): boolean {
  return text.startsWith("{") || text.startsWith("[");
}
