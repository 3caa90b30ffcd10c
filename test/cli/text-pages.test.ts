import { expect, test } from "bun:test";
import { textRanges } from "../../src/cli/text-pages.ts";

const MAPS = `00200000-01a39000 r--p 00000000 fd:00 262 /opt/log collector
01a40000-0684a000 r-xp 01839000 fd:00 262 /opt/log collector
06850000-06860000 rwxp 06639000 fd:00 262 /opt/log collector
06867000-0725b000 rw-p 06649000 fd:00 262 /opt/log collector
7f955bed5000-7f955c02b000 r-xp 00028000 fd:00 100 /usr/lib/libc.so.6
7f95500000-7f95501000 r-xp 00000000 00:00 0
`;

test("only the executable's own text that nobody can write to is given back", () => {
  expect(textRanges(MAPS, "/opt/log collector")).toEqual([
    { start: 0x1a40000n, length: 0x684a000n - 0x1a40000n },
  ]);
  expect(textRanges(MAPS, "/opt/other")).toEqual([]);
});
