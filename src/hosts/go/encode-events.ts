import { JsonToMsgpack } from "../../lib/json-to-msgpack.ts";
import { writeEventHead } from "../../lib/msgpack-event.ts";
import { MsgpackWriter } from "../../lib/msgpack-writer.ts";
import { parseJsonObject } from "../../lib/json-object.ts";
import type { Batch } from "../../sdk/batch.ts";
import { type JsonLines, SPAN } from "../../sdk/json-lines.ts";
import type { RawLines } from "../../sdk/raw-lines.ts";

const NEWLINE = 0x0a;
const writer = new MsgpackWriter();
const transcoder = new JsonToMsgpack(writer);

/**
 * The records of a batch as Fluent Bit hands them to a Go plugin: `[time, body]`, one behind the other, and
 * `[[time, metadata], body]` for records that have metadata. The short form is what every version of the Go
 * package decodes. Valid until the next call.
 */
export function encodeEvents(batch: Batch): Uint8Array {
  writer.clear();
  const { raw, json } = batch;
  if (json !== undefined) writeJson(json);
  else if (raw?.bytes !== undefined) writeLines(raw, raw.bytes);
  else {
    for (const { sec, nsec, body, metadata } of batch.records) {
      writeEventHead(writer, sec, nsec, metadata);
      writer.map(body);
    }
  }
  return writer.written;
}

/** Lines that nobody looked into go from bytes to bytes. */
function writeLines(raw: RawLines, source: Uint8Array): void {
  const bytes = Buffer.from(source.buffer, source.byteOffset, source.length);
  const before = lineHead(raw);
  for (let i = 0, from = 0; i < raw.count; i++) {
    const next = bytes.indexOf(NEWLINE, from);
    const to = next < 0 ? bytes.length : next;
    writer.reserve(before.length);
    for (let k = 0; k < before.length; k++) writer.memory[writer.length++] = before[k]!;
    writer.textHead(to - from);
    writer.length += bytes.copy(writer.memory, writer.length, from, to);
    from = to + 1;
  }
}

/** What stands before every line: the time, the fields that all have, and the line's own key. */
function lineHead({ sec, nsec, extra, key }: RawLines): Uint8Array {
  const body = { ...extra };
  // The line comes last, and a body with an empty one in its place ends where the line begins.
  delete body[key];
  body[key] = "";
  writeEventHead(writer, sec, nsec, undefined);
  writer.map(body);
  const head = Buffer.from(writer.written.subarray(0, -1));
  writer.clear();
  return head;
}

function writeJson({ count, bytes, spans, sec, nsec, rewritten }: JsonLines): void {
  for (let i = 0; i < count; i++) {
    writeEventHead(writer, sec[i]!, nsec[i]!, undefined);
    const text = rewritten.get(i);
    if (text !== undefined) {
      writer.map(parseJsonObject(text) ?? {});
      continue;
    }
    const at = i * SPAN.size;
    const cutFrom = spans[at + SPAN.cutFrom]!;
    transcoder.object(bytes, spans[at + SPAN.start]!, cutFrom, spans[at + SPAN.cutTo]!);
  }
}
