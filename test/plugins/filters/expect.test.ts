import { describe, expect, test } from "bun:test";
import type { Body } from "logcollector/plugin";
import expectFilter from "../../../plugins/filters/expect.ts";
import { makeFilter } from "./filter-driver.ts";

async function matched(options: Record<string, unknown>, body: Body): Promise<unknown> {
  const [result] = await makeFilter(expectFilter, { ...options, action: "result_key" }).feed(body);
  return result!["matched"];
}

describe("expect", () => {
  test("key_exists and key_not_exists look at a place", async () => {
    expect(await matched({ key_exists: "log" }, { log: null })).toBe(true);
    expect(await matched({ key_exists: "$a['b']" }, { a: { b: 1 } })).toBe(true);
    expect(await matched({ key_exists: "$a['b']" }, { a: {} })).toBe(false);
    expect(await matched({ key_not_exists: "log" }, { log: null })).toBe(false);
    expect(await matched({ key_not_exists: "log" }, {})).toBe(true);
  });

  test("key_val_is_null and key_val_is_not_null fail for an absent key", async () => {
    expect(await matched({ key_val_is_null: "a" }, { a: null })).toBe(true);
    expect(await matched({ key_val_is_null: "a" }, { a: 1 })).toBe(false);
    expect(await matched({ key_val_is_null: "a" }, {})).toBe(false);
    expect(await matched({ key_val_is_not_null: "a" }, { a: 1 })).toBe(true);
    expect(await matched({ key_val_is_not_null: "a" }, { a: null })).toBe(false);
    expect(await matched({ key_val_is_not_null: "a" }, {})).toBe(false);
  });

  test("key_val_eq compares text and lets other types pass", async () => {
    expect(await matched({ key_val_eq: "log foo bar" }, { log: "foo bar" })).toBe(true);
    expect(await matched({ key_val_eq: "$log foo" }, { log: "foo bar" })).toBe(false);
    expect(await matched({ key_val_eq: "log 6" }, { log: 5 })).toBe(true);
    expect(await matched({ key_val_eq: "log 6" }, {})).toBe(false);
  });

  test("all rules must hold", async () => {
    const rules = { key_exists: ["a", "b"], key_val_eq: "a x" };
    expect(await matched(rules, { a: "x", b: 1 })).toBe(true);
    expect(await matched(rules, { a: "x" })).toBe(false);
    expect(await matched(rules, { a: "y", b: 1 })).toBe(false);
  });

  test("action warn logs what is wrong and passes the record", async () => {
    const driver = makeFilter(expectFilter, { key_exists: "x" });
    expect(await driver.feed({ log: 1 })).toEqual([{ log: 1 }]);
    expect(driver.ctx.logged).toEqual([{
      level: "error",
      message: 'Rule key_exists fails: "x" is absent in {"log":1}',
    }]);
  });

  test("action exit stops with status 255 and passes the records", async () => {
    const driver = makeFilter(expectFilter, { action: "exit", key_exists: "x" });
    expect(await driver.feed({ x: 1 })).toEqual([{ x: 1 }]);
    expect(driver.ctx.stopped).toBeUndefined();
    expect(await driver.feed({ x: 1 }, {}, {})).toEqual([{ x: 1 }, {}, {}]);
    expect(driver.ctx.stopped).toBe(255);
    expect(driver.ctx.logged.length).toBe(1);
  });

  test("action result_key puts the result first, unless the record has the field", async () => {
    const options = { action: "result_key", result_key: "ok", key_exists: "x" };
    const bodies = await makeFilter(expectFilter, options).feed({ x: 1 }, { y: 1 }, {
      x: 1,
      ok: 2,
    });
    expect(JSON.stringify(bodies))
      .toBe('[{"ok":true,"x":1},{"ok":false,"y":1},{"x":1,"ok":2}]');
  });

  test("no rules at all deserve a warning", () => {
    expect(makeFilter(expectFilter, {}).ctx.logged[0]?.message).toContain("No rules");
  });

  test("mistakes in options name what was expected", () => {
    const failing = (options: Record<string, unknown>) => () => makeFilter(expectFilter, options);
    expect(failing({ action: "explode" })).toThrow("expected one of warn, exit, result_key");
    expect(failing({ key_val_eq: "a" })).toThrow('expected "KEY VALUE"');
    expect(failing({ key_exists: "$a['" })).toThrow("cannot read accessor");
  });
});
