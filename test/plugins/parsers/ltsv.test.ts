import { describe, expect, test } from "bun:test";
import ltsv from "../../../plugins/parsers/ltsv.ts";
import { parseWith } from "./make-parser.ts";

describe("ltsv", () => {
  test.each([
    ["a:1\tb:2 3\tc:", { a: "1", b: "2 3", c: "" }],
    ["host:127.0.0.1\ttime:[10/Oct:13]\tx-y.z_1:ü", {
      host: "127.0.0.1",
      time: "[10/Oct:13]",
      "x-y.z_1": "ü",
    }],
    ["a:1\tbroken\tc:2", { a: "1" }],
    ["a:1\t\tx:1", { a: "1" }],
    [":x\ta:1", { a: "1" }],
    ["a:b:c", { a: "b:c" }],
    ["a:1\r\nb:2", { a: "1" }],
  ])("%j", (line, body) => expect(parseWith(ltsv, {}, line)).toEqual(body));

  test("does not match a line without a pair", () => {
    expect(parseWith(ltsv, {}, "no")).toBeNull();
    expect(parseWith(ltsv, {}, "")).toBeNull();
    expect(parseWith(ltsv, {}, "ü:1")).toBeNull();
  });
});
