import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parseJsonObject } from "../../src/lib/json-object.ts";
import { stringifyJson } from "../../src/lib/json-text.ts";

describe("parseJsonObject", () => {
  test("takes one object and nothing else", () => {
    expect(parseJsonObject('{"a":1}')).toEqual({ a: 1 });
    expect(parseJsonObject(' {"a":1} ')).toEqual({ a: 1 });
    for (
      const text of ["", "x", "[1]", '"x"', "1", "null", "{", '{"a":1,}', "{'a':1}", '{"a":NaN}']
    ) {
      expect(parseJsonObject(text)).toBeNull();
    }
  });

  test("keeps whole numbers of 64 bits exact and takes larger ones as doubles", () => {
    expect(
      parseJsonObject(
        '{"a":9007199254740993,"b":[18446744073709551615],"c":{"d":-9223372036854775808}}',
      ),
    )
      .toEqual({
        a: 9007199254740993n,
        b: [18446744073709551615n],
        c: { d: -9223372036854775808n },
      });
    expect(parseJsonObject('{"a":18446744073709551616,"b":1e300,"c":9007199254740991}'))
      .toEqual({ a: 18446744073709552000, b: 1e300, c: 9007199254740991 });
    expect(parseJsonObject('{"a":1e400}')).toBeNull();
  });

  test("takes control characters inside strings", () => {
    expect(parseJsonObject('{"a":"x\ty\u0001",\t"b":1}')).toEqual({ a: "x\ty\u0001", b: 1 });
  });

  test("ignores what follows the object unless that is JSON again", () => {
    expect(parseJsonObject('{"a":"}"}x')).toEqual({ a: "}" });
    expect(parseJsonObject('{"a":1}{"b":2}')).toBeNull();
    expect(parseJsonObject('{"a":1} 5')).toBeNull();
  });

  test("makes an ordinary field of __proto__", () => {
    const body = parseJsonObject('{"__proto__":5,"n":12345678901234567890}')!;
    expect(Object.keys(body)).toEqual(["__proto__", "n"]);
    expect(Object.getPrototypeOf(body)).toBe(Object.prototype);
  });

  test("takes a thousand levels and refuses what only means to overflow the stack", () => {
    const nested = (levels: number, inside = "") =>
      `{"n":12345678901234567890,"a":${"[".repeat(levels)}${inside}${"]".repeat(levels)}}`;
    expect(parseJsonObject(nested(900))).not.toBeNull();
    for (const levels of [1001, 30_000, 300_000]) {
      expect(parseJsonObject(nested(levels))).toBeNull();
      expect(parseJsonObject(nested(levels, '"\t"'))).toBeNull();
    }
  });

  test("agrees with JSON.parse on ordinary objects", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (object) => {
        const text = JSON.stringify(object);
        expect(stringifyJson(parseJsonObject(text))).toBe(text);
      }),
    );
  });
});
