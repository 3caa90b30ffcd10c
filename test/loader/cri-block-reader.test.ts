import { expect, test } from "bun:test";
import fc from "fast-check";
import { jsonEncoder, type LineJoiner, type LogRecord } from "logcollector/plugin";
import { Batch } from "logcollector/plugin";
import { ParserRegistry } from "../../src/loader/parser-registry.ts";
import { testContext } from "../support/context.ts";

const NOW = { sec: 1_700_000_000, nsec: 5 };

function joiner(options: { maxLength?: number; names?: string[] } = {}): LineJoiner {
  const registry = new ParserRegistry({
    log: testContext().log,
    parsers: [],
    nowSec: () => NOW.sec,
    ...(options.maxLength !== undefined && { multilineBufferLimit: options.maxLength }),
  });
  return registry.multiline(options.names ?? ["cri"]).create({ key: "log" });
}

function readBlock(into: LineJoiner, lines: readonly string[], position = 0) {
  const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(""));
  const unparsed = (log: string) => ({ log });
  return into.readJson!({ bytes, ...NOW, unparsed, onRecords() {} }, position);
}

/** Feeds blocks as the tail does: at once where that is possible, else line by line. */
function feed(into: LineJoiner, blocks: readonly string[][], atOnce: boolean): string[] {
  const out: string[] = [];
  let position = 0;
  for (const lines of blocks) {
    const json = atOnce && lines.length > 0 ? readBlock(into, lines, position) : undefined;
    const records: LogRecord[] = [];
    for (const line of lines) {
      if (json === undefined) into.feed(line, NOW.sec, NOW.nsec, position, records);
      position += Buffer.byteLength(line) + 1;
    }
    const batch = json === undefined ? Batch.of("t", records) : Batch.ofJson("t", json);
    const pending = into.pendingPosition;
    const take = (text: string | Uint8Array) => out.push(Buffer.from(text as string).toString());
    jsonEncoder({ format: "json_stream" }).encode(batch, { text: take, bytes: take });
    out.push(`waits for ${pending}`);
  }
  const rest: LogRecord[] = [];
  into.flush(rest);
  return [...out, JSON.stringify(rest)];
}

test("blocks of CRI lines become the records that their lines become one by one", () => {
  const time = fc.constantFrom(
    "2024-01-02T03:04:05.123456789Z",
    "2024-01-02T03:04:06.5+02:00",
    "2024-01-02T03:04:07Z",
    "never",
    "12",
  );
  const content = fc.oneof(
    fc.constantFrom("", "plain", '{"a":"x\\ny"}', "é 😀", "a\u0001b", 'say "hi"\\', "P", "F x"),
    fc.string(),
  ).map((text) => text.replace(/[\r\n]/g, "").toWellFormed());
  const line = fc.tuple(
    time,
    fc.constantFrom("stdout", "stdout", "stderr"),
    fc.constantFrom("F", "F", "P"),
    content,
  ).map((parts) => parts.join(" "));
  const odd = fc.constantFrom(
    "",
    "no CRI",
    "2024-01-02T03:04:05Z stdout X y",
    "2024-01-02T03:04:05Z  stdout F y",
    "2024-01-02T03:04:05Z stdout F",
    'a"b stdout F y',
  );
  const lines = fc.array(
    fc.oneof({ weight: 30, arbitrary: line }, { weight: 1, arbitrary: odd }),
    { maxLength: 6 },
  );
  let atOnce = 0;
  fc.assert(
    fc.property(fc.array(lines, { maxLength: 4 }), (blocks) => {
      if (blocks[0] !== undefined && readBlock(joiner(), blocks[0]) !== undefined) atOnce++;
      expect(feed(joiner(), blocks, true)).toEqual(feed(joiner(), blocks, false));
    }),
    { numRuns: 500 },
  );
  expect(atOnce).toBeGreaterThan(50);
});

test.each([
  ["more lines than the kernels take", 20_000, 1],
  ["more bytes than the kernels take", 3, 100_000],
  ["more parts than the kernels take", 0, 0],
])("a large block becomes what its lines become one by one: %s", (_, count, length) => {
  const head = (i: number) => `2024-01-02T03:04:0${i % 7}.${i}Z ${i % 3 ? "stdout" : "stderr"}`;
  const whole = Array.from({ length: count }, (_, i) => `${head(i)} F ${"x".repeat(length)}`);
  const parts = Array.from({ length: 1500 }, (_, i) => `${head(1)} ${i < 1499 ? "P" : "F"} ${i}`);
  const lines = count === 0 ? [...parts, head(1) + " F x"] : whole;
  expect(readBlock(joiner(), lines)).toBeDefined();
  expect(feed(joiner(), [lines], true)).toEqual(feed(joiner(), [lines], false));
});

const LINE = "2024-01-02T03:04:05Z stdout F x";

test("a block is read at once when all fits, behind the record that waits", () => {
  expect(readBlock(joiner(), [LINE])).toBeDefined();
  expect(readBlock(joiner({ maxLength: 10 }), [LINE])).toBeUndefined();
  const waiting = joiner();
  expect(readBlock(waiting, ["2024-01-02T03:04:05Z stdout P x"], 70)!.count).toBe(0);
  expect(waiting.pendingPosition).toBe(70);
  const rest = readBlock(waiting, [LINE, LINE])!;
  expect(rest.count).toBe(2);
  expect([...rest.rewritten.values()]).toEqual([
    '{"time":"2024-01-02T03:04:05Z","stream":"stdout","_p":"P","log":"xx"}',
  ]);
  expect(waiting.pendingPosition).toBe(-1);
});

test("of several parsers, CRI's reads blocks once it was the one that fits", () => {
  const both = joiner({ names: ["docker", "cri"] });
  expect(readBlock(both, [LINE])).toBeUndefined();
  both.feed(LINE, 1, 0, 0, []);
  expect(readBlock(both, [LINE])).toBeDefined();
});
