import { describe, expect, test } from "bun:test";
import { Assigner } from "../../../src/cli/shards/assigner.ts";

const claim = (name: string, relatives: readonly string[] = []) => ({
  by: [name, ...relatives],
  as: [name],
});

describe("Assigner", () => {
  test("streams that come one after another are spread evenly", () => {
    const assigner = new Assigner(3);
    const shards = Array.from({ length: 9 }, (_, i) => assigner.assign(claim(`stream ${i}`)));
    expect(shards).toEqual([0, 1, 2, 0, 1, 2, 0, 1, 2]);
  });

  test("every shard that asks gets the same answer, and asking counts once", () => {
    const assigner = new Assigner(2);
    const streams = ["a", "b", "c"].map((name) => claim(name));
    const first = streams.map((stream) => assigner.assign(stream));
    expect(streams.toReversed().map((stream) => assigner.assign(stream))).toEqual(
      first.toReversed(),
    );
    expect(assigner.counts).toEqual([2, 1]);
  });

  test("a stream goes where the one is that it is related to, the surest relation first", () => {
    const assigner = new Assigner(2);
    expect(assigner.assign(claim("a"))).toBe(0);
    expect(assigner.assign(claim("b"))).toBe(1);
    expect(assigner.assign(claim("c", ["b", "a"]))).toBe(1);
    expect(assigner.assign(claim("d", ["unknown", "c"]))).toBe(1);
  });

  test("a key belongs to the stream that left it last, and the others keep their own", () => {
    const assigner = new Assigner(2);
    assigner.assign({ by: ["file 1", "path"], as: ["file 1", "path"] });
    assigner.assign({ by: ["file 2"], as: ["file 2"] });
    expect(assigner.assign({ by: ["file 3", "path"], as: ["file 3", "path"] })).toBe(0);
    assigner.release("file 1");
    expect(assigner.assign(claim("file 4", ["path"]))).toBe(0);
    assigner.release("file 3");
    assigner.release("file 4");
    expect(assigner.counts).toEqual([0, 1]);
  });

  test("a stream without a key left is forgotten", () => {
    const assigner = new Assigner(1);
    for (let i = 0; i < 5; i++) assigner.assign({ by: [], as: ["path"] });
    expect(assigner.counts).toEqual([1]);
  });

  test("what a shard has from before stays there, with all that belongs to it, and is asked first", () => {
    const assigner = new Assigner(2);
    assigner.seed("stream 2", 3);
    const [older, newer, other] = assigner.assignAll([
      { by: ["path", "stream 1"], as: ["path", "stream 1"] },
      { by: ["path", "stream 2"], as: ["path", "stream 2"] },
      claim("elsewhere"),
    ]);
    expect([older, newer, other]).toEqual([3, 3, 0]);
    expect([1, 2, 3].map((i) => assigner.assign(claim(`new ${i}`)))).toEqual([1, 0, 1]);
  });

  test("what is released makes room, and is new when it comes again", () => {
    const assigner = new Assigner(2);
    for (const name of ["a", "b", "c", "d"]) assigner.assign(claim(name));
    for (const name of ["b", "d"]) assigner.release(name);
    expect(assigner.counts).toEqual([2, 0]);
    expect(assigner.assign(claim("e"))).toBe(1);
    expect(assigner.assign(claim("b"))).toBe(1);
  });
});
