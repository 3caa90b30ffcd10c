import { describe, expect, test } from "bun:test";
import { Batch, type Body } from "logcollector/plugin";
import rewriteTag from "../../../plugins/filters/rewrite_tag.ts";
import { batchOf, makeFilter } from "./filter-driver.ts";

const error: Body = {
  log: "err 42",
  k: { s: "Sub", "é": ["ü"] },
  arr: ["x", { y: "z" }],
  f: 1.5,
  n: 7,
  b: true,
  nul: null,
  neg: -4,
};
const info: Body = { log: "info", k: "str" };

/** The tags that come out, each with its number of records. */
async function tags(rule: string | string[], batch = batchOf(error, info)): Promise<string[]> {
  const batches = await makeFilter(rewriteTag, { rule }).feedBatch(batch);
  return batches.map((each) => `${each.tag} ${each.length}`);
}

describe("rewrite_tag", () => {
  test("a record that matches goes on under the new tag alone", async () => {
    expect(await tags("$log ^err x false")).toEqual(["a.b.c 1", "x 1"]);
    expect(await tags("log . x false")).toEqual(["x 2"]);
    expect(await tags("$log ^nope x false")).toEqual(["a.b.c 2"]);
  });

  test("KEEP keeps the original, and the two share nothing", async () => {
    const driver = makeFilter(rewriteTag, { rule: "$log ^err x ON" });
    const [rest, moved] = await driver.feedBatch(batchOf(error, info));
    expect(rest!.length).toBe(2);
    expect(moved!.records[0]).toEqual(rest!.records[0]!);
    (moved!.records[0]!.body["k"] as Body)["s"] = "changed";
    expect(rest!.records[0]!.body).toEqual(error);
  });

  test("the first rule that matches counts", async () => {
    expect(await tags(["$log ^err first true", "$log . second off"]))
      .toEqual(["a.b.c 1", "first 1", "second 1"]);
  });

  test("the new tag takes captures, the tag, its parts and fields", async () => {
    const rule = "$log ^(err)\\s(\\d+)$ $1.$2.$TAG.$TAG[1].$k['s'].$arr[1]['y'].$0 false";
    expect(await tags(rule)).toEqual(["a.b.c 1", "err.42.a.b.c.b.Sub.z.err 42 1"]);
    expect(await tags("$log ^err a-$n,b_$TAG_x$TAG[0]-$TAG[9]! false"))
      .toEqual(["a.b.c 1", "a-7,b_a.b.c_xa-! 1"]);
  });

  test("values of all types become text, absent ones and arrays nothing", async () => {
    const rule = "$log ^err t.$f.$n.$b.$nul.$neg.$arr.$missing.$k.end false";
    expect(await tags(rule)).toEqual([
      "a.b.c 1",
      't.1.500000.7.true.null.-4...{"s":"Sub","\\u00e9":["\\u00fc"]}.end 1',
    ]);
  });

  test("records keep their tag when the new one comes out empty or is the same", async () => {
    expect(await tags("$log ^err $missing false")).toEqual(["a.b.c 2"]);
    expect(await tags("$log ^err $TAG false")).toEqual(["a.b.c 2"]);
  });

  test("only text matches, and a scalar answers for everything below it", async () => {
    expect(await tags("$n 7 x false")).toEqual(["a.b.c 2"]);
    expect(await tags("$k['s'] ^str x false")).toEqual(["a.b.c 1", "x 1"]);
  });

  test("a regex in quotes may hold spaces", async () => {
    expect(await tags('$log "err 4" q false')).toEqual(["a.b.c 1", "q 1"]);
  });

  test("batches keep stream and size of the one they come from", async () => {
    const batches = await makeFilter(rewriteTag, { rule: "$log ^err x true" })
      .feedBatch(batchOf(error));
    expect(batches.map((batch) => batch.stream)).toEqual(["file", "file"]);
  });

  test("metadata goes along", async () => {
    const batch = Batch.of("t", [{ sec: 1, nsec: 2, body: { log: "a" }, metadata: { m: 1 } }]);
    const [, moved] = await makeFilter(rewriteTag, { rule: "log a x true" }).feedBatch(batch);
    expect(moved!.records[0]!.metadata).toEqual({ m: 1 });
  });

  test("mistakes in options name what was expected", () => {
    const failing = (rule: string | string[]) => () => makeFilter(rewriteTag, { rule });
    expect(failing("$log err false")).toThrow("KEY REGEX NEW_TAG KEEP");
    expect(failing("$log err 42 x false")).toThrow("KEY REGEX NEW_TAG KEEP");
    expect(failing("$log err x maybe")).toThrow('KEEP must be true or false, got "maybe"');
    expect(failing("$log ( x false")).toThrow("cannot compile regex (");
    expect(failing("$log a $x$y false")).toThrow('cannot read template "$x$y"');
    expect(failing([])).toThrow("at least one rule");
  });

  test("the emitter's options are accepted", () => {
    const options = {
      rule: "a b c true",
      emitter_name: "re",
      "emitter_storage.type": "filesystem",
      emitter_mem_buf_limit: "10M",
    };
    expect(makeFilter(rewriteTag, options).ctx.logged).toEqual([]);
  });
});
