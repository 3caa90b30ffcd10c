const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const NULL = Buffer.from("null");

/** Objects of the API are at most a few megabytes; what is larger is none of them. */
const LONGEST_ITEM = 8 << 20;
const LONGEST_REST = 64 << 10;
const LONGEST_NAME = 40;

/** In a list, items are the objects in an array of the outermost object. */
const ITEM_DEPTH = 2;

/**
 * Takes the JSON of a list apart while it comes, `{"metadata":{…},"items":[{…},{…}]}`, so that never more than one item is
 * in memory at once.
 */
export class ListItems {
  private readonly omitted: ReadonlySet<string>;
  private depth = 0;
  private inText = false;
  private isEscaped = false;
  private inArray = false;
  private inItem = false;
  /** The array has had items, of which the commas between are not needed either. */
  private hasItems = false;
  /** Where a value began that is left out. */
  private omitDepth = Infinity;
  private item: Buffer[] = [];
  private itemBytes = 0;
  private readonly rest: Buffer[] = [];
  private restBytes = 0;

  /**
   * @param omitted names of members that nobody wants. Their values become `null`, at any depth, if they are objects or
   * arrays; one on the border of two parts may stay.
   */
  constructor(omitted: readonly string[] = []) {
    this.omitted = new Set(omitted);
  }

  /** The text of each item that these bytes complete. Throws when one is too large. */
  *push(part: Buffer): Generator<string, void, void> {
    let from = 0;
    for (let i = 0; i < part.length; i++) {
      const c = part[i]!;
      if (this.inText) {
        if (this.isEscaped) this.isEscaped = false;
        else if (c === BACKSLASH) this.isEscaped = true;
        else if (c === QUOTE) this.inText = false;
      } else if (c === QUOTE) this.inText = true;
      else if (c === OPEN_BRACE || c === OPEN_BRACKET) from = this.opened(part, from, i);
      else if (c === CLOSE_BRACE || c === CLOSE_BRACKET) {
        this.depth--;
        if (this.depth === this.omitDepth) {
          this.omitDepth = Infinity;
          from = i + 1;
        } else if (this.depth === ITEM_DEPTH && this.inArray && c === CLOSE_BRACE) {
          this.keepItem(part.subarray(from, i + 1));
          from = i + 1;
          yield this.takeItem();
        }
      } else if (c === COMMA && this.depth === ITEM_DEPTH && this.hasItems) {
        this.keepRest(part.subarray(from, i));
        from = i + 1;
      }
    }
    if (this.omitDepth < Infinity) return;
    if (this.inItem) this.keepItem(part.subarray(from));
    else this.keepRest(part.subarray(from));
  }

  /** The list without its items, when it has come to its end. Throws when it has not. */
  end(): unknown {
    if (this.depth !== 0 || this.restBytes === 0) throw new Error("the list is cut short");
    return JSON.parse(Buffer.concat(this.rest).toString());
  }

  /** An object or array begins at `at`. Returns from where on bytes are to be kept. */
  private opened(part: Buffer, from: number, at: number): number {
    const isObject = part[at] === OPEN_BRACE;
    const depth = this.depth++;
    if (depth === ITEM_DEPTH - 1) {
      this.inArray = !isObject;
      this.hasItems = false;
    }
    if (depth === ITEM_DEPTH && this.inArray && isObject) {
      this.keepRest(part.subarray(from, at));
      this.inItem = true;
      return at;
    }
    const mayOmit = this.inItem && this.omitDepth === Infinity;
    if (!mayOmit || !this.omitted.has(nameBefore(part, at))) return from;
    this.keepItem(part.subarray(from, at));
    this.keepItem(NULL);
    this.omitDepth = depth;
    return from;
  }

  private keepItem(bytes: Buffer): void {
    this.itemBytes += bytes.length;
    if (this.itemBytes > LONGEST_ITEM) {
      throw new Error(`an object of the list has more than ${LONGEST_ITEM >> 20} MiB`);
    }
    // A copy: the memory is the socket's.
    this.item.push(Buffer.from(bytes));
  }

  private takeItem(): string {
    const [first, ...others] = this.item;
    const text = others.length === 0 ? first!.toString() : Buffer.concat(this.item).toString();
    this.item = [];
    this.itemBytes = 0;
    this.hasItems = true;
    this.inItem = false;
    return text;
  }

  private keepRest(bytes: Buffer): void {
    this.restBytes += bytes.length;
    if (this.restBytes > LONGEST_REST) throw new Error("what the server sends is no list");
    if (bytes.length > 0) this.rest.push(Buffer.from(bytes));
  }
}

/** The member's name in `"name":` in front of `at`; empty when there is none, or not in this part. */
function nameBefore(part: Buffer, at: number): string {
  const end = at - 2;
  if (part[at - 1] !== COLON || part[end] !== QUOTE) return "";
  const start = part.lastIndexOf(QUOTE, end - 1);
  return start < 0 || end - start > LONGEST_NAME ? "" : part.toString("latin1", start + 1, end);
}
