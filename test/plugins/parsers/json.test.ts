import { describe, expect, test } from "bun:test";
import json from "../../../plugins/parsers/json.ts";
import { parseWith } from "./make-parser.ts";

describe("json", () => {
  test("makes fields of an object", () => {
    expect(parseWith(json, {}, '{"a":1,"b":{"c":[null,true]}}')).toEqual({
      a: 1,
      b: { c: [null, true] },
    });
  });
  test("keeps large whole numbers exact", () => {
    expect(parseWith(json, {}, '{"id":12345678901234567890}')).toEqual({
      id: 12345678901234567890n,
    });
  });
  test("does not match a line that is no object", () => {
    for (const line of ["", "text", "[1]", '"text"', "12", '{"a":']) {
      expect(parseWith(json, {}, line)).toBeNull();
    }
  });
});
