import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Body } from "logcollector/plugin";
import grep from "../../../plugins/filters/grep.ts";
import { batchOf, makeFilter } from "./filter-driver.ts";

const full = { log: "error here", status: 500, a: { b: ["x", "y"], c: "err" } };
const flat = { log: "fine", status: "500", a: "scalar", k: "v" };

async function kept(options: Record<string, unknown>, ...bodies: Body[]): Promise<Body[]> {
  return await makeFilter(grep, options).feed(...bodies);
}

describe("grep", () => {
  test("regex keeps records whose field matches", async () => {
    expect(await kept({ regex: "log ^err" }, full, flat, {})).toEqual([full]);
  });

  test("exclude drops records whose field matches, and keeps those without the field", async () => {
    expect(await kept({ exclude: "log ^err" }, full, flat, {})).toEqual([flat, {}]);
  });

  test("only text matches: numbers, maps, booleans and null do not", async () => {
    expect(await kept({ regex: "status 500" }, full, flat)).toEqual([flat]);
    expect(await kept({ regex: "v ." }, { v: true }, { v: null }, { v: {} }, { v: 1.5 })).toEqual(
      [],
    );
  });

  test("regex reaches nested fields and array elements", async () => {
    expect(await kept({ regex: "$a['c'] err" }, full, flat)).toEqual([full]);
    expect(await kept({ regex: "$a['b'][1] y" }, full, flat)).toEqual([full]);
  });

  test("a scalar answers for everything below it", async () => {
    expect(await kept({ regex: "$a['b'] scal" }, full, flat)).toEqual([flat]);
  });

  test("the expression keeps further spaces and quotes", async () => {
    expect(await kept({ regex: "log error here" }, full)).toEqual([full]);
    expect(await kept({ regex: "log  error" }, full)).toEqual([]);
    expect(await kept({ regex: '  log "error here"' }, full)).toEqual([]);
  });

  test("legacy: a regex that matches keeps the record before a later exclude is asked", async () => {
    expect(await kept({ regex: "log .", exclude: "k v" }, full, flat)).toEqual([full, flat]);
    expect(await kept({ exclude: "k v", regex: "log ." }, full, flat)).toEqual([full]);
  });

  test("legacy: the first of several regexes decides, and a warning says so", async () => {
    const driver = makeFilter(grep, { regex: ["log error", "k v"] });
    expect(await driver.feed(full, flat)).toEqual([full]);
    expect(driver.ctx.logged[0]?.message).toContain("never asked with logical_op legacy");
  });

  test("logical_op combines rules in any case of its letters", async () => {
    const rules = ["log .", "k v"];
    expect(await kept({ logical_op: "and", regex: rules }, full, flat)).toEqual([flat]);
    expect(await kept({ logical_op: "OR", regex: rules }, full, flat, {})).toEqual([full, flat]);
    expect(await kept({ logical_op: "AND", exclude: rules }, full, flat)).toEqual([full]);
    expect(await kept({ logical_op: "or", exclude: rules }, full, flat, {})).toEqual([{}]);
  });

  test("without rules everything is kept", async () => {
    for (const logical_op of ["legacy", "AND", "OR"]) {
      expect(await kept({ logical_op }, full, flat)).toEqual([full, flat]);
    }
  });

  test("the same batch comes back with its stream and size", async () => {
    const batch = batchOf(full, flat);
    const [result] = await makeFilter(grep, { regex: "k v" }).feedBatch(batch);
    expect(result).toBe(batch);
    expect([batch.length, batch.stream, batch.bytes]).toEqual([1, "file", 100]);
  });

  test("regex and exclude together are refused with AND and OR", () => {
    const options = { logical_op: "AND", regex: "a b", exclude: "c d" };
    expect(() => makeFilter(grep, options)).toThrow('cannot use both "regex" and "exclude"');
  });

  test("mistakes in options name what was expected", () => {
    expect(() => makeFilter(grep, { regex: "log" })).toThrow("KEY REGEX");
    expect(() => makeFilter(grep, { regex: "log (a" })).toThrow("cannot compile regex (a");
    expect(() => makeFilter(grep, { regex: "$a[ x" })).toThrow("cannot read accessor $a[");
    expect(() => makeFilter(grep, { logical_op: "xor" })).toThrow("legacy, AND, OR");
  });

  test("agrees with a naive model for all combinations of rules", async () => {
    const names = fc.constantFrom("a", "b", "c");
    const rules = fc.array(fc.tuple(names, fc.constantFrom("x", "y", "^x$")), { maxLength: 3 });
    const value = fc.constantFrom<Body[string]>("x", "y", "xy", 1, null);
    const bodies = fc.array(fc.dictionary(names, value), { maxLength: 6 });
    const op = fc.constantFrom("AND", "OR");
    await fc.assert(
      fc.asyncProperty(rules, bodies, op, fc.boolean(), async (list, records, logical_op, keep) => {
        const key = keep ? "regex" : "exclude";
        const texts = list.map(([name, regex]) => `${name} ${regex}`);
        const wanted = records.filter((body) => {
          if (list.length === 0) return true;
          const hits = list.map(([name, regex]) => {
            const found = body[name];
            return typeof found === "string" && new RegExp(regex).test(found);
          });
          const all = logical_op === "AND" ? !hits.includes(false) : hits.includes(true);
          return all === keep;
        });
        expect(await kept({ logical_op, [key]: texts }, ...records)).toEqual(wanted);
      }),
    );
  });
});
