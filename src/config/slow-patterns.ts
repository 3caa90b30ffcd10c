import { isSlowPattern } from "../lib/slow-pattern.ts";
import { textsOf } from "./node.ts";
import type { GivenOption } from "./option-problems.ts";
import type { Problems } from "./problem.ts";

/** Warns, at its place, of each regular expression that whoever writes the log can make very slow. */
export function warnOfSlowPatterns(
  options: Iterable<GivenOption>,
  owner: string,
  problems: Problems,
): void {
  for (const { key, values, description } of options) {
    const types = [description?.type, ...description?.parts?.map(({ type }) => type) ?? []];
    if (!types.some((type) => /regex/i.test(type ?? ""))) continue;
    for (const value of values) {
      // Where other words stand around the expression they are read as a part of it, which changes nothing.
      for (const text of textsOf(value)) {
        if (!isSlowPattern(text)) continue;
        problems.warn(
          value.at,
          `option "${key}" of ${owner} has a repetition inside of a repetition that can divide one text in many ways: a line made for it takes a second`,
        );
      }
    }
  }
}
