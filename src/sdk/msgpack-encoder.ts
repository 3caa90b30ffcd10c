import { putBytes } from "../lib/byte-runs.ts";
import { kernels } from "../lib/kernels.ts";
import { parseJsonObject } from "../lib/json-object.ts";
import { JsonToMsgpack, type MapTail } from "../lib/json-to-msgpack.ts";
import { NO_METADATA, writeEventHead } from "../lib/msgpack-event.ts";
import { LONGEST_TEXT_HEAD, MsgpackWriter, putTextHead } from "../lib/msgpack-writer.ts";
import type { Batch } from "./batch.ts";
import { type JsonLines, SPAN } from "./json-lines.ts";
import type { JsonTail } from "./json-tail.ts";
import type { RawLines } from "./raw-lines.ts";
import { type Body, setField } from "./record.ts";

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
/** What msgpack takes of JSON at most: `[1.5` in nine bytes more than the bracket. */
const MOST_GROWTH = 4;
/** The same of a character of text. */
const MOST_GROWTH_OF_TEXT = 5;
/** Of an event with its time, and the head of a large map. */
const LONGEST_EVENT_HEAD = 24;

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
    if (json !== undefined) {
      const packed = this.packJson(json);
      if (packed !== undefined) return packed;
      this.json(json);
    } else if (raw === undefined || /^\d/.test(raw.key)) {
      // Such a name comes first in an object, not last.
      this.records(batch);
    } else if (raw.bytes !== undefined) {
      const before = this.lineHead(raw);
      const packed = packRaw(raw.bytes, raw.count, before);
      if (packed !== undefined) return packed;
      this.lines(raw, raw.bytes, before);
    } else this.texts(raw);
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

  private lines(raw: RawLines, source: Uint8Array, before: Uint8Array): void {
    const { writer } = this;
    const bytes = Buffer.from(source.buffer, source.byteOffset, source.length);
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
    setField(body, key, "");
    this.head(sec, nsec, this.none);
    writer.map(body);
    const head = Buffer.from(writer.written.subarray(0, -1));
    writer.clear();
    return head;
  }

  /** All in the kernel, but for what takes values. Returns `undefined` when the batch does not lie there. */
  private packJson(json: JsonLines): Uint8Array | undefined {
    const kernel = kernels();
    const { bytes, spans, count, rewritten, tail } = json;
    if (this.options.time === "seconds" || !kernel.holds(bytes) || !kernel.holds(spans)) {
      return undefined;
    }
    const members = tail && this.membersOf(tail);
    const tailLength = members?.bytes.length ?? 0;
    let most = bytes.length * MOST_GROWTH + (LONGEST_EVENT_HEAD + tailLength) * count;
    for (const text of rewritten.values()) most += text.length * MOST_GROWTH_OF_TEXT;
    if (most > kernel.maxOut || tailLength > kernel.maxTexts) return undefined;
    members?.bytes.copy(kernel.bytes, kernel.texts);
    const { call, out } = kernel;
    let at = out;
    const elsewhere = rewritten.keys();
    let known = elsewhere.next();
    for (let i = 0; i < count; i++) {
      const until = known.done ? count : known.value;
      const hasMetadata = this.none !== undefined;
      i = call.packLines(
        bytes.byteOffset,
        i,
        until,
        at,
        hasMetadata,
        tailLength,
        members?.count ?? 0,
      );
      at = call.eventsTo.value;
      if (i === count) break;
      if (i === until) known = elsewhere.next();
      this.writer.clear();
      this.event(json, i, members);
      at += this.writer.written.copy(kernel.bytes, at);
    }
    return kernel.bytes.subarray(out, at);
  }

  private json(json: JsonLines): void {
    const members = json.tail && this.membersOf(json.tail);
    for (let i = 0; i < json.count; i++) this.event(json, i, members);
  }

  private event(json: JsonLines, i: number, members: MapTail | undefined): void {
    const { bytes, spans, sec, nsec, rewritten, tail } = json;
    const { writer, transcoder, none } = this;
    this.head(sec[i]!, nsec[i]!, none);
    const text = rewritten.size > 0 ? rewritten.get(i) : undefined;
    if (text !== undefined) {
      const body = parseJsonObject(text) ?? {};
      tail?.addTo(body);
      return writer.map(body);
    }
    const at = i * SPAN.size;
    const cutFrom = spans[at + SPAN.cutFrom]!;
    const cutTo = spans[at + SPAN.cutTo]!;
    transcoder.object(bytes, spans[at + SPAN.start]!, cutFrom, cutTo, members);
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

/** Writes lines in the kernel, each behind a text. Returns `undefined` when they do not fit. */
function packRaw(bytes: Uint8Array, count: number, before: Uint8Array): Uint8Array | undefined {
  const kernel = kernels();
  const { block, texts, out, call } = kernel;
  if (
    count === 0 || bytes.length > kernel.maxBlock || before.length > kernel.maxTexts ||
    bytes.length + (before.length + LONGEST_TEXT_HEAD) * count > kernel.maxOut
  ) return undefined;
  kernel.use(bytes);
  kernel.bytes.set(before, texts);
  const to = call.packRaw(block, block + bytes.length, before.length, out);
  return kernel.bytes.subarray(out, to);
}
