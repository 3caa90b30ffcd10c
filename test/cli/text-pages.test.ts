import { expect, test } from "bun:test";
import { evenParts, textRanges } from "../../src/cli/text-pages.ts";

const MAPS = `00200000-01a39000 r--p 00000000 fd:00 262 /opt/log collector
01a40000-0684a000 r-xp 01839000 fd:00 262 /opt/log collector
06850000-06860000 rwxp 06639000 fd:00 262 /opt/log collector
0685f000-06867000 r--p 06656000 fd:00 262 /opt/log collector
06867000-0725b000 rw-p 06649000 fd:00 262 /opt/log collector
7f955bed5000-7f955c02b000 r-xp 00028000 fd:00 100 /usr/lib/libc.so.6
7f95500000-7f95501000 r-xp 00000000 00:00 0
`;

test("only the executable's own text and constants that nobody can have written to are given back", () => {
  expect(textRanges(MAPS, "/opt/log collector")).toEqual([
    { start: 0x200000n, length: 0x1a39000n - 0x200000n },
    { start: 0x1a40000n, length: 0x684a000n - 0x1a40000n },
  ]);
  expect(textRanges(MAPS, "/opt/other")).toEqual([]);
});

test("every second part is set apart, and the last one only when something follows", () => {
  const starts = (length: number, page = 4096) =>
    [...evenParts([{ start: 0x10000n, length: BigInt(length) }], page)].map(({ start }) => start);
  expect(starts(0x14000)).toEqual([0x10000n, 0x18000n]);
  expect(starts(0x10000)).toEqual([0x10000n, 0x18000n]);
  expect(starts(0x4000)).toEqual([]);
  expect(starts(0x14000, 16_384)).toEqual([0x10000n, 0x18000n]);
  expect(starts(0x14000, 65_536)).toEqual([]);
});
