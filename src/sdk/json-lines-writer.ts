import { putBytes } from "../lib/byte-runs.ts";
import { Scratch } from "../lib/scratch.ts";
import type { JsonLinesWriterOptions } from "./json-head.ts";
import { kernelWriter } from "./json-lines-kernel.ts";
import { type JsonLines, SPAN } from "./json-lines.ts";

const COMMA = 0x2c;
const CLOSE_BRACE = 0x7d;

/**
 * Copies records whose bodies still are JSON, with something in front of each: without making anything else of them in
 * between. The function returns `undefined` when that would not be what the records would be written as. The bytes are
 * valid until the next call.
 */
export function jsonLinesWriter(
  { head, between, end }: JsonLinesWriterOptions,
  scratch: Scratch = new Scratch(),
): (lines: JsonLines) => Uint8Array | undefined {
  const separator = Buffer.from(between);
  const ending = Buffer.from(end);
  const names = head.names.map((name) => Buffer.from(`${JSON.stringify(name)}:`));
  const withKernel = kernelWriter({ head, between, end });

  return (lines) => {
    const { bytes, spans, count, rewritten, sec, nsec } = lines;
    const tail = lines.tail?.bytes;
    if (lines.tail !== undefined && head.names.some((name) => lines.tail!.has(name))) {
      return undefined;
    }
    if (names.length > 0 && mayNotComeFirst(lines, names)) return undefined;
    const written = withKernel?.(lines);
    if (written !== undefined) return written;
    let rewrittenBytes = 0;
    for (const text of rewritten.values()) rewrittenBytes += text.length * 3;
    const perLine = separator.length + head.longest(sec, count) + 1 + (tail?.length ?? 0) + 1;
    const out = scratch.room(bytes.length + perLine * count + rewrittenBytes + ending.length);
    let at = 0;
    for (let i = 0; i < count; i++) {
      if (i > 0) at = putBytes(separator, out, at);
      const text = rewritten.size > 0 ? rewritten.get(i) : undefined;
      const span = i * SPAN.size;
      const start = spans[span + SPAN.start]! + 1;
      const cutFrom = spans[span + SPAN.cutFrom]!;
      const cutTo = spans[span + SPAN.cutTo]!;
      const last = spans[span + SPAN.end]!;
      at = head.put(sec[i]!, nsec[i]!, out, at);
      const rest = text === undefined ? cutFrom - start + last - cutTo : text.length - 1;
      // More than the closing brace.
      if (names.length > 0 && rest > 1) out[at++] = COMMA;
      if (text !== undefined) at += out.write(text.slice(1), at);
      else {
        if (cutFrom > start) at += bytes.copy(out, at, start, cutFrom);
        if (last > cutTo) at += bytes.copy(out, at, cutTo, last);
      }
      if (tail === undefined) continue;
      // In place of the closing brace.
      at--;
      if (names.length > 0 || rest > 1) out[at++] = COMMA;
      at += tail.copy(out, at);
      out[at++] = CLOSE_BRACE;
    }
    at += ending.copy(out, at);
    return out.subarray(0, at);
  };
}

/**
 * Whether the head's fields cannot just be written in front of every object: a field of the same name would give its
 * value to their place, and fields that look like numbers come before all others.
 */
function mayNotComeFirst({ bytes, rewritten }: JsonLines, names: readonly Buffer[]): boolean {
  if (names.some((name) => bytes.includes(name))) return true;
  for (const text of rewritten.values()) {
    if (/^\{"\d/.test(text) || names.some((name) => text.includes(name.toString()))) return true;
  }
  return false;
}
