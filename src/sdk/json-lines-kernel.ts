import { kernels } from "../lib/kernels.ts";
import type { JsonLines } from "./json-lines.ts";
import type { JsonLinesWriterOptions } from "./json-lines-writer.ts";

/** The most bytes that a time takes as a number. */
const LONGEST_NUMBER = 24;

/**
 * Writes what lies in the kernels' memory from there, where the head is one that they know. The function returns
 * `undefined` for everything else.
 */
export function kernelWriter(
  { head: { beforeNumber }, between, end }: JsonLinesWriterOptions,
): ((lines: JsonLines) => Uint8Array | undefined) | undefined {
  if (beforeNumber === undefined) return undefined;
  const perLine = between.length * 3 + beforeNumber.length + LONGEST_NUMBER + 2;

  return ({ bytes, spans, count, rewritten }) => {
    const kernel = kernels();
    if (!kernel.holds(spans)) return undefined;
    let most = bytes.length + perLine * count + end.length * 3;
    for (const text of rewritten.values()) most += text.length * 3;
    if (most > kernel.maxOut || perLine > kernel.maxTexts) return undefined;
    const { call, texts, out } = kernel;
    const memory = kernel.bytes;
    const nameLength = beforeNumber.copy(memory, texts);
    const separator = texts + nameLength;
    const separatorLength = memory.write(between, separator);
    const copy = (first: number, last: number, at: number): number =>
      call.copyLines(
        bytes.byteOffset,
        first,
        last,
        texts,
        nameLength,
        separator,
        separatorLength,
        at,
      );
    let at = out;
    let next = 0;
    for (const [i, text] of rewritten) {
      // Its span is empty: what the kernel writes is its head.
      at = copy(next, i + 1, at);
      if (at === 0) return undefined;
      const rest = nameLength > 0 && text !== "{}" ? `,${text.slice(1)}` : text.slice(1);
      at += memory.write(rest, at);
      next = i + 1;
    }
    at = copy(next, count, at);
    if (at === 0) return undefined;
    at += memory.write(end, at);
    return memory.subarray(out, at);
  };
}
