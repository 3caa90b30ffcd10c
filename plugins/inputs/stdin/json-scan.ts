const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Looks for the end of a JSON value that comes in pieces, and looks at every character once. */
export class JsonScan {
  private depth = 0;
  private inString = false;
  private isEscaped = false;

  /** The end of the value within the text, or -1 when it goes on after it. */
  feed(text: string): number {
    for (let i = 0; i < text.length; i++) {
      const c = text.charCodeAt(i);
      if (this.inString) {
        if (this.isEscaped) this.isEscaped = false;
        else if (c === BACKSLASH) this.isEscaped = true;
        else if (c === QUOTE) this.inString = false;
      } else if (c === QUOTE) this.inString = true;
      else if (c === 0x7b || c === 0x5b) this.depth++;
      else if ((c === 0x7d || c === 0x5d) && --this.depth === 0) return i + 1;
    }
    return -1;
  }
}
