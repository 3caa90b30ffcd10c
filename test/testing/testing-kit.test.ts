import { expect, test } from "bun:test";
import {
  Batch,
  ConfigError,
  defineFilter,
  defineInput,
  defineOutput,
  defineParser,
  field,
  optionOrder,
  PartialError,
  PermanentError,
  perRecord,
  ThrottledError,
} from "logcollector/plugin";
import {
  blocking,
  failing,
  FakeClock,
  HttpSink,
  testFilter,
  testInput,
  testOutput,
  testParser,
} from "logcollector/testing";
import * as z from "zod";

const ticker = defineInput({
  name: "ticker",
  summary: "Counts",
  config: z.object({ every: field.duration().default(1000).describe("Interval") }),
  create: ({ every }, ctx) => ({
    async run(signal) {
      for (let n = 1; !signal.aborted; n++) {
        await ctx.emit(Batch.of(ctx.tag, [{ ...ctx.clock.wall(), body: { n } }]), () => {
          ctx.metrics.counter("acked_total", "Acked").value++;
        });
        await ctx.clock.sleep(every, signal);
      }
    },
  }),
});

test("FakeClock calls what becomes due in order, and lets loops of sleeps go round", async () => {
  const clock = new FakeClock();
  const seen: string[] = [];
  clock.after(20, () => seen.push(`b at ${clock.nowMs()}`));
  clock.after(10, () => seen.push(`a at ${clock.nowMs()}`));
  const cancel = clock.after(15, () => seen.push("cancelled"));
  cancel();
  const loop = (async () => {
    for (let i = 0; i < 3; i++) await clock.sleep(100);
    seen.push(`slept until ${clock.nowMs()}`);
  })();
  await clock.advance("1s");
  await loop;
  expect(seen).toEqual(["a at 10", "b at 20", "slept until 300"]);
  expect(clock.wall()).toEqual({ sec: 1_700_000_001, nsec: 0 });
  clock.setWall(new Date("2030-01-01T00:00:00.250Z"));
  expect(clock.wall()).toEqual({ sec: 1_893_456_000, nsec: 250_000_000 });
  expect(clock.pending).toBe(0);
});

test("FakeClock.sleep ends when its signal is aborted", async () => {
  const clock = new FakeClock();
  const stop = new AbortController();
  const asleep = clock.sleep(1000, stop.signal);
  stop.abort();
  await asleep;
  await clock.sleep(1000, stop.signal);
  expect(clock.pending).toBe(0);
});

test("testInput runs an input by the fake clock and keeps what it emits and counts", async () => {
  await using input = testInput(ticker, { Every: "10s" }, { tag: "t" });
  await input.untilRecords(1);
  await input.clock.advance("25s");
  expect(input.bodies).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
  expect(input.emitted.map(({ tag, acked }) => [tag, acked])).toEqual([
    ["t", true],
    ["t", true],
    ["t", true],
  ]);
  expect(input.metrics.value("acked_total")).toBe(3);
  await input.stop();
  expect(input.returned).toBe(true);
});

test("testInput can hold acks back, block emit and let it fail", async () => {
  const valve = blocking();
  await using input = testInput(ticker, {}, { acks: "manual", onEmit: valve.fault });
  await input.untilRecords(1);
  await input.clock.advance("1m");
  expect([valve.waiting, input.bodies.length]).toEqual([1, 1]);
  valve.open();
  await input.clock.advance("2s");
  expect(input.bodies).toHaveLength(3);
  expect(input.metrics.value("acked_total")).toBeUndefined();
  input.ackAll();
  expect(input.metrics.value("acked_total")).toBe(3);

  await using broken = testInput(ticker, {}, { onEmit: failing(1, "queue is gone") });
  await expect(broken.untilReturned()).rejects.toThrow("queue is gone");
  expect(broken.emitted).toEqual([]);
});

test("testInput says what is missing when records do not come in time", async () => {
  await using input = testInput(ticker, {});
  await expect(input.untilRecords(2, 20)).rejects.toThrow(
    "ticker.0: 2 records; there are 1; its log: empty: not within 20 ms",
  );
});

const upper = defineFilter({
  name: "upper",
  summary: "Upper case",
  config: z.object({
    key: field.repeated(field.text()).default([]).describe("Fields"),
    times: z.number().optional().describe("A number of zod's own"),
  }),
  optionAliases: { keys: "key" },
  create: ({ key }, ctx) =>
    perRecord(ctx, (record) => {
      for (const each of key) {
        const value = record.body[each];
        if (typeof value !== "string") throw new Error(`${each} is no text`);
        record.body[each] = value.toUpperCase();
      }
      return record;
    }),
});

test("testFilter takes options as a configuration gives them", async () => {
  await using filter = testFilter(upper, { Keys: ["a", "b"], times: "3" });
  expect(await filter.feed([{ a: "x", b: "y" }, { a: "x" }])).toEqual([{ a: "X", b: "Y" }]);
  expect(filter.rejected).toEqual([{ body: { a: "X" }, error: new Error("b is no text") }]);
  expect(await filter.feedLines(["no"], { key: "b" })).toEqual([]);
});

test.each([
  [{ kye: "a" }, 'unknown option "kye" of filter "upper": did you mean "key"?'],
  [{ colour: "a" }, 'unknown option "colour" of filter "upper": there are key, times, keys'],
  [{ times: "many" }, 'option "times" of filter "upper": '],
  [{ times: 1, TIMES: 2 }, 'option "TIMES" of filter "upper" is repeated'],
])("testFilter refuses %p", (options, message) => {
  expect(() => testFilter(upper, options)).toThrow(message);
  expect(() => testFilter(upper, options)).toThrow(ConfigError);
});

test("options keep the order in which they were written", async () => {
  let order: unknown;
  const steps = defineFilter({
    ...upper,
    config: z.object({
      add: field.repeated(field.text()).default([]).describe("x"),
      cut: field.text().default("").describe("x"),
    }),
    create(config) {
      order = optionOrder(config).map(({ option, index }) => `${option} ${index}`);
      return { process: (batch) => batch };
    },
  });
  testFilter(steps, { cut: "c", add: ["a", "b"] });
  expect(order).toEqual(["cut 0", "add 0", "add 1"]);
});

test("testFilter counts what a filter holds, and releases it at flush", async () => {
  const keeper = defineFilter({
    ...upper,
    config: z.object({}),
    create(_, ctx) {
      const kept: Batch[] = [];
      return {
        process(batch) {
          ctx.hold();
          kept.push(batch);
          return batch.with([]);
        },
        flush: () => kept.splice(0),
      };
    },
  });
  await using filter = testFilter(keeper);
  expect(await filter.feed([{ a: 1 }])).toEqual([]);
  expect(filter.held).toBe(1);
  expect(await filter.flush()).toEqual([{ a: 1 }]);
  expect(filter.held).toBe(0);
});

test("a parser under test can be given to a plugin that asks for it", async () => {
  const words = defineParser({
    name: "words",
    summary: "Words",
    config: z.object({}),
    create: () => ({ parse: (line) => line === "" ? null : { words: line.split(" ") } }),
  });
  const reader = defineFilter({
    ...upper,
    config: z.object({}),
    create(_, ctx) {
      const parser = ctx.parser("mine");
      return perRecord(ctx, (record) => parser.parse(String(record.body.log), 0, 0));
    },
  });
  await using filter = testFilter(reader, {}, { parsers: { mine: testParser(words) } });
  expect(await filter.feedLines(["a b", ""])).toEqual([{ words: ["a", "b"] }]);
  expect(() => testFilter(reader)).toThrow('unknown parser "mine"');
});

const post = defineOutput({
  name: "post",
  summary: "Posts",
  config: z.object({ url: field.text().describe("URL") }),
  create: ({ url }) => ({
    framing: { prefix: "[", separator: ",", suffix: "]" },
    encode(batch, into) {
      into.partition(batch.tag);
      for (const { body } of batch.records) into.text(JSON.stringify(body), 1);
    },
    async send({ bytes, partition }, signal) {
      const response = await fetch(`${url}/${partition}`, { method: "POST", body: bytes, signal });
      if (response.status === 429) {
        throw new ThrottledError("busy", Number(response.headers.get("retry-after")) * 1000);
      }
      if (response.status === 400) throw new PermanentError("refused");
      if (!response.ok) throw new Error(`status ${response.status}`);
      await response.text();
    },
  }),
});

test("testOutput delivers as the collector does, by the class of the error", async () => {
  await using sink = await HttpSink.listen();
  await using output = testOutput(post, { url: sink.url });
  sink.fail({ status: 429, retryAfter: 30, times: 1 });
  sink.reset(1);
  sink.fail({ times: 1 });
  expect(await output.deliver([{ n: 1 }, { n: 2 }], { tag: "t" })).toMatchObject({
    delivered: 2,
    attempts: 4,
    waitedMs: 32_000,
  });
  expect(sink.records).toEqual([{ n: 1 }, { n: 2 }]);
  expect(sink.requests.map(({ path }) => path)).toEqual(["/t", "/t", "/t", "/t"]);
  sink.fail({ status: 400, times: 1 });
  expect(await output.deliver([{ n: 3 }])).toMatchObject({ delivered: 0, refused: 1, attempts: 1 });
  sink.fail();
  expect(await output.deliver([{ n: 4 }], { attempts: 2 })).toMatchObject({
    failed: 1,
    attempts: 2,
  });
  await expect(output.write([{ n: 5 }])).rejects.toThrow("status 503");
});

test("HttpSink can hang, be slow, cut its answer, go away and come back", async () => {
  await using sink = await HttpSink.listen();
  await using output = testOutput(post, { url: sink.url });
  sink.hang(1);
  const giveUp = new AbortController();
  const hanging = output.write([{ n: 1 }], { signal: giveUp.signal });
  await sink.untilRequests(1);
  giveUp.abort();
  await expect(hanging).rejects.toThrow();
  sink.cut(1);
  await expect(output.write([{ n: 2 }])).rejects.toThrow();
  await sink.untilRequests(2);
  sink.slow(5, 1);
  await output.write([{ n: 3 }]);
  await sink.takeAway();
  expect(await output.deliver([{ n: 4 }], { attempts: 1 })).toMatchObject({ failed: 1 });
  await sink.bringBack();
  await output.write([{ n: 5 }]);
  expect(sink.records).toEqual([{ n: 3 }, { n: 5 }]);
});

test("HttpSink answers like a source, and reads compressed bodies", async () => {
  await using sink = await HttpSink.listen();
  sink.respond(({ path }) => ({ body: { path }, headers: { "x-next": "2" } }));
  const response = await fetch(`${sink.url}/logs?page=1`);
  expect([await response.json(), response.headers.get("x-next")]).toEqual([
    { path: "/logs?page=1" },
    "2",
  ]);
  const body = Bun.gzipSync(Buffer.from('{"a":1}\n{"a":2}\n'));
  await fetch(sink.url, { method: "POST", body, headers: { "content-encoding": "gzip" } });
  expect(sink.accepted.at(-1)?.text).toBe('{"a":1}\n{"a":2}\n');
});

test("testOutput sends only what is left after a partial failure, and the same records again to write()", async () => {
  const seen: unknown[] = [];
  const partial = defineOutput({
    ...post,
    config: z.object({}),
    create: () => ({
      encode: (batch, into) => batch.records.forEach(() => into.text("x", 1)),
      async send({ bytes, records, attempt }) {
        seen.push([bytes.length, records, attempt]);
        if (attempt === 1) throw new PartialError("some", bytes.slice(0, 1), 1, 1);
      },
    }),
  });
  await using output = testOutput(partial);
  expect(await output.deliver([{}, {}, {}])).toMatchObject({
    delivered: 2,
    refused: 1,
    attempts: 2,
  });
  expect(seen).toEqual([[3, 3, 1], [1, 1, 2]]);

  const bodies: unknown[] = [];
  const simple = defineOutput({
    ...post,
    config: z.object({}),
    create: () => ({
      async write(batch) {
        bodies.push(structuredClone(batch.records[0]?.body));
        batch.records[0]!.body.changed = true;
        if (bodies.length === 1) throw new Error("again");
      },
    }),
  });
  await using writer = testOutput(simple);
  expect(await writer.deliver([{ a: 1 }])).toMatchObject({ delivered: 1, attempts: 2 });
  expect(bodies).toEqual([{ a: 1 }, { a: 1 }]);
});

test("testOutput shows what would be sent and what was left out", async () => {
  await using output = testOutput(post, { url: "http://127.0.0.1:1" });
  expect(await output.text([{ a: 1 }, { b: 2 }])).toBe('[{"a":1},{"b":2}]');
  const lossy = defineOutput({
    ...post,
    config: z.object({}),
    create: () => ({
      encode(_, into) {
        into.drop(1, "too_large");
      },
      send: async () => undefined,
    }),
  });
  await using other = testOutput(lossy);
  await other.encode([{}, {}]);
  expect(other.drops).toEqual([
    { records: 1, reason: "too_large" },
    { records: 1, reason: "not_encoded" },
  ]);
});
