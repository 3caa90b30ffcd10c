import { parseJsonObject } from "../lib/json-object.ts";
import type { Kernels } from "../lib/kernels.ts";
import type { JsonLines } from "./json-lines.ts";
import type { Body } from "./record.ts";

/**
 * Has the kernel answer for the records that lie in its memory, with `ask`, and answers for the few that were rewritten,
 * with `test`. Returns how many of the kernel's answers are not sure.
 */
export function askAll(
  { rewritten, count }: JsonLines,
  { answers }: Kernels,
  ask: (first: number, last: number) => number,
  test: (body: Body) => boolean,
): number {
  let unsure = 0;
  let next = 0;
  for (const [i, text] of rewritten) {
    unsure += ask(next, i);
    answers[i] = Number(test(parseJsonObject(text)!));
    next = i + 1;
  }
  return unsure + ask(next, count);
}
