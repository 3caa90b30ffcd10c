import { expect, test } from "bun:test";
import { formatRecordText, formatValueText } from "../../src/lib/msgpack-text.ts";

test("formatRecordText writes the two forms of Fluent Bit's stdout plugins", () => {
  const record = { sec: 12, nsec: 34, body: { log: "x" }, metadata: { a: 1 } };
  expect(formatRecordText(3, "t", record)).toBe('[3] t: [[12.000000034, {"a"=>1}], {"log"=>"x"}]');
  expect(formatRecordText(0, "t", { ...record, metadata: undefined }, "flat"))
    .toBe('[0] t: [12.000000034, {}, {"log"=>"x"}]');
});

test("formatValueText writes every type and escapes no text", () => {
  expect(formatValueText('say "hi"\n')).toBe('"say "hi"\n"');
  expect(formatValueText([1, -2, 2.5, 10n ** 18n, null, true, [], {}]))
    .toBe("[1, -2, 2.500000, 1000000000000000000, nil, true, [], {}]");
  expect(formatValueText({ a: { é: ["ü"] }, b: 1 })).toBe('{"a"=>{"é"=>["ü"]}, "b"=>1}');
  expect(formatValueText(new Uint8Array([0x22, 0x41, 0xff]))).toBe('"\\"A\\xff"');
});
