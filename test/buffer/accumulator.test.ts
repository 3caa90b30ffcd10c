import { expect, test } from "bun:test";
import { Accumulator } from "../../src/buffer/accumulator.ts";
import type { QueuedPayload } from "../../src/buffer/queued-payload.ts";
import { Book } from "../../src/engine/books.ts";
import { Ticket } from "../../src/engine/ticket.ts";

function makeAccumulator(
  options: { maxBytes?: number; maxPartitions?: number; framing?: object } = {},
) {
  const finished: QueuedPayload[] = [];
  const dropped: string[] = [];
  const accumulator = new Accumulator({
    framing: options.framing ?? {},
    maxBytes: options.maxBytes ?? 100,
    maxPartitions: options.maxPartitions ?? 10,
    onFull: (payload) => void finished.push(payload),
    onDrop: (records, reason) => void dropped.push(`${records} ${reason}`),
  });
  const text = ({ bytes }: QueuedPayload) => Buffer.from(bytes).toString();
  return { accumulator, finished, dropped, texts: () => finished.map(text) };
}

test("Accumulator lets batches grow into one payload and frames it", () => {
  const { accumulator, finished, texts } = makeAccumulator({
    framing: { prefix: "[", separator: ",", suffix: "]" },
  });
  for (const text of ["1", "2", "3"]) {
    accumulator.begin(new Ticket({ book: new Book("input", "in.0") }));
    accumulator.text(text, 1);
  }
  expect(accumulator.isEmpty).toBe(false);
  accumulator.flush();
  expect(texts()).toEqual(["[1,2,3]"]);
  expect(finished[0]).toMatchObject({ records: 3, attempt: 1, partition: "", queuedRecords: 3 });
  expect([accumulator.isEmpty, accumulator.bytesOpen]).toEqual([true, 0]);
});

const ticket = () => new Ticket({ book: new Book("input", "in.0") });

test("Accumulator finishes a payload where a batch ends, before another like it would be too much", () => {
  const { accumulator, texts } = makeAccumulator({ maxBytes: 10 });
  for (const text of ["aaaa", "bbbb", "cccc", "d".repeat(25), "e"]) {
    accumulator.begin(ticket());
    accumulator.text(text, 1);
    accumulator.end();
  }
  accumulator.flush();
  expect(texts()).toEqual(["aaaabbbb", "cccc", "d".repeat(25), "e"]);
});

test("Accumulator keeps a batch in one piece up to four times the usual size, and begins a payload for it", () => {
  const { accumulator, texts } = makeAccumulator({ maxBytes: 10 });
  for (const batch of [["aaa"], ["bbbb", "cccc", "dddd"], Array(12).fill("eeee")]) {
    accumulator.begin(ticket());
    for (const text of batch) accumulator.text(text, 1);
    accumulator.end();
  }
  accumulator.flush();
  expect(texts()).toEqual(["aaabbbbccccdddd", "e".repeat(40), "e".repeat(8)]);
});

test("Accumulator says whose the records of a payload are", () => {
  const { accumulator, finished } = makeAccumulator();
  for (const [name, count] of [["a", 1], ["a", 2], ["b", 3], ["a", 4]] as const) {
    accumulator.begin(new Ticket({ book: new Book("input", name) }));
    accumulator.text("x", count);
    accumulator.end();
  }
  expect(accumulator.recordsOpen).toBe(10);
  accumulator.flush();
  expect([...finished[0]!.sources]).toEqual([["a", 7], ["b", 3]]);
  expect(accumulator.recordsOpen).toBe(0);
});

test("Accumulator keeps one payload per partition, and finishes the oldest when there are too many", () => {
  const { accumulator, finished, texts } = makeAccumulator({ maxPartitions: 2 });
  for (const [key, text] of [["a", "1"], ["b", "2"], ["a", "3"], ["c", "4"], ["b", "5"]] as const) {
    accumulator.begin(new Ticket({ book: new Book("input", "in.0") }));
    accumulator.partition(key);
    accumulator.text(text, 1);
  }
  expect(texts()).toEqual(["13"]);
  accumulator.flush();
  expect(finished.map(({ partition }) => partition)).toEqual(["a", "b", "c"]);
  expect(texts()).toEqual(["13", "25", "4"]);
});

test('Accumulator goes back to the partition "" with each batch', () => {
  const { accumulator, finished } = makeAccumulator();
  accumulator.begin(new Ticket({ book: new Book("input", "in.0") }));
  accumulator.partition("x");
  accumulator.text("1", 1);
  accumulator.begin(new Ticket({ book: new Book("input", "in.0") }));
  accumulator.text("2", 1);
  accumulator.flush();
  expect(finished.map(({ partition }) => partition)).toEqual(["x", ""]);
});

test("Accumulator holds a ticket once for every payload that has a part of its batch", () => {
  const { accumulator, finished } = makeAccumulator({ maxBytes: 4 });
  let settled = false;
  const ticket = new Ticket({
    book: new Book("input", "in.0"),
    settled: () => void (settled = true),
  });
  accumulator.begin(ticket);
  for (let i = 0; i < 10; i++) {
    accumulator.partition(`${i % 5}`);
    accumulator.text("ab", 1);
  }
  accumulator.end();
  ticket.release();
  accumulator.flush();
  expect(finished.length).toBe(5);
  const holders = finished.flatMap((payload) => payload.holders);
  expect(holders.length).toBe(5);
  for (const holder of holders.slice(0, 4)) holder.release();
  expect(settled).toBe(false);
  holders[4]!.release();
  expect(settled).toBe(true);
});

test("Accumulator counts what it was given and what was dropped, batch by batch", () => {
  const { accumulator, dropped } = makeAccumulator();
  accumulator.begin(new Ticket({ book: new Book("input", "in.0") }));
  accumulator.text("abc", 2);
  accumulator.bytes(Buffer.from("d"), 1);
  accumulator.drop(4, "too_large");
  expect([accumulator.counted, accumulator.bytesOpen]).toEqual([7, 4]);
  expect(dropped).toEqual(["4 too_large"]);
  accumulator.begin(new Ticket({ book: new Book("input", "in.0") }));
  expect(accumulator.counted).toBe(0);
});
