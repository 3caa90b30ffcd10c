import { LONGEST_ESCAPE, writeQuotedLines } from "../lib/quoted-bytes.ts";
import { type Kernels, kernels } from "../lib/kernels.ts";
import { Scratch } from "../lib/scratch.ts";
import type { RawLines } from "./raw-lines.ts";

/** The constant text around lines that are written as JSON strings. */
export interface LinesFrame {
  readonly before: string;
  readonly between: string;
  readonly after: string;
}

/**
 * Writes lines that still are bytes as JSON strings, with text around them; the function returns `undefined` when they are
 * none any more. The bytes are valid until the next call.
 */
export function quotedLinesWriter(
  scratch: Scratch = new Scratch(),
): (raw: RawLines, frame: LinesFrame) => Uint8Array | undefined {
  return (raw, frame) => {
    const { bytes } = raw;
    if (bytes === undefined) return undefined;
    const kernel = kernels();
    if (fits(kernel, bytes.length, raw.count, frame)) return write(kernel, bytes, frame);
    const before = Buffer.from(frame.before);
    const between = Buffer.from(frame.between);
    const after = Buffer.from(frame.after);
    const out = scratch.room(
      before.length + bytes.length * LONGEST_ESCAPE + (between.length + 2) * (raw.count + 1) +
        after.length,
    );
    before.copy(out);
    let at = writeQuotedLines(bytes, 0, bytes.length, between, out, before.length);
    at += after.copy(out, at);
    return out.subarray(0, at);
  };
}

function fits(kernel: Kernels, bytes: number, count: number, frame: LinesFrame): boolean {
  const { before, between, after } = frame;
  if (bytes > kernel.maxBlock || between.length * 3 > kernel.maxTexts) return false;
  const around = (before.length + after.length + (between.length + 2) * count) * 3;
  return bytes * LONGEST_ESCAPE + around <= kernel.maxOut;
}

function write(kernel: Kernels, lines: Uint8Array, frame: LinesFrame): Uint8Array {
  const { bytes, block, texts, out } = kernel;
  kernel.use(lines);
  const between = bytes.write(frame.between, texts);
  let at = out + bytes.write(frame.before, out);
  at = kernel.call.quoteLines(block, block + lines.length, texts, between, at);
  at += bytes.write(frame.after, at);
  return bytes.subarray(out, at);
}
