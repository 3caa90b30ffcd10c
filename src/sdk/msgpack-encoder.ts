import { putBytes } from "../lib/byte-runs.ts";
import { parseJsonObject } from "../lib/json-object.ts";
import { JsonToMsgpack, type MapTail } from "../lib/json-to-msgpack.ts";
import { NO_METADATA, writeEventHead } from "../lib/msgpack-event.ts";
import { LONGEST_TEXT_HEAD, MsgpackWriter, putTextHead } from "../lib/msgpack-writer.ts";
import type { Batch } from "./batch.ts";
import { type JsonLines, SPAN } from "./json-lines.ts";
import type { JsonTail } from "./json-tail.ts";
import type { RawLines } from "./raw-lines.ts";
import type { Body } from "./record.ts";

/** Options of {@link msgpackEncoder}. */
export interface MsgpackEncoderOptions {
  /**
   * Which events are `[[time, metadata], body]`: `always` all of them, as Fluent Bit has them; `where_present` those
   * that have metadata; `never` none. The others are `[time, body]`, the older form.
   */
  readonly metadata: "always" | "where_present" | "never";
  /** `exact` is the Forward protocol's EventTime, to the nanosecond; `seconds` a whole number. Default `exact`. */
  readonly time?: "exact" | "seconds";
}

/** Writes batches as msgpack events, one behind the other. */
export interface MsgpackEncoder {
  /**
   * All events of a batch. What nobody looked into goes from bytes to bytes. The memory is the encoder's: valid until
   * the next call.
   */
  encode(batch: Batch): Uint8Array;
}

const NEWLINE = 0x0a;

/** Compiles an encoder of msgpack events. */
export function msgpackEncoder(options: MsgpackEncoderOptions): MsgpackEncoder {
  const encoder = new EventEncoder(options);
  return { encode: (batch) => encoder.encode(batch) };
}

class EventEncoder {
  private readonly options: MsgpackEncoderOptions;
  private readonly writer = new MsgpackWriter();
  private readonly transcoder = new JsonToMsgpack(this.writer);
  private readonly tails = new WeakMap<JsonTail, MapTail>();
  /** The metadata of an event that has none. */
  private readonly none: Readonly<Body> | undefined;

  constructor(options: MsgpackEncoderOptions) {
    this.options = options;
    this.none = options.metadata === "always" ? NO_METADATA : undefined;
  }

  encode(batch: Batch): Uint8Array {
    const { writer } = this;
    writer.clear();
    const { raw, json } = batch;
    if (json !== undefined) this.json(json);
    else if (raw?.bytes !== undefined) this.lines(raw, raw.bytes);
    else if (raw !== undefined) this.texts(raw);
    else this.records(batch);
    return writer.written;
  }

  private records({ records }: Batch): void {
    const { writer, none } = this;
    const isKept = this.options.metadata !== "never";
    for (const { sec, nsec, body, metadata } of records) {
      this.head(sec, nsec, isKept ? metadata ?? none : undefined);
      writer.map(body);
    }
  }

  private lines(raw: RawLines, source: Uint8Array): void {
    const { writer } = this;
    const bytes = Buffer.from(source.buffer, source.byteOffset, source.length);
    const before = this.lineHead(raw);
    writer.reserve(bytes.length + raw.count * (before.length + LONGEST_TEXT_HEAD));
    const { memory } = writer;
    let at = writer.length;
    for (let i = 0, from = 0; i < raw.count; i++) {
      const next = bytes.indexOf(NEWLINE, from);
      const to = next < 0 ? bytes.length : next;
      at = putBytes(before, memory, at);
      at = putTextHead(to - from, memory, at);
      at += bytes.copy(memory, at, from, to);
      from = to + 1;
    }
    writer.length = at;
  }

  private texts(raw: RawLines): void {
    const before = this.lineHead(raw);
    const { writer } = this;
    for (const line of raw.lines) {
      writer.reserve(before.length);
      writer.length = putBytes(before, writer.memory, writer.length);
      writer.text(line);
    }
  }

  /** What stands before every line: the time, the fields that all have, and the line's own key. */
  private lineHead({ sec, nsec, extra, key }: RawLines): Uint8Array {
    const { writer } = this;
    const body = { ...extra };
    // The line comes last, and a body with an empty one in its place ends where the line begins.
    delete body[key];
    body[key] = "";
    this.head(sec, nsec, this.none);
    writer.map(body);
    const head = Buffer.from(writer.written.subarray(0, -1));
    writer.clear();
    return head;
  }

  private json({ count, bytes, spans, sec, nsec, rewritten, tail }: JsonLines): void {
    const { writer, transcoder, none } = this;
    const members = tail && this.membersOf(tail);
    for (let i = 0; i < count; i++) {
      this.head(sec[i]!, nsec[i]!, none);
      const text = rewritten.size > 0 ? rewritten.get(i) : undefined;
      if (text !== undefined) {
        const body = parseJsonObject(text) ?? {};
        tail?.addTo(body);
        writer.map(body);
        continue;
      }
      const at = i * SPAN.size;
      const cutFrom = spans[at + SPAN.cutFrom]!;
      const cutTo = spans[at + SPAN.cutTo]!;
      transcoder.object(bytes, spans[at + SPAN.start]!, cutFrom, cutTo, members);
    }
  }

  /** Most batches have fields of a few kinds. */
  private membersOf(tail: JsonTail): MapTail {
    const known = this.tails.get(tail);
    if (known !== undefined) return known;
    const { writer } = this;
    let count = 0;
    const from = writer.length;
    for (const name in tail.fields) {
      writer.text(name);
      writer.value(tail.fields[name]!);
      count++;
    }
    const members = { bytes: Buffer.from(writer.memory.subarray(from, writer.length)), count };
    writer.length = from;
    this.tails.set(tail, members);
    return members;
  }

  private head(sec: number, nsec: number, metadata: Readonly<Body> | undefined): void {
    const { writer } = this;
    if (this.options.time !== "seconds") return writeEventHead(writer, sec, nsec, metadata);
    writer.arrayHead(2);
    if (metadata !== undefined) writer.arrayHead(2);
    writer.number(sec);
    if (metadata !== undefined) writer.map(metadata);
  }
}
