import { describe, expect, test } from "bun:test";
import type { Body } from "logcollector/plugin";
import modify from "../../../plugins/filters/modify/mod.ts";
import { rememberOptionOrder } from "../../../src/sdk/option-order.ts";
import { testContext } from "../../support/context.ts";
import { batchOf, makeFilter } from "./filter-driver.ts";

const body: Body = {
  log: "x",
  log2: "y",
  "Mem.total": 1,
  "Mem.used": 2,
  Mem: 3,
  z: "last",
  n: 5,
  b: true,
  m: { k: "v" },
};

/** The JSON text, so that the order of the fields counts. */
async function modified(options: Record<string, unknown>, from: Body = body): Promise<string> {
  const [result] = await makeFilter(modify, options).feed(from);
  return JSON.stringify(result);
}

async function small(options: Record<string, unknown>): Promise<string> {
  return await modified(options, { a: 1, b: 2, c: { d: 3 } });
}

async function holds(condition: string | string[]): Promise<boolean> {
  return (await modified({ condition, set: "hit 1" })).includes('"hit":"1"');
}

describe("modify", () => {
  test("rules apply in the order of the configuration", async () => {
    expect(
      await modified({
        rename: "log message",
        add: "log new",
        set: "z zz",
        copy: "message m2",
        hard_copy: "z log2",
        hard_rename: "n Mem",
      }),
    ).toBe(
      '{"message":"x","m2":"x","Mem.total":1,"Mem.used":2,"Mem":5,"b":true,"m":{"k":"v"},' +
        '"log":"new","z":"zz","log2":"zz"}',
    );
    expect(await small({ remove: "a", set: "a x" })).toBe('{"b":2,"c":{"d":3},"a":"x"}');
    expect(await small({ set: "a x", remove: "a" })).toBe('{"b":2,"c":{"d":3}}');
  });

  test("rules of one kind may stand between those of another", async () => {
    const config = modify.config.parse({ set: ["a x", "b y"], rename: "b a2" });
    rememberOptionOrder(config, [
      { option: "set", index: 0 },
      { option: "rename", index: 0 },
      { option: "set", index: 1 },
    ]);
    const batch = batchOf({ a: 1, b: 2 });
    await modify.create(config, testContext()).process(batch);
    expect(batch.records[0]!.body).toEqual({ a2: 2, a: "x", b: "y" });
  });

  test("set replaces and moves to the end, in the order of a list", async () => {
    expect(await small({ set: ["a 1", "b true", "a 2"] }))
      .toBe('{"c":{"d":3},"b":"true","a":"2"}');
    expect(await small({ set: 'a ""' })).toBe('{"b":2,"c":{"d":3},"a":""}');
  });

  test("add leaves a field that exists", async () => {
    expect(await small({ add: ["a x", "e y"] })).toBe('{"a":1,"b":2,"c":{"d":3},"e":"y"}');
  });

  test("quotes of both kinds hold words with spaces", async () => {
    expect(await small({ set: `"a key" 'some "val ue'` }))
      .toBe('{"a":1,"b":2,"c":{"d":3},"a key":"some \\"val ue"}');
    expect(await small({ set: String.raw`e "say \"hi\" \\"` }))
      .toBe(String.raw`{"a":1,"b":2,"c":{"d":3},"e":"say \"hi\" \\"}`);
  });

  test("remove takes exact names, remove_wildcard a prefix, remove_regex an expression", async () => {
    expect(await small({ remove: "a" })).toBe('{"b":2,"c":{"d":3}}');
    expect(await modified({ remove_wildcard: "Mem." })).not.toContain("Mem.");
    expect(await modified({ remove_wildcard: "Mem*" })).toBe(JSON.stringify(body));
    expect(await small({ remove_regex: "^[ab]$" })).toBe('{"c":{"d":3}}');
  });

  test("move_to_start and move_to_end take prefixes and keep the order among the moved", async () => {
    expect(Object.keys(JSON.parse(await modified({ move_to_start: "Mem" }))).slice(0, 4))
      .toEqual(["Mem.total", "Mem.used", "Mem", "log"]);
    expect(Object.keys(JSON.parse(await modified({ move_to_end: "log" }))).slice(-3))
      .toEqual(["m", "log", "log2"]);
  });

  test("rename and copy do nothing when the new name is taken, the hard forms replace it", async () => {
    expect(await small({ rename: "a b" })).toBe('{"a":1,"b":2,"c":{"d":3}}');
    expect(await small({ copy: "a b" })).toBe('{"a":1,"b":2,"c":{"d":3}}');
    expect(await small({ hard_rename: "a b" })).toBe('{"b":1,"c":{"d":3}}');
    expect(await small({ hard_copy: "c a" })).toBe('{"b":2,"c":{"d":3},"a":{"d":3}}');
    expect(await small({ hard_rename: "nope b" })).toBe('{"a":1,"b":2,"c":{"d":3}}');
  });

  test("a field that is hard-renamed to its own name vanishes", async () => {
    expect(await small({ hard_rename: "a a" })).toBe('{"b":2,"c":{"d":3}}');
  });

  test("nested places work wherever a key is named", async () => {
    expect(await small({ set: "$c['e'] x", add: "$c['d'] no" }))
      .toBe('{"a":1,"b":2,"c":{"d":3,"e":"x"}}');
    expect(await small({ rename: "$c['d'] d" })).toBe('{"a":1,"b":2,"c":{},"d":3}');
    expect(await small({ hard_rename: "$c['d'] c" })).toBe('{"a":1,"b":2,"c":3}');
    expect(await small({ rename: "b $a['b']" })).toBe('{"a":1,"c":{"d":3},"b":2}');
    expect(await small({ remove: "$c['d']" })).toBe('{"a":1,"b":2,"c":{}}');
    expect(await small({ copy: "c $new['copy']", set: "$new['copy']['d'] x" }))
      .toBe('{"a":1,"b":2,"c":{"d":3},"new":{"copy":{"d":"x"}}}');
  });

  test("a dollar without brackets belongs to the name", async () => {
    expect(await small({ set: "$a x" })).toBe('{"a":1,"b":2,"c":{"d":3},"$a":"x"}');
  });

  test("__proto__ is a field like any other", async () => {
    expect(await small({ rename: "a __proto__" })).toBe('{"__proto__":1,"b":2,"c":{"d":3}}');
  });

  test("key_exists and key_does_not_exist look at one place", async () => {
    expect(await holds("key_exists log")).toBe(true);
    expect(await holds("key_exists $m['k']")).toBe(true);
    expect(await holds("Key_Exists toString")).toBe(false);
    expect(await holds("key_does_not_exist nope")).toBe(true);
    expect(await holds("key_does_not_exist log")).toBe(false);
  });

  test("a_key_matches and no_key_matches look at all top-level names", async () => {
    expect(await holds("a_key_matches ^Mem")).toBe(true);
    expect(await holds("no_key_matches ^Mem")).toBe(false);
    expect(await holds("no_key_matches ^nope")).toBe(true);
  });

  test("key_value conditions compare text only and fail for an absent key", async () => {
    expect(await holds("key_value_equals log x")).toBe(true);
    expect(await holds("key_value_equals $m['k'] v")).toBe(true);
    expect(await holds("key_value_equals n 5")).toBe(false);
    expect(await holds("key_value_does_not_equal n 5")).toBe(true);
    expect(await holds("key_value_does_not_equal nope 5")).toBe(false);
    expect(await holds("key_value_matches log2 ^y")).toBe(true);
    expect(await holds("key_value_matches b ^tru")).toBe(true);
    expect(await holds("key_value_matches n 5")).toBe(false);
    expect(await holds("key_value_does_not_match n 5")).toBe(true);
    expect(await holds("key_value_does_not_match nope 5")).toBe(false);
  });

  test("matching_keys conditions hold also where no key matches", async () => {
    expect(await holds("matching_keys_have_matching_values ^log [xy]")).toBe(true);
    expect(await holds("matching_keys_have_matching_values ^log x")).toBe(false);
    expect(await holds("matching_keys_have_matching_values ^nope x")).toBe(true);
    expect(await holds("matching_keys_do_not_have_matching_values ^log x")).toBe(true);
  });

  test("all conditions must hold, and are asked before the rules change anything", async () => {
    expect(await holds(["key_exists log", "key_exists nope"])).toBe(false);
    expect(await small({ remove: "a", condition: "key_exists a", add: "e 1" }))
      .toBe('{"b":2,"c":{"d":3},"e":"1"}');
  });

  test("mistakes in options name what was expected", () => {
    const failing = (options: Record<string, unknown>) => () => makeFilter(modify, options);
    expect(failing({ set: "a b c" })).toThrow("words with spaces need quotes");
    expect(failing({ add: "a" })).toThrow("KEY VALUE");
    expect(failing({ remove: "a b" })).toThrow("KEY");
    expect(failing({ set: 'a "b' })).toThrow("a quote is not closed");
    expect(failing({ remove_regex: "(" })).toThrow("cannot compile regex (");
    expect(failing({ condition: "key_is a" })).toThrow('unknown condition "key_is"');
    expect(failing({ condition: "key_value_matches a" })).toThrow("needs a regex");
  });
});
