import { kernels } from "../lib/kernels.ts";
import type { JsonLinesWriterOptions } from "./json-head.ts";
import type { JsonLines } from "./json-lines.ts";

/** The most bytes that a time takes as a number. */
const LONGEST_NUMBER = 24;
/** The most bytes of UTF-8 that a character of a text takes. */
const LONGEST_LETTER = 3;

/**
 * Writes what lies in the kernels' memory from there, where the head is one that they know. The function returns
 * `undefined` for everything else.
 */
export function kernelWriter(
  { head: { beforeNumber }, between, end }: JsonLinesWriterOptions,
): ((lines: JsonLines) => Uint8Array | undefined) | undefined {
  if (beforeNumber === undefined) return undefined;
  const separator = Buffer.from(between);

  return ({ bytes, spans, count, rewritten, tail }) => {
    const kernel = kernels();
    if (!kernel.holds(spans) || !kernel.holds(bytes)) return undefined;
    const tailLength = tail?.bytes.length ?? 0;
    const texts = beforeNumber.length + separator.length + tailLength;
    // Two commas and a brace, too.
    let most = bytes.length + (texts + LONGEST_NUMBER + 3) * count + end.length * LONGEST_LETTER;
    for (const text of rewritten.values()) most += text.length * LONGEST_LETTER;
    if (most > kernel.maxOut || texts > kernel.maxTexts) return undefined;
    const { call, out, bytes: memory } = kernel;
    let at = kernel.texts;
    at += beforeNumber.copy(memory, at);
    at += separator.copy(memory, at);
    tail?.bytes.copy(memory, at);
    call.useTexts(beforeNumber.length, separator.length, tailLength);
    const base = bytes.byteOffset;
    at = out;
    let next = 0;
    for (const [i, text] of rewritten) {
      at = call.copyLines(base, next, i + 1, at);
      if (at === 0) return undefined;
      at = writeMembers(memory, text, beforeNumber.length > 0, tail?.bytes, at);
      next = i + 1;
    }
    at = call.copyLines(base, next, count, at);
    if (at === 0) return undefined;
    at += memory.write(end, at);
    return memory.subarray(out, at);
  };
}

/** What comes behind a head: the members of an object, those of the tail, and the brace. */
function writeMembers(
  memory: Buffer,
  text: string,
  follows: boolean,
  tail: Buffer | undefined,
  at: number,
): number {
  const isEmpty = text === "{}";
  at += memory.write(follows && !isEmpty ? `,${text.slice(1, -1)}` : text.slice(1, -1), at);
  if (tail !== undefined) {
    if (follows || !isEmpty) at += memory.write(",", at);
    at += tail.copy(memory, at);
  }
  return at + memory.write("}", at);
}
