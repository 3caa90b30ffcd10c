import { type Kernels, kernels } from "../lib/kernels.ts";
import { type JsonLines, SPAN } from "./json-lines.ts";
import type { Body, LogRecord } from "./record.ts";

const LF = 0x0a;

/** Makes the records. */
export function recordsOf(lines: JsonLines, parse: (text: string) => Body | null): LogRecord[] {
  lines.onRecords();
  const bodies = bodiesOf(lines);
  const records = new Array<LogRecord>(lines.count);
  for (let i = 0; i < lines.count; i++) {
    const body = bodies?.[i] ?? parse(lines.rewritten.get(i) ?? textOf(lines, i))!;
    lines.tail?.addTo(body);
    records[i] = { sec: lines.sec[i]!, nsec: lines.nsec[i]!, body };
  }
  return records;
}

export function textOf({ bytes, spans }: JsonLines, i: number): string {
  const at = i * SPAN.size;
  const cutFrom = spans[at + SPAN.cutFrom]!;
  const cutTo = spans[at + SPAN.cutTo]!;
  const end = spans[at + SPAN.end]!;
  const head = bytes.toString("utf8", spans[at + SPAN.start]!, cutFrom);
  return cutFrom === end ? head : head + bytes.toString("utf8", cutTo, end);
}

/**
 * The bodies of records that lie in the kernels' memory, all parsed at once: that takes half of what one by one does. Those
 * that were rewritten are not among them, so their places are empty. Returns `undefined` when they do not lie there.
 */
function bodiesOf(lines: JsonLines): (Body | undefined)[] | undefined {
  const { bytes, spans, count, rewritten } = lines;
  const kernel = kernels();
  if (!kernel.holds(spans) || !kernel.holds(bytes)) return undefined;
  if (bytes.length + count > kernel.maxOut) return undefined;
  const parsed = Bun.JSONL.parse(allText(lines, kernel)) as Body[];
  // It ends where it finds something else, without a word.
  if (parsed.length !== count - rewritten.size) return undefined;
  if (rewritten.size === 0) return parsed;
  const bodies = new Array<Body | undefined>(count);
  for (let i = 0, next = 0; i < count; i++) if (!rewritten.has(i)) bodies[i] = parsed[next++]!;
  return bodies;
}

/** One object a line. */
function allText({ bytes, count, rewritten }: JsonLines, kernel: Kernels): string {
  const { call, out, texts, bytes: memory } = kernel;
  memory[texts] = LF;
  call.useTexts(0, 1, 0);
  let at = out;
  let next = 0;
  for (const i of rewritten.keys()) {
    at = call.copyLines(bytes.byteOffset, next, i, at);
    next = i + 1;
  }
  at = call.copyLines(bytes.byteOffset, next, count, at);
  return memory.toString("utf8", out, at);
}
