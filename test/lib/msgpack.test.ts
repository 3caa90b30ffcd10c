import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { unpack } from "msgpackr/unpack";
import { parseJsonObject } from "../../src/lib/json-object.ts";
import { JsonToMsgpack } from "../../src/lib/json-to-msgpack.ts";
import { MsgpackReader } from "../../src/lib/msgpack-reader.ts";
import { MsgpackWriter } from "../../src/lib/msgpack-writer.ts";
import type { Fields, Value } from "../../src/lib/record-accessor.ts";

function written(value: Value | undefined): Buffer {
  const writer = new MsgpackWriter();
  writer.value(value);
  return writer.written;
}
const hex = (value: Value | undefined): string => written(value).toString("hex");
const read = (bytes: string): Value => new MsgpackReader(Buffer.from(bytes, "hex")).value();

const anyValue = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.string({ unit: "binary", maxLength: 80 }),
    fc.string({ maxLength: 300 }),
    fc.double({ noNaN: true }).filter((value) => !Object.is(value, -0)),
    fc.maxSafeInteger(),
    fc.integer({ min: -70_000, max: 70_000 }),
    fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n - 1n }),
    fc.bigInt({ min: -(2n ** 63n), max: -(2n ** 53n) }),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    fc.array(tie("value"), { maxLength: 20 }),
    fc.dictionary(fc.string({ unit: "binary", maxLength: 40 }), tie("value"), { maxKeys: 20 }),
  ) as fc.Arbitrary<Value>,
})).value;

describe("msgpack", () => {
  test("what is written is read again", () => {
    fc.assert(fc.property(anyValue, (value) => {
      const reader = new MsgpackReader(written(value));
      expect(reader.value()).toEqual(value);
      expect(reader.offset).toBe(written(value).length);
    }));
  });

  test.each<[Value | undefined, string]>([
    [0, "00"],
    [127, "7f"],
    [128, "cc80"],
    [256, "cd0100"],
    [65_536, "ce00010000"],
    [1_700_000_000_000, "cf0000018bcfe56800"],
    [-1, "ff"],
    [-33, "d0df"],
    [-129, "d1ff7f"],
    [-32_769, "d2ffff7fff"],
    [-5_000_000_000, "d3fffffffed5fa0e00"],
    [0.5, "cb3fe0000000000000"],
    [-0, "cb8000000000000000"],
    [2n ** 63n, "cf8000000000000000"],
    [-5n, "d3fffffffffffffffb"],
    ["é", "a2c3a9"],
    [null, "c0"],
    [undefined, "c0"],
    [Buffer.from([1]), "c40101"],
  ])("%p is written as %s", (value, expected) => {
    expect(hex(value)).toBe(expected);
  });

  test("long text, arrays and maps get the head that they need", () => {
    for (const length of [31, 32, 255, 256, 65_535, 65_536]) {
      for (const text of ["x".repeat(length), "é".repeat(Math.floor(length / 2))]) {
        expect(new MsgpackReader(written(text)).value()).toBe(text);
      }
    }
    for (const count of [15, 16, 65_536]) {
      const list = Array.from({ length: count }, (_, i) => i);
      expect(new MsgpackReader(written(list)).value()).toEqual(list);
      expect(unpack(written(list))).toEqual(list);
      const map = Object.fromEntries(list.map((i) => [`k${i}`, i]));
      expect(unpack(written(map))).toEqual(map);
    }
  });

  test.each([
    ["a1", "the last value is not whole"],
    ["92", "the last value is not whole"],
    ["c1", "0xc1 begins no value"],
    ["91".repeat(200), "nested deeper"],
    ["dfffffffff", "the last value is not whole"],
  ])("bytes that are no value are an error: %s", (bytes, message) => {
    expect(() => read(bytes)).toThrow(message);
  });

  test("keys that are no text become text, and __proto__ an ordinary one", () => {
    expect(read("8201a178c3a179")).toEqual({ 1: "x", true: "y" });
    const map = read("81a95f5f70726f746f5f5f01") as Fields;
    expect(Object.keys(map)).toEqual(["__proto__"]);
  });
});

describe("JSON to msgpack", () => {
  /** The same by way of values. */
  function both(text: string): { direct: string; byValues: string } {
    const writer = new MsgpackWriter();
    const bytes = Buffer.from(text);
    new JsonToMsgpack(writer).object(bytes, 0, bytes.length, bytes.length);
    return {
      direct: writer.written.toString("hex"),
      byValues: hex(parseJsonObject(text)),
    };
  }

  test("gives what values would", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ maxLength: 10 }), fc.jsonValue()), (object) => {
        const { direct, byValues } = both(JSON.stringify(object));
        expect(direct).toBe(byValues);
      }),
      { numRuns: 1000 },
    );
  });

  test.each([
    "{}",
    '{"a":{},"b":[],"c":[[1],{"d":"e"}]}',
    '{"a":"x\\"y\\\\\\n\\u001b","long":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxé"}',
    '{"a":0.1,"b":-249.92,"c":1e21,"d":1.5e-7,"e":123456789012345,"f":-0.000001,"g":0}',
    '{"a":9007199254740993,"b":18446744073709551615,"c":-9223372036854775808,"d":100000000000000000000}',
    `{${Array.from({ length: 40 }, (_, i) => `"k${i}":${i}`).join(",")}}`,
  ])("%s", (text) => {
    const { direct, byValues } = both(text);
    expect(direct).toBe(byValues);
  });

  test.each([
    ['{"time":"x","a":1,"b":2}', 1, 12],
    ['{"a":1,"time":"x","b":2}', 7, 18],
    ['{"a":1,"time":"x","b":2}', 6, 17],
    ['{"a":1,"b":2,"time":"x"}', 12, 23],
  ])("leaves out what is cut: %s %d %d", (text, from, to) => {
    const writer = new MsgpackWriter();
    new JsonToMsgpack(writer).object(Buffer.from(text), 0, from, to);
    expect(new MsgpackReader(writer.written).value()).toEqual({ a: 1, b: 2 });
    expect(writer.length).toBe(written({ a: 1, b: 2 }).length);
  });
});
