import { expect, test } from "bun:test";
import { strftimeUtc } from "../../src/lib/strftime.ts";

/** Sunday, 2023-01-01 03:04:05 UTC: ISO week 52 of the year before. */
const NEW_YEAR = 1_672_542_245;

const CASES: [string, string][] = [
  ["%Y-%m-%d/%H:%M:%S", "2023-01-01/03:04:05"],
  ["%F %T %R %D", "2023-01-01 03:04:05 03:04 01/01/23"],
  ["%a %A %b %B %h", "Sun Sunday Jan January Jan"],
  ["%j %e %k %l %I %p", "001  1  3  3 03 AM"],
  ["%G %V %g %U %W %u %w", "2022 52 22 01 00 7 0"],
  ["%s %z %Z %%", `${NEW_YEAR} +0000 GMT %`],
  ["%Q %", "%Q %"],
];
test.each(CASES)("strftimeUtc(%p)", (format, expected) => {
  expect(strftimeUtc(format, NEW_YEAR)).toBe(expected);
});
