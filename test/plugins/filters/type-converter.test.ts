import { describe, expect, test } from "bun:test";
import type { Body } from "logcollector/plugin";
import typeConverter from "../../../plugins/filters/type_converter/mod.ts";
import { makeFilter } from "./filter-driver.ts";

async function converted(options: Record<string, unknown>, body: Body): Promise<Body> {
  const [result] = await makeFilter(typeConverter, options).feed(body);
  return result!;
}

/** What a single rule makes of a value that is alone in its batch. */
async function one(option: string, type: string, value: Body[string]): Promise<unknown> {
  return (await converted({ [option]: `a b ${type}` }, { a: value }))["b"];
}

describe("type_converter", () => {
  test("str_key reads the number at the start of the text", async () => {
    expect(await one("str_key", "int", "77abc")).toBe(77);
    expect(await one("str_key", "int", " -5")).toBe(-5);
    expect(await one("str_key", "int", "9223372036854775808")).toBe(9223372036854775807n);
    expect(await one("str_key", "uint", "-1")).toBe(18446744073709551615n);
    expect(await one("str_key", "hex", "0xff")).toBe(255);
    expect(await one("str_key", "hex", "ff")).toBe(255);
    expect(await one("str_key", "float", "2.25")).toBe(2.25);
    expect(await one("str_key", "float", "")).toBe(0);
    expect(await one("str_key", "bool", "TRUE")).toBe(true);
    expect(await one("str_key", "bool", "falsehood")).toBe(false);
  });

  test("zero and text without a number are no integers", async () => {
    expect(await one("str_key", "int", "0")).toBeUndefined();
    expect(await one("str_key", "int", "")).toBeUndefined();
    expect(await one("str_key", "int", "0xff")).toBeUndefined();
    expect(await one("str_key", "bool", "yes")).toBeUndefined();
  });

  test("int_key and uint_key take integers only", async () => {
    expect(await one("int_key", "string", -3)).toBe("-3");
    expect(await one("int_key", "string", 9007199254740993n)).toBe("9007199254740993");
    expect(await one("int_key", "float", 42)).toBe(42);
    expect(await one("int_key", "uint", -3)).toBe(18446744073709551613n);
    expect(await one("int_key", "string", 1.5)).toBeUndefined();
    expect(await one("int_key", "int", 42)).toBeUndefined();
    expect(await one("uint_key", "string", -3)).toBe("18446744073709551613");
    expect(await one("uint_key", "int", 42)).toBe(42);
  });

  test("float_key writes whole numbers with one decimal and others with sixteen digits", async () => {
    expect(await one("float_key", "string", 1.5)).toBe("1.5");
    expect(await one("float_key", "string", 2)).toBe("2.0");
    expect(await one("float_key", "string", 1e20)).toBe("1e+20");
    expect(await one("float_key", "string", 0.1)).toBe("0.1");
    expect(await one("float_key", "string", 0.1 + 0.2)).toBe("0.3");
    expect(await one("float_key", "string", 0.00001234)).toBe("1.234e-05");
    expect(await one("float_key", "int", -1.9)).toBe(-1);
    expect(await one("float_key", "uint", 1.9)).toBe(1);
  });

  test("a converted field replaces one with its name and comes last", async () => {
    expect(JSON.stringify(await converted({ str_key: "a a int" }, { a: "1", b: 2 })))
      .toBe('{"b":2,"a":1}');
  });

  test("nested places work", async () => {
    expect(await converted({ str_key: "$m['k'][0] $m['n'] int" }, { m: { k: ["5"] } }))
      .toEqual({ m: { k: ["5"], n: 5 } });
  });

  test("rules see the record as it came", async () => {
    expect(await converted({ str_key: "a a int", int_key: "a b string" }, { a: "5" }))
      .toEqual({ a: 5, b: "5" });
  });

  test("what cannot be converted is copied when something else in the batch was converted", async () => {
    const driver = makeFilter(typeConverter, { str_key: "a b int" });
    expect(await driver.feed({ a: "x" }, { a: "7" }, { a: "y" }, { c: 1 }))
      .toEqual([{ a: "x", b: "x" }, { a: "7", b: 7 }, { a: "y", b: "y" }, { c: 1 }]);
    expect(await driver.feed({ a: "x" })).toEqual([{ a: "x" }]);
    expect(driver.ctx.logged[0]?.message).toContain('Cannot convert "a"');
  });

  test("type names may be cut short", async () => {
    expect(await one("str_key", "flo", "2.5")).toBe(2.5);
    expect(await one("str_key", "Integer", "2")).toBe(2);
    expect(await one("int_key", "str", 2)).toBe("2");
  });

  test("mistakes in options name what was expected", () => {
    const failing = (options: Record<string, unknown>) => () => makeFilter(typeConverter, options);
    expect(failing({ str_key: "a int" })).toThrow("KEY NEW_KEY TYPE");
    expect(failing({ str_key: "a b wat" })).toThrow('unknown type "wat"');
    expect(failing({})).toThrow("no conversion is given");
  });
});
