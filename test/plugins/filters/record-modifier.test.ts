import { describe, expect, test } from "bun:test";
import type { Body } from "logcollector/plugin";
import recordModifier from "../../../plugins/filters/record_modifier.ts";
import { makeFilter } from "./filter-driver.ts";

const body: Body = { log: "x", Log2: "y", "Mem.total": 1, z: { a: 1, b: 2 }, n: 5 };

async function modified(options: Record<string, unknown>, ...bodies: Body[]): Promise<string> {
  const from = bodies.length > 0 ? bodies : [body];
  return JSON.stringify(await makeFilter(recordModifier, options).feed(...from));
}

describe("record_modifier", () => {
  test("record sets texts at the end, replacing fields", async () => {
    expect(await modified({ record: ['log "new one"', 'k2 "a \\"b\\""', "k3 'a'", "k $log"] }))
      .toBe(
        `[{"Log2":"y","Mem.total":1,"z":{"a":1,"b":2},"n":5,"log":"new one","k2":"a \\"b\\"",` +
          `"k3":"'a'","k":"$log"}]`,
      );
  });

  test("record reaches nested places", async () => {
    expect(await modified({ record: "$z['c'] 3" }, { z: { a: 1 } })).toBe(
      '[{"z":{"a":1,"c":"3"}}]',
    );
  });

  test("remove_key ignores case and takes a trailing asterisk", async () => {
    expect(await modified({ remove_key: ["LOG", "mem*"] }))
      .toBe('[{"Log2":"y","z":{"a":1,"b":2},"n":5}]');
    expect(await modified({ remove_key: "$z['a']" })).toContain('"z":{"b":2}');
  });

  test("allowlist_key and whitelist_key keep what they name", async () => {
    expect(await modified({ allowlist_key: "log*", whitelist_key: "N", record: "a b" }))
      .toBe('[{"log":"x","Log2":"y","n":5,"a":"b"}]');
    expect(await modified({ allowlist_key: ["$z['a']", "n"] })).toBe('[{"n":5,"z":{"a":1}}]');
  });

  test("a record that loses all its fields goes, but not when all records of a batch would", async () => {
    expect(await modified({ allowlist_key: "keep" }, body, { keep: 1, log: "2" }))
      .toBe('[{"keep":1}]');
    expect(await modified({ allowlist_key: "none" })).toBe(JSON.stringify([body]));
    expect(await modified({ remove_key: "*" })).toBe(JSON.stringify([body]));
  });

  test("uuid_key sets a random UUID of version 4", async () => {
    const [one, two] = await makeFilter(recordModifier, { uuid_key: "id" }).feed({}, {});
    expect(one!.id).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(one!.id).not.toBe(two!.id!);
  });

  test("remembered names do not grow without limit and stay right", async () => {
    const many: Body = {};
    for (let i = 0; i < 3000; i++) many[`key${i}`] = i;
    const [result] = await makeFilter(recordModifier, { remove_key: "key1*" }).feed(many);
    expect(Object.keys(result!).length).toBe(3000 - 1111 - 0);
  });

  test("mistakes in options name what was expected", () => {
    expect(() => makeFilter(recordModifier, { remove_key: "a", allowlist_key: "b" }))
      .toThrow('cannot use both "remove_key" and "allowlist_key"');
    expect(() => makeFilter(recordModifier, { record: "a" })).toThrow('expected "KEY VALUE"');
  });
});
