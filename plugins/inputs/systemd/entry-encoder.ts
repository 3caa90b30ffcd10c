import {
  type Body,
  type FieldValue,
  type JsonLines,
  type LogRecord,
  setField,
  SPAN,
  stringifyJson,
} from "logcollector/plugin";
import { type FieldRun, FieldRuns } from "./field-runs.ts";
import type { FieldName } from "./journal/field-names.ts";
import type { JournalField } from "./journal/field-reader.ts";
import type { JournalFile } from "./journal/journal-file.ts";
import { isPrintable, LONGEST_ESCAPE, writeJsonText, writeTextOrNumbers } from "./json-value.ts";
import { type AddressWriter, LONGEST_ADDRESS } from "./write-address.ts";
import type { Selection, Term } from "./selection.ts";

export interface EncoderOptions {
  readonly lowercase: boolean;
  readonly stripUnderscores: boolean;
  /** The time of a record is that of `_SOURCE_REALTIME_TIMESTAMP`, where an entry has it. */
  readonly usesSourceTime: boolean;
  readonly selection: Selection;
  /** Writes what every object begins with: nothing by default. */
  readonly address?: AddressWriter | undefined;
  /** How a value is written that is no text: with U+FFFD for what is not UTF-8, or as the list of its bytes. */
  readonly binary?: "text" | "numbers";
  /** Somebody looked into records: they are better made at once. */
  readonly onRecords: () => void;
}

/** What is made of a field's name once. */
interface Key {
  readonly text: string;
  /** `,"NAME":` */
  readonly json: Buffer;
  readonly terms: readonly Term[] | undefined;
  readonly isUnit: boolean;
  readonly isSourceTime: boolean;
  /** Shared by all names that come to be the same text. */
  readonly seen: { inEntry: number };
}

/** What is made of a field that many entries have. */
interface Made {
  /** `,"NAME":"value"` */
  readonly json: Buffer;
  readonly text: string;
  /** Those of the key's terms that it fulfils. */
  readonly hits: readonly Term[];
}

const UNIT_FIELD = "_SYSTEMD_UNIT";
const SOURCE_TIME_FIELD = "_SOURCE_REALTIME_TIMESTAMP";
const LF = 0x0a;
const OPEN = 0x7b;
const CLOSE = 0x7d;
/** A record is not made larger than this: further fields are left out. */
const MAX_RECORD_BYTES = 16 * 1024 * 1024;
export const BLOCK_BYTES = 256 * 1024;
/** Records of one block. */
export const MAX_RECORDS = 1024;
/** Only damaged files have so many. */
const MAX_NAMES = 65_536;

/** Makes records of journal entries: JSON, which most outputs take as it is, or objects. */
export class EntryEncoder {
  private readonly options: EncoderOptions;
  private readonly writeValue: typeof writeJsonText;
  private readonly seen = new Map<string, { inEntry: number }>();
  private out = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  private at = 0;
  private entry = 0;
  private count = 0;
  private readonly spans = new Int32Array(MAX_RECORDS * SPAN.size);
  private readonly sec = new Float64Array(MAX_RECORDS);
  private readonly nsec = new Int32Array(MAX_RECORDS);
  private rewritten = new Map<number, string>();
  private sourceUs = 0;
  private repeats = false;
  /** The unit of the latest entry; `undefined` when it has none. */
  unit: string | undefined;
  /** How much the values of the latest {@link record} take. */
  recordBytes = 0;

  constructor(options: EncoderOptions) {
    this.options = options;
    this.writeValue = options.binary === "numbers" ? writeTextOrNumbers : writeJsonText;
  }

  /** The block is as large as a batch should be. */
  get isFull(): boolean {
    return this.count === MAX_RECORDS || this.at > BLOCK_BYTES * 3 / 4;
  }

  get length(): number {
    return this.count;
  }

  /** Begins a new block, in the memory of the last one. */
  begin(): void {
    if (this.out.length > BLOCK_BYTES) this.out = Buffer.allocUnsafeSlow(BLOCK_BYTES);
    this.at = 0;
    this.count = 0;
    if (this.rewritten.size > 0) this.rewritten = new Map();
  }

  /** Adds a file's current entry as JSON. False when it is not wanted. */
  add(file: JournalFile): boolean {
    const start = this.at;
    const entry = this.beginEntry();
    const { address } = this.options;
    if (address !== undefined) {
      this.room(LONGEST_ADDRESS + 1);
      this.at = address(file, this.out, this.at + 1);
    }
    const run = this.runsOf(file).find(file);
    if (run === undefined) this.addFields(file, entry);
    else this.addRun(file, run, entry);
    if (!this.isWanted(entry)) {
      this.at = start;
      return false;
    }
    this.finishRecord(file, start);
    return true;
  }

  private rewrite(file: JournalFile): string {
    const { address } = this.options;
    const text = stringifyJson(this.bodyOf(file));
    if (address === undefined) return text;
    const head = Buffer.alloc(LONGEST_ADDRESS);
    return `{${head.toString("latin1", 0, address(file, head, 0))},${text.slice(1)}`;
  }

  private finishRecord(file: JournalFile, start: number): void {
    this.room(3);
    if (this.at === start) this.at++;
    this.out[start] = OPEN;
    this.out[this.at++] = CLOSE;
    const { at, count } = this;
    const span = count * SPAN.size;
    this.spans[span + SPAN.start] = start;
    this.spans[span + SPAN.cutFrom] = at;
    this.spans[span + SPAN.cutTo] = at;
    this.spans[span + SPAN.end] = at;
    // Only lines that are printed have it; nobody else looks between two records.
    this.out[this.at++] = LF;
    if (this.repeats) this.rewritten.set(count, this.rewrite(file));
    const us = this.timeOf(file);
    this.sec[count] = Math.floor(us / 1e6);
    this.nsec[count] = (us % 1e6) * 1000;
    this.count++;
  }

  /** Adds all fields, and remembers those in front that other entries have too. */
  private addFields(file: JournalFile, entry: number): void {
    const start = this.at;
    const seen: Key["seen"][] = [];
    const hits: Term[] = [];
    let unit: string | undefined;
    let end = start;
    let isInFront = true;
    const { fieldCount } = file;
    for (let i = 0; i < fieldCount && this.at - start < MAX_RECORD_BYTES; i++) {
      const field = file.field(i);
      if (field === undefined) {
        isInFront = false;
        continue;
      }
      const key = this.keyOf(field.name);
      isInFront &&= field.isKept && !key.isSourceTime;
      this.addField(key, field, entry);
      if (!isInFront) continue;
      seen.push(key.seen);
      hits.push(...this.madeOf(key, field).hits);
      unit = this.unit;
      end = this.at;
    }
    if (this.repeats) return;
    const json = Uint8Array.prototype.slice.call(this.out, start, end);
    this.runsOf(file).learn(file, seen.length, { json, seen, hits, unit });
  }

  private addRun(file: JournalFile, run: FieldRun, entry: number): void {
    const { json, seen, hits, items, unit } = run;
    const start = this.at;
    this.room(json.length);
    this.out.set(json, start);
    this.at = start + json.length;
    this.unit = unit;
    for (const key of seen) key.inEntry = entry;
    for (const term of hits) term.hitBy = entry;
    for (let i = items.length; i < file.fieldCount; i++) {
      if (this.at - start >= MAX_RECORD_BYTES) break;
      const field = file.field(i);
      if (field !== undefined) this.addField(this.keyOf(field.name), field, entry);
    }
  }

  private addField(key: Key, field: JournalField, entry: number): void {
    if (key.seen.inEntry === entry) this.repeats = true;
    key.seen.inEntry = entry;
    if (field.isKept) this.addKept(key, field, entry);
    else this.addPassing(key, field, entry);
  }

  private runsOf(file: JournalFile): FieldRuns {
    return (file.note ??= new FieldRuns()) as FieldRuns;
  }

  /** What was added since {@link begin} as lines. Their memory is used again after the next `begin`. */
  get text(): Uint8Array {
    const { count, out, at, spans, rewritten } = this;
    if (rewritten.size === 0) return out.subarray(0, at);
    return Buffer.concat(
      Array.from({ length: count }, (_, i) => {
        const whole = rewritten.get(i);
        if (whole !== undefined) return Buffer.from(`${whole}\n`);
        const span = i * SPAN.size;
        return out.subarray(spans[span + SPAN.start], spans[span + SPAN.end]! + 1);
      }),
    );
  }

  /** Takes the entry that was added last out again. */
  removeLast(): void {
    this.count--;
    this.at = this.spans[this.count * SPAN.size + SPAN.start]!;
    this.rewritten.delete(this.count);
  }

  /** What was added since {@link begin}. Its memory is used again after the next `begin`. */
  get lines(): JsonLines {
    const { count, out, at, spans, sec, nsec, rewritten, options: { onRecords } } = this;
    return { count, bytes: out.subarray(0, at), spans, sec, nsec, rewritten, onRecords };
  }

  /** A file's current entry as a record; `undefined` when it is not wanted. */
  record(file: JournalFile): LogRecord | undefined {
    const entry = this.beginEntry();
    const body = this.bodyOf(file);
    if (!this.isWanted(entry)) return undefined;
    const us = this.timeOf(file);
    return { sec: Math.floor(us / 1e6), nsec: (us % 1e6) * 1000, body };
  }

  private beginEntry(): number {
    this.unit = undefined;
    this.sourceUs = 0;
    this.repeats = false;
    return ++this.entry;
  }

  private isWanted(entry: number): boolean {
    const { selection } = this.options;
    return selection.isEverything || selection.accepts(entry);
  }

  private timeOf({ realtimeUs }: JournalFile): number {
    return this.sourceUs > 0 ? this.sourceUs : realtimeUs;
  }

  private bodyOf(file: JournalFile): Body {
    const body: Body = {};
    const repeated = new Set<string>();
    const { entry } = this;
    this.recordBytes = 0;
    for (let i = 0; i < file.fieldCount && this.recordBytes < MAX_RECORD_BYTES; i++) {
      const field = file.field(i);
      if (field === undefined) continue;
      const key = this.keyOf(field.name);
      let text: string;
      if (field.isKept) {
        const made = this.madeOf(key, field);
        for (const term of made.hits) term.hitBy = entry;
        text = made.text;
      } else {
        text = textOf(field);
        for (const term of key.terms ?? []) if (term.matches(text)) term.hitBy = entry;
      }
      if (key.isUnit) this.unit ??= text;
      if (key.isSourceTime) this.noteSourceTime(text);
      this.recordBytes += field.to - field.from;
      const value = this.valueOf(field, text);
      if (!Object.hasOwn(body, key.text)) setField(body, key.text, value);
      else if (repeated.has(key.text)) (body[key.text] as FieldValue[]).push(value);
      else {
        repeated.add(key.text);
        setField(body, key.text, [body[key.text]!, value]);
      }
    }
    return body;
  }

  private valueOf({ source, from, to }: JournalField, text: string): FieldValue {
    if (this.options.binary !== "numbers" || isPrintable(source, from, to)) return text;
    return [...source.subarray(from, to)];
  }

  private addKept(key: Key, field: JournalField, entry: number): void {
    const made = this.madeOf(key, field);
    for (const term of made.hits) term.hitBy = entry;
    if (key.isUnit) this.unit ??= made.text;
    if (key.isSourceTime) this.noteSourceTime(made.text);
    const { json } = made;
    this.room(json.length);
    this.out.set(json, this.at);
    this.at += json.length;
  }

  private addPassing(key: Key, field: JournalField, entry: number): void {
    const { source, from, to } = field;
    this.room(key.json.length + (to - from) * LONGEST_ESCAPE + 2);
    this.out.set(key.json, this.at);
    this.at = this.writeValue(source, from, to, this.out, this.at + key.json.length);
    if (key.terms === undefined && !key.isUnit && !key.isSourceTime) return;
    const text = textOf(field);
    for (const term of key.terms ?? []) if (term.matches(text)) term.hitBy = entry;
    if (key.isUnit) this.unit ??= text;
    if (key.isSourceTime) this.noteSourceTime(text);
  }

  private noteSourceTime(text: string): void {
    if (/^\d{1,16}$/.test(text)) this.sourceUs = Number(text);
  }

  private madeOf(key: Key, field: JournalField): Made {
    if (field.note !== undefined) return field.note as Made;
    const { source, from, to } = field;
    const json = Buffer.allocUnsafe(key.json.length + (to - from) * LONGEST_ESCAPE + 2);
    json.set(key.json, 0);
    const end = this.writeValue(source, from, to, json, key.json.length);
    const text = textOf(field);
    const hits = key.terms?.filter(({ matches }) => matches(text)) ?? [];
    const made = { json: Buffer.from(json.subarray(0, end)), text, hits };
    field.note = made;
    return made;
  }

  private keyOf(name: FieldName): Key {
    return (name.note ??= this.makeKey(name.text)) as Key;
  }

  private makeKey(name: string): Key {
    const { lowercase, stripUnderscores, selection, usesSourceTime } = this.options;
    let text = lowercase ? name.toLowerCase() : name;
    if (stripUnderscores) text = text.replace(/^_+(?=.)/, "");
    if (this.seen.size >= MAX_NAMES) this.seen.clear();
    const seen = this.seen.get(text) ?? { inEntry: -1 };
    this.seen.set(text, seen);
    return {
      text,
      json: Buffer.from(`,${JSON.stringify(text)}:`),
      terms: selection.terms.get(name),
      isUnit: name === UNIT_FIELD,
      isSourceTime: usesSourceTime && name === SOURCE_TIME_FIELD,
      seen,
    };
  }

  private room(bytes: number): void {
    const needed = this.at + bytes;
    if (needed <= this.out.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.out.length * 2));
    larger.set(this.out.subarray(0, this.at), 0);
    this.out = larger;
  }
}

function textOf({ source, from, to }: JournalField): string {
  return source.toString("utf8", from, to);
}
