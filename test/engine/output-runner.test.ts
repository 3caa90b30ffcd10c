import { expect, test } from "bun:test";
import { Batch } from "logcollector/plugin";
import { numbers, ScriptedOutput, TestPipeline } from "../support/test-pipeline.ts";

test("an output sends a payload when it is full, or when its first record is a flush interval old", async () => {
  const output = new ScriptedOutput();
  const pipeline = new TestPipeline({ outputs: [{ output }], payloadBytes: 12 });
  pipeline.emit(numbers(10, 2));
  await pipeline.advance(900);
  pipeline.emit(numbers(12, 1));
  expect(output.delivered).toEqual([]);
  await pipeline.advance(100);
  expect(output.delivered).toEqual(["10 11 12"]);
  pipeline.emit(numbers(20, 4));
  await pipeline.settle();
  expect(output.delivered).toEqual(["10 11 12", "20 21 22 23"]);
  pipeline.emit(numbers(24, 1));
  await pipeline.advance(1000);
  expect(output.delivered).toEqual(["10 11 12", "20 21 22 23", "24"]);
});

test("with a flush interval of 0, what one turn of the event loop brings is sent together at its end", async () => {
  const output = new ScriptedOutput();
  const pipeline = new TestPipeline({ outputs: [{ output }], payloadBytes: 1000, flushMs: 0 });
  pipeline.emit(numbers(10, 2));
  pipeline.emit(numbers(12, 1));
  await pipeline.settle();
  expect(output.delivered).toEqual([]);
  await pipeline.advance(1);
  expect(output.delivered).toEqual(["10 11 12"]);
  pipeline.emit(numbers(20, 1));
  await pipeline.advance(1);
  expect(output.delivered).toEqual(["10 11 12", "20"]);
});

test("emit resolves only when the queue is under its limit again", async () => {
  let open = () => {};
  const output = new ScriptedOutput(() => new Promise<void>((resolve) => (open = resolve)));
  const pipeline = new TestPipeline({ outputs: [{ output, queueBytes: 10 }], payloadBytes: 5 });
  expect(pipeline.emit(numbers(10, 2))).toBeUndefined();
  expect(pipeline.emit(numbers(20, 2))).toBeUndefined();
  let resolved = false;
  const wait = pipeline.emit(numbers(30, 2))!.then(() => void (resolved = true));
  await pipeline.advance(100);
  expect(resolved).toBe(false);
  expect(pipeline.metric("input_ingestion_paused")).toBe(1);
  open();
  await wait;
  expect(pipeline.metric("input_ingestion_paused")).toBe(0);
});

test("emit does not wait for ever when the open payloads alone are over the limit", async () => {
  const output = new ScriptedOutput();
  const pipeline = new TestPipeline({ outputs: [{ output, queueBytes: 3 }], payloadBytes: 1000 });
  await pipeline.emit(numbers(10, 5));
  expect(output.delivered).toEqual(["10 11 12 13 14"]);
});

test("an output that seals sends what it sealed, in order, however long each takes", async () => {
  const output = Object.assign(new ScriptedOutput(), {
    async seal(bytes: Uint8Array) {
      // The first takes longest.
      const text = Buffer.from(bytes).toString();
      for (let i = 0; i < (text.startsWith("10") ? 20 : 1); i++) await Promise.resolve();
      return Buffer.from(`<${text}>`);
    },
  });
  const pipeline = new TestPipeline({ outputs: [{ output }], payloadBytes: 5 });
  for (const i of [10, 20, 30]) pipeline.emit(numbers(i, 2));
  await pipeline.advance(100);
  expect(output.delivered).toEqual(["<10 11>", "<20 21>", "<30 31>"]);
  expect(pipeline.metric("output_queue_bytes")).toBe(0);
});

test("an output drops and counts a payload that cannot be sealed, and acks it", async () => {
  const output = Object.assign(new ScriptedOutput(), {
    seal(bytes: Uint8Array) {
      if (Buffer.from(bytes).toString().startsWith("20")) throw new Error("cannot compress");
      return bytes;
    },
  });
  const pipeline = new TestPipeline({ outputs: [{ output }], payloadBytes: 5 });
  const acked: number[] = [];
  for (const i of [10, 20, 30]) pipeline.emit(numbers(i, 2), () => void acked.push(i));
  await pipeline.advance(100);
  expect(output.delivered).toEqual(["10 11", "30 31"]);
  expect(acked).toEqual([10, 20, 30]);
  expect(pipeline.metric("dropped_records_total", { reason: "seal_error" })).toBe(2);
});

test("a record that cannot be encoded costs itself and the rest of its batch, and no other", async () => {
  const output = new ScriptedOutput();
  output.encode = (batch, into) => {
    for (const { body } of batch.records) {
      if (body.n === 21) throw new Error("cannot encode");
      into.text(String(body.n), 1);
    }
  };
  const pipeline = new TestPipeline({ outputs: [{ output }] });
  let acked = 0;
  for (const i of [10, 20, 30]) pipeline.emit(numbers(i, 3), () => void acked++);
  await pipeline.advance(1000);
  expect(output.delivered).toEqual(["10 11 12 20 30 31 32"]);
  expect(pipeline.metric("dropped_records_total", { reason: "encode_error" })).toBe(2);
  expect(acked).toBe(3);
});

test("an output with write alone gets the records as they were, one tag at a time", async () => {
  const written: Batch[] = [];
  const pipeline = new TestPipeline({
    outputs: [{ output: { write: async (batch) => void written.push(batch) } }],
  });
  const body = {
    text: "ü\u0000😀",
    big: 2n ** 60n,
    float: 1.5,
    none: null,
    list: [1, "a", { deep: true }],
    bytes: new Uint8Array([1, 2]),
    ["__proto__x"]: 1,
  };
  const metadata = { k: "v" };
  pipeline.emit(Batch.of("a", [{ sec: 5, nsec: 7, body: structuredClone(body), metadata }]));
  pipeline.emit(Batch.of("b", [{ sec: 6, nsec: 8, body: { x: 1 } }]));
  await pipeline.advance(1000);
  expect(written.map(({ tag }) => tag)).toEqual(["a", "b"]);
  const [record] = written[0]!.records;
  expect(record).toMatchObject({ sec: 5, nsec: 7, metadata });
  expect({ ...record!.body, bytes: undefined }).toEqual({ ...body, bytes: undefined as never });
  expect([...record!.body.bytes as Uint8Array]).toEqual([1, 2]);
  expect(written[1]!.records[0]!.body).toEqual({ x: 1 });
});

test("records that an output leaves out without a word are counted as dropped", async () => {
  const output = new ScriptedOutput();
  output.encode = (batch, into) => into.text(String(batch.records[0]!.body.n), 1);
  const pipeline = new TestPipeline({ outputs: [{ output }] });
  pipeline.emit(numbers(1, 3));
  await pipeline.advance(1000);
  expect(pipeline.metric("output_proc_records_total")).toBe(1);
  expect(pipeline.metric("dropped_records_total", { reason: "not_encoded" })).toBe(2);
});

test("an output whose seal throws no Error goes on with the next payload", async () => {
  const output = Object.assign(new ScriptedOutput(), {
    seal(bytes: Uint8Array) {
      if (Buffer.from(bytes).toString().startsWith("10")) throw null;
      return bytes;
    },
  });
  const pipeline = new TestPipeline({ outputs: [{ output }], payloadBytes: 5 });
  for (const i of [10, 20]) pipeline.emit(numbers(i, 2));
  await pipeline.advance(100);
  expect(output.delivered).toEqual(["20 21"]);
});
