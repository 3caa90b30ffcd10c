import { describe, expect, test } from "bun:test";
import type { Body } from "logcollector/plugin";
import nest from "../../../plugins/filters/nest.ts";
import { makeFilter } from "./filter-driver.ts";

const body: Body = {
  "a.x": 1,
  b: 2,
  "a.y": 3,
  under: "old",
  m: { k: 1, b: 9, "a.q": 7 },
};

async function result(options: Record<string, unknown>, from: Body = body): Promise<string> {
  const [first] = await makeFilter(nest, options).feed(from);
  return JSON.stringify(first);
}

describe("nest", () => {
  test("nest moves matching fields into a map that comes last and replaces its name", async () => {
    expect(await result({ wildcard: "a.*", nest_under: "under", remove_prefix: "a." }))
      .toBe('{"b":2,"m":{"k":1,"b":9,"a.q":7},"under":{"x":1,"y":3}}');
  });

  test("nest takes exact names besides wildcards, and adds a prefix", async () => {
    const options = {
      operation: "nest",
      wildcard: ["a.x", "b"],
      nest_under: "n",
      add_prefix: "p_",
    };
    expect(await result(options))
      .toBe('{"a.y":3,"under":"old","m":{"k":1,"b":9,"a.q":7},"n":{"p_a.x":1,"p_b":2}}');
  });

  test("an asterisk alone nests everything, an asterisk inside a name is one", async () => {
    expect(await result({ wildcard: "*", nest_under: "all" }, { a: 1 })).toBe('{"all":{"a":1}}');
    expect(await result({ wildcard: "*.x", nest_under: "all" })).toBe(JSON.stringify(body));
  });

  test("records without a matching field stay as they are", async () => {
    expect(await result({ wildcard: "a.*", nest_under: "under" }, { under: 1 })).toBe(
      '{"under":1}',
    );
  });

  test("lift puts the map's fields last and replaces those with their names", async () => {
    expect(await result({ operation: "lift", nested_under: "m" }))
      .toBe('{"a.x":1,"a.y":3,"under":"old","k":1,"b":9,"a.q":7}');
  });

  test("lift adds or removes a prefix", async () => {
    const lift = { operation: "lift", nested_under: "m" };
    expect(await result({ ...lift, add_prefix: "m_" }))
      .toBe('{"a.x":1,"b":2,"a.y":3,"under":"old","m_k":1,"m_b":9,"m_a.q":7}');
    expect(await result({ ...lift, remove_prefix: "a." }))
      .toBe('{"a.x":1,"a.y":3,"under":"old","k":1,"b":9,"q":7}');
  });

  test("lift leaves a field that is no map, and says so", async () => {
    const driver = makeFilter(nest, { operation: "lift", nested_under: "b" });
    expect(await driver.feed(body)).toEqual([body]);
    expect(driver.ctx.logged[0]?.message).toContain('Cannot lift from "b"');
  });

  test("lift takes a field of the map's own name, and dangerous names, as fields", async () => {
    const from = { m: JSON.parse('{"m":1,"__proto__":2}') as Body };
    expect(await result({ operation: "lift", nested_under: "m" }, from))
      .toBe('{"m":1,"__proto__":2}');
  });

  test("nested places work for both operations", async () => {
    expect(await result({ wildcard: "b", nest_under: "$m['n']" }, { b: 2, m: { k: 1 } }))
      .toBe('{"m":{"k":1,"n":{"b":2}}}');
    expect(await result({ operation: "lift", nested_under: "$m['n']" }, { m: { n: { b: 2 } } }))
      .toBe('{"m":{},"b":2}');
    expect(await result({ wildcard: "b", nest_under: "$m['n']" }, { b: 2, m: 1 }))
      .toBe('{"b":2,"m":1}');
  });

  test("the names of the two operations' keys stand for each other", async () => {
    expect(await result({ operation: "lift", nest_under: "m" }, { m: { a: 1 } })).toBe('{"a":1}');
  });

  test("mistakes in options name the option", () => {
    const failing = (options: Record<string, unknown>) => () => makeFilter(nest, options);
    expect(failing({ wildcard: "a*" })).toThrow('"nest_under" is required');
    expect(failing({ operation: "lift" })).toThrow('"nested_under" is required');
    expect(failing({ operation: "sink" })).toThrow("expected one of nest, lift");
    expect(failing({ nest_under: "a", add_prefix: "a", remove_prefix: "b" }))
      .toThrow('cannot use both "add_prefix" and "remove_prefix"');
    expect(makeFilter(nest, { nest_under: "a" }).ctx.logged[0]?.message).toContain("wildcard");
  });
});
