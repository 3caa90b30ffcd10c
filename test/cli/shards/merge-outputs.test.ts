import { expect, test } from "bun:test";
import { mergeOutputs } from "../../../src/cli/shards/merge-outputs.ts";

test("an output of several threads is stalled for as long as one of them, and holds what all hold", () => {
  const main = [
    { id: "a", stalledMs: 5, held: { own: 1, recovered: 2 } },
    { id: "b", stalledMs: 0, held: { own: 0, recovered: 0 } },
  ];
  const worker = [{ id: "a", stalledMs: 70, held: { own: 10, recovered: 20 } }];
  expect(mergeOutputs([main, worker])).toEqual([
    { id: "a", stalledMs: 70, held: { own: 11, recovered: 22 } },
    { id: "b", stalledMs: 0, held: { own: 0, recovered: 0 } },
  ]);
});
