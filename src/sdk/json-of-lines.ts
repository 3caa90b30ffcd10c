import { kernels } from "../lib/kernels.ts";
import { lineFrame } from "../lib/quoted-lines.ts";
import type { JsonLines } from "./json-lines.ts";
import type { RawLines } from "./raw-lines.ts";

const LONGEST_ESCAPE = 6;
/** Of the quote behind a line, and the brace. */
const BEHIND = 2;
const NONE: ReadonlyMap<number, string> = new Map();

export function isInKernels({ bytes, spans }: JsonLines): boolean {
  const kernel = kernels();
  return kernel.holds(bytes) && kernel.holds(spans);
}

/** Makes JSON of lines that still are bytes, in the kernels' memory. Returns `undefined` when they are none, or too long. */
export function wrapLines(
  { bytes, count, key, extra, sec, nsec }: RawLines,
): JsonLines | undefined {
  const frame = lineFrame(extra, key);
  if (bytes === undefined || count === 0 || frame === undefined) return undefined;
  // Such names come first in an object, whatever is put in front of it later.
  if (extra !== undefined && Object.keys(extra).some((name) => /^\d/.test(name))) return undefined;
  const kernel = kernels();
  const head = Buffer.from(`${frame.before}"`);
  const most = bytes.length * LONGEST_ESCAPE + (head.length + BEHIND) * count;
  if (
    bytes.length > kernel.maxBlock || count > kernel.sec.length ||
    head.length > kernel.maxEditTexts || most > kernel.maxMade
  ) return undefined;
  const { call, block, made, editTexts } = kernel;
  kernel.use(bytes);
  kernel.bytes.set(head, editTexts);
  const to = call.wrapLines(block, block + bytes.length, head.length, sec, nsec);
  return {
    count,
    bytes: kernel.bytes.subarray(made, to),
    spans: kernel.spans,
    sec: kernel.sec,
    nsec: kernel.nsec,
    rewritten: NONE,
    onRecords: () => undefined,
  };
}
