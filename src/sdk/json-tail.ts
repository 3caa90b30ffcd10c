import { stringifyJson } from "../lib/json-text.ts";
import type { JsonLines } from "./json-lines.ts";
import { type Body, cloneValue, setField } from "./record.ts";

/** Fields for the end of records, spelled out once for many of them; see `Batch.append`. */
export class JsonTail {
  readonly fields: Readonly<Body>;
  /** `"name":value,…`, as JSON.stringify writes it. */
  readonly bytes: Buffer;
  private readonly names: readonly Buffer[];

  /** @param fields at least one; they are not to be changed any more */
  constructor(fields: Readonly<Body>) {
    this.fields = fields;
    this.bytes = Buffer.from(stringifyJson(fields).slice(1, -1));
    this.names = Object.keys(fields).map((name) => Buffer.from(`${JSON.stringify(name)}:`));
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
    return Object.hasOwn(this.fields, name);
  }

  /**
   * Whether the fields can just be written behind all others: a field of the same name would keep its place, and what looks
   * like a number would come before all others. Says no when in doubt.
   */
  mayFollow({ bytes, rewritten, tail }: JsonLines): boolean {
    for (const name in this.fields) if (tail?.has(name) || /^\d/.test(name)) return false;
    if (this.names.some((name) => bytes.includes(name))) return false;
    for (const text of rewritten.values()) {
      if (this.names.some((name) => text.includes(name.toString()))) return false;
    }
    return true;
  }
}
