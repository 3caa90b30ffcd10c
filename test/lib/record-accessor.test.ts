import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { compileAccessor, compileFieldName, type Fields } from "../../src/lib/record-accessor.ts";

const get = (source: string, fields: Fields) => compileAccessor(source).get(fields);

describe("compileAccessor", () => {
  test("reads plain names, with a dollar or without", () => {
    expect(get("log", { log: 1 })).toBe(1);
    expect(get("$log", { log: 1 })).toBe(1);
    expect(get("log", {})).toBeUndefined();
    expect(get("log", { log: null })).toBeNull();
  });

  test("takes a plain name with dots as one field", () => {
    expect(get("a.b", { a: { b: 1 }, "a.b": 2 })).toBe(2);
    expect(compileAccessor("$a.b").path).toEqual(["a.b"]);
  });

  test("reads nested maps and arrays, in both kinds of quotes", () => {
    const fields = { a: { b: ["x", { "c d": 1 }], "it's": 2, 'q"': 3 } };
    expect(get("$a['b'][0]", fields)).toBe("x");
    expect(get("$a['b'][1]['c d']", fields)).toBe(1);
    expect(get('$a["b"][0]', fields)).toBe("x");
    expect(get("$a['it''s']", fields)).toBe(2);
    expect(get('$a["q"""]', fields)).toBe(3);
  });

  test("finds nothing through what is absent or of another shape", () => {
    const fields = { a: { b: ["x"], s: "text" } };
    expect(get("$a['nope']['b']", fields)).toBeUndefined();
    expect(get("$a['b'][1]", fields)).toBeUndefined();
    expect(get("$a[0]", fields)).toBeUndefined();
    expect(get("$a['b']['length']", fields)).toBeUndefined();
    expect(get("$a['s'][0]", fields)).toBeUndefined();
    expect(get("$a['s']['length']", fields)).toBeUndefined();
  });

  test("a first field that is a scalar answers for everything below it, but not exactly", () => {
    for (const value of ["text", 5, true, null]) {
      expect(get("$a['b'][0]", { a: value })).toBe(value);
      expect(compileAccessor("$a['b'][0]").exact({ a: value })).toBeUndefined();
    }
  });

  test("sees the record's own fields only", () => {
    for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
      expect(get(name, {})).toBeUndefined();
      expect(get(`$a['${name}']`, { a: {} })).toBeUndefined();
      expect(get(`$${name}['name']`, {})).toBeUndefined();
    }
    expect(get("__proto__", JSON.parse('{"__proto__":1}'))).toBe(1);
  });

  test("set makes the maps on the way and refuses what is in the way", () => {
    const fields: Fields = { a: 1, list: ["x"] };
    expect(compileAccessor("$m['n']['o']").set(fields, 1)).toBe(true);
    expect(compileAccessor("$list[0]").set(fields, "y")).toBe(true);
    expect(compileAccessor("$list[1]").set(fields, "z")).toBe(false);
    expect(compileAccessor("$a['b']").set(fields, 2)).toBe(false);
    expect(compileAccessor("$new[0]").set(fields, 2)).toBe(false);
    expect(fields).toEqual({ a: 1, list: ["y"], m: { n: { o: 1 } } });
  });

  test("set never reaches a prototype", () => {
    const fields: Fields = {};
    compileAccessor("$__proto__['polluted']").set(fields, 1);
    compileAccessor("$a['__proto__']['polluted']").set(fields, 1);
    compileAccessor("$constructor['prototype']['polluted']").set(fields, 1);
    expect("polluted" in {}).toBe(false);
    expect(JSON.stringify(fields)).toBe(
      '{"__proto__":{"polluted":1},"a":{"__proto__":{"polluted":1}},' +
        '"constructor":{"prototype":{"polluted":1}}}',
    );
  });

  test("delete tells whether there was something", () => {
    const fields: Fields = { a: { b: 1 }, list: ["x", "y"] };
    expect(compileAccessor("$a['b']").delete(fields)).toBe(true);
    expect(compileAccessor("$a['b']").delete(fields)).toBe(false);
    expect(compileAccessor("$list[0]").delete(fields)).toBe(true);
    expect(compileAccessor("nope").delete(fields)).toBe(false);
    expect(compileAccessor("constructor").delete(fields)).toBe(false);
    expect(fields).toEqual({ a: {}, list: ["y"] });
  });

  test("names the place of a mistake", () => {
    expect(() => compileAccessor("$a[b]")).toThrow(
      "cannot read accessor $a[b]: expected ['name'] or [number] at character 3",
    );
    expect(() => compileAccessor("$a['b'].c")).toThrow("at character 8");
    expect(() => compileAccessor("$a[-1]")).toThrow("at character 3");
    expect(() => compileAccessor("$")).toThrow("empty");
    expect(() => compileAccessor("")).toThrow("empty");
  });

  test("what was set is found, and gone after delete, for any path and record", () => {
    const name = fc.constantFrom("a", "b", "__proto__", "constructor", "it's", "x y", "");
    const record = fc.dictionary(name, fc.jsonValue()) as fc.Arbitrary<Fields>;
    const rest = fc.array(fc.oneof(name, fc.nat(2)), { maxLength: 3 });
    fc.assert(fc.property(record, rest, fc.integer(), (fields, steps, value) => {
      const text = (step: string | number): string =>
        typeof step === "number" ? `[${step}]` : `['${step.replaceAll("'", "''")}']`;
      const accessor = compileAccessor(`$a${steps.map(text).join("")}`);
      const before = JSON.stringify(fields);
      if (!accessor.set(fields, value)) return;
      expect(accessor.exact(fields)).toBe(value);
      expect(accessor.get(fields)).toBe(value);
      const inArray = typeof accessor.path.at(-1) === "number";
      expect(accessor.delete(fields)).toBe(true);
      if (!inArray) expect(accessor.exact(fields)).toBeUndefined();
      expect(before).toBeString();
    }));
  });
});

describe("compileFieldName", () => {
  test("takes a dollar as part of the name unless brackets follow", () => {
    expect(compileFieldName("$oid").path).toEqual(["$oid"]);
    expect(compileFieldName("a[0]").path).toEqual(["a[0]"]);
    expect(compileFieldName("$a['b']").path).toEqual(["a", "b"]);
    expect(() => compileFieldName("")).toThrow("empty");
  });
});
