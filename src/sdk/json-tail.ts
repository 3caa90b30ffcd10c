import { parseJsonObject } from "../lib/json-object.ts";
import { stringifyJson } from "../lib/json-text.ts";
import { type Body, cloneValue, setField } from "./record.ts";

/** Of JSON lines, what decides about fields behind them. */
interface Followed {
  readonly bytes: Buffer;
  readonly rewritten: ReadonlyMap<number, string>;
  readonly tail?: JsonTail | undefined;
}

/** Fields for the end of records, spelled out once for many of them; see `Batch.append`. */
export class JsonTail {
  /** `"name":value,…`, as JSON.stringify writes it. */
  readonly bytes: Buffer;
  private readonly names: readonly string[];
  private made: Readonly<Body> | undefined;

  /** @param fields at least one. Only their text is kept: objects would take several times as much memory. */
  constructor(fields: Readonly<Body>) {
    this.names = Object.keys(fields);
    this.bytes = Buffer.from(stringifyJson(fields).slice(1, -1));
  }

  /** Not to be changed. */
  get fields(): Readonly<Body> {
    return this.made ??= parseJsonObject(`{${this.bytes}}`)!;
  }

  /** Gives a record the fields, as its own. */
  addTo(body: Body): void {
    for (const name in this.fields) setField(body, name, cloneValue(this.fields[name]!));
  }

  /** Both, this one first. */
  plus({ fields }: JsonTail): JsonTail {
    return new JsonTail({ ...this.fields, ...fields });
  }

  has(name: string): boolean {
    return this.names.includes(name);
  }

  /**
   * Whether the fields can just be written behind all others: a field of the same name would keep its place, and what looks
   * like a number would come before all others. Says no when in doubt.
   */
  mayFollow({ bytes, rewritten, tail }: Followed): boolean {
    for (const name of this.names) {
      if (tail?.has(name) || /^\d/.test(name)) return false;
      const key = `${JSON.stringify(name)}:`;
      if (bytes.includes(key)) return false;
      for (const text of rewritten.values()) if (text.includes(key)) return false;
    }
    return true;
  }
}
