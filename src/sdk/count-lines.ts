import { kernels } from "../lib/kernels.ts";

const LF = 0x0a;
const CR = 0x0d;

/**
 * How many lines a block holds, with a line feed between two; `undefined` when one of them has more bytes than `longest`, or
 * there is a carriage return.
 */
export function countLines(block: Uint8Array, longest: number): number | undefined {
  const kernel = kernels();
  if (block.length > kernel.maxBlock) return countLarge(block, longest);
  kernel.loadFirst(block);
  const from = kernel.block;
  const count = kernel.call.countLines(from, from + block.length, Math.min(longest, block.length));
  return count < 0 ? undefined : count;
}

function countLarge(block: Uint8Array, longest: number): number | undefined {
  if (block.includes(CR)) return undefined;
  let count = 1;
  let start = 0;
  for (let end = block.indexOf(LF); end !== -1; end = block.indexOf(LF, start)) {
    if (end - start > longest) return undefined;
    start = end + 1;
    count++;
  }
  return block.length - start > longest ? undefined : count;
}
