import { expect, test } from "bun:test";

/**
 * Instructions for a record, as `bun test/kernels/count-work.ts` prints them. They are the same on every machine, whatever
 * else it does. One that has become smaller belongs here too: from then on it is guarded.
 */
const INSTRUCTIONS: Readonly<Record<string, number>> = {
  "count lines": 593,
  "quote lines": 4108,
  "read JSON with a time": 5106,
  "Apache's format by a regular expression": 19174,
  "CRI lines, joined": 2104,
  "read JSON, and nothing more": 5106,
  "read and write JSON": 5712,
  "read JSON and write msgpack": 10514,
  "read JSON and grep": 6148,
  "read JSON and edit": 10285,
  "read, grep, edit and write JSON": 6907,
  "write lines as msgpack": 721,
};
/** What a change may make of them before it must say so. */
const TOLERANCE = 0.1;

test("the kernels do no more for a record than they did", () => {
  const { stdout, stderr, exitCode } = Bun.spawnSync([
    ...[process.execPath, "test/kernels/count-work.ts"],
  ]);
  expect([exitCode, `${stderr}`]).toEqual([0, ""]);
  const counts: Record<string, number> = JSON.parse(`${stdout}`);
  const changed = Object.entries(counts).filter(([task, count]) =>
    !(Math.abs(count / INSTRUCTIONS[task]! - 1) <= TOLERANCE)
  );
  expect(changed).toEqual([]);
  expect(Object.keys(counts).sort()).toEqual(Object.keys(INSTRUCTIONS).sort());
});
