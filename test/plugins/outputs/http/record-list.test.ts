import { expect, test } from "bun:test";
import { RecordList } from "logcollector/plugin";
import { Packr } from "msgpackr";
import { endsOf } from "../../../../plugins/outputs/http/ends.ts";
import { jsonEnds } from "../../../../plugins/outputs/http/json-ends.ts";
import { msgpackEnds } from "../../../../plugins/outputs/http/msgpack-ends.ts";

const JSON_ARRAY = { prefix: "[", separator: ",", suffix: "]" };
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

test("jsonEnds looks for brackets outside of texts only", () => {
  const values = ['{"a":"}\\"{\\\\"}', "{}", '{"b":[{"c":[]}]}', "[1]"];
  const bytes = Buffer.from(values.join(","));
  let at = -1;
  expect(jsonEnds(bytes, 0, bytes.length)).toEqual(values.map((v) => at += v.length + 1));
});

test("msgpackEnds knows every form", () => {
  const fixed = ["c0", "c2", "c3", "00", "7f", "80", "90", "a0", "e0", "ff"];
  const numbers = ["ca00000000", "cb0000000000000000", "cc00", "cd0000", "ce00000000"];
  const more = ["cf0000000000000000", "d000", "d10000", "d200000000", "d30000000000000000"];
  const ext = ["d40011", "d5001122", "d60011223344", `d700${"11".repeat(8)}`];
  const long = [`d800${"11".repeat(16)}`, "c7030a112233", "c800010a11", "c9000000010a11"];
  const texts = ["a3616263", "d90161", "da000161", "db0000000161", "c401ff", "c50001ff"];
  const nested = ["c600000001ff", "9201c0", "8101a161", "dc000201c0", "dd0000000101"];
  const maps = ["de000101c0", "df00000001a16190", "9191919192c0a0", "81a16181a16281a163c0"];
  const values = [fixed, numbers, more, ext, long, texts, nested, maps].flat()
    .map((hex) => Buffer.from(hex, "hex"));
  let at = 0;
  expect(msgpackEnds(Buffer.concat(values))).toEqual(values.map(({ length }) => at += length));
});

test("msgpackEnds knows what msgpackr writes, however large or deep", () => {
  let deep: unknown = 1;
  for (let i = 0; i < 500; i++) deep = i % 2 === 0 ? [deep] : { deep };
  const large = Array.from({ length: 70_000 }, (_, i) => i * 1000);
  const values = [deep, large, Object.fromEntries(large.entries()), "x".repeat(70_000), 1.5]
    .map((value) => new Packr({ useRecords: false, variableMapSize: true }).pack(value));
  let at = 0;
  expect(msgpackEnds(Buffer.concat(values))).toEqual(values.map(({ length }) => at += length));
});

test.each(["92c0", "d9ff61", "cd00", "df00000001", "a2"])(
  "msgpackEnds sees that %s is cut off",
  (hex) => {
    expect(() => msgpackEnds(Buffer.from(hex, "hex"))).toThrow(RangeError);
  },
);

test("a record list makes bodies of some of its records", () => {
  const list = new RecordList(Buffer.from('[{"a":1},{"b":2},{}]'), 3, endsOf.json, JSON_ARRAY);
  expect(list.length).toBe(3);
  expect(text(list.body(0, 1))).toBe('[{"a":1}]');
  expect(text(list.body(1, 3))).toBe('[{"b":2},{}]');
  expect(list.size(1, 3)).toBe(10);
  const lines = new RecordList(Buffer.from("{}\n{}\n{}\n"), 3, endsOf.json_lines, {});
  expect(text(lines.body(1, 2))).toBe("{}\n");
});

test("a record list is cut in the middle of its bytes, with a record on both sides", () => {
  const lengths = (...of: number[]) => {
    const bytes = Buffer.from(of.map((length) => `${"x".repeat(length - 1)}\n`).join(""));
    return new RecordList(bytes, of.length, endsOf.gelf, {}).middle(0, of.length);
  };
  expect(lengths(5, 5, 5, 5)).toBe(2);
  expect(lengths(100, 1, 1, 1)).toBe(1);
  expect(lengths(1, 1, 1, 100)).toBe(3);
  expect(lengths(1, 1)).toBe(1);
  expect(lengths(1, 1, 6, 1, 1)).toBe(3);
});

test("a record list refuses bytes that do not hold what they should", () => {
  expect(() => new RecordList(Buffer.from("[{}]"), 2, endsOf.json, JSON_ARRAY)).toThrow(
    "expected 2 records in the body, found 1",
  );
  expect(() => new RecordList(Buffer.from("{}\n{}"), 1, endsOf.json_lines, {})).toThrow(RangeError);
});
