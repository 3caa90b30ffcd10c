import { expect, test } from "bun:test";
import { Batch, type LogRecord } from "logcollector/plugin";
import { decodeEvents } from "../../../src/hosts/go/decode-events.ts";
import { encodeEvents } from "../../../src/hosts/go/encode-events.ts";
import { JsonLinesBuilder } from "../../../src/loader/json-lines-builder.ts";

const NSEC = 999_999_999;

test("records come back with their time and metadata, in the old form where there is none", () => {
  const records: LogRecord[] = [
    { sec: 1_700_000_000, nsec: NSEC, body: { a: 1, list: [true, null] } },
    { sec: 4_000_000_000, nsec: 0, body: {}, metadata: { from: "x" } },
  ];
  const bytes = encodeEvents(Batch.of("t", records));
  expect([...bytes.subarray(0, 3)]).toEqual([0x92, 0xd7, 0x00]);
  expect(decodeEvents(bytes)).toEqual({ records, read: bytes.length, problem: undefined });
});

test("raw lines are encoded as their records would be", () => {
  const text = ["", "x", "é".repeat(20), "y".repeat(300), "z".repeat(70_000), ""].join("\n");
  const source = { key: "log", sec: 5, nsec: 6, extra: { file: "/a", log: "hidden" } };
  for (const extra of [undefined, source.extra]) {
    const raw = () => Batch.ofLines("t", { ...source, extra, bytes: Buffer.from(text), count: 6 });
    const { records } = decodeEvents(encodeEvents(raw()));
    expect(records).toEqual(raw().records);
  }
});

test("JSON lines are encoded as their records would be, without the time that was taken out", () => {
  const bytes = Buffer.from('{"time":"x","a":1.5}\n{"a":"y","in":{"b":[]}}\n');
  const builder = new JsonLinesBuilder();
  builder.add(0, 20, { sec: 1, nsec: 2 }, 1, 12);
  builder.add(21, bytes.length - 1, { sec: 3, nsec: 4 });
  builder.addRewritten('{"big":18446744073709551615}', { sec: 5, nsec: 6 });
  const lines = () => Batch.ofJson("t", builder.build(bytes, () => undefined));
  const { records } = decodeEvents(encodeEvents(lines()));
  expect(records).toEqual(lines().records);
  expect(records[0]).toEqual({ sec: 1, nsec: 2, body: { a: 1.5 } });
  expect(records[2]?.body).toEqual({ big: 2n ** 64n - 1n });
});

test.each<[string, Omit<LogRecord, "body">]>([
  ["c708000000000100000002", { sec: 1, nsec: 2 }],
  ["05", { sec: 5, nsec: 0 }],
  ["cb3ff8000000000000", { sec: 1, nsec: 500_000_000 }],
  ["92d700000000010000000280", { sec: 1, nsec: 2 }],
  ["92d700000000010000000281a16101", { sec: 1, nsec: 2, metadata: { a: 1 } }],
])("a time as %s", (time, expected) => {
  const { records, problem } = decodeEvents(Buffer.from(`92${time}81a16b01`, "hex"));
  expect(problem).toBeUndefined();
  expect(records).toEqual([{ ...expected, body: { k: 1 } }]);
});

test.each([
  ["9205c0", "a record's body must be a map"],
  ["930580c0", "a record is an array of two"],
  ["92a17880", "expected a time"],
  ["c1", "expected an array, got 0xc1"],
  ["920581a1", "the last value is not whole"],
])("what is no record is told, and the records before it are kept: %s", (bytes, problem) => {
  const result = decodeEvents(Buffer.from(`920580${bytes}`, "hex"));
  expect(result.records).toHaveLength(1);
  expect(result.read).toBe(3);
  expect(result.problem).toContain(problem);
});
