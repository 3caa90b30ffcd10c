import { describe, expect, test } from "bun:test";
import { Batch, type Body } from "logcollector/plugin";
import multiline from "../../../plugins/filters/multiline/mod.ts";
import { ParserRegistry } from "../../../src/loader/parser-registry.ts";
import { type TestContext, testContext } from "../../support/context.ts";
import { type FilterDriver, makeFilter } from "./filter-driver.ts";

interface Emission {
  tag: string;
  bodies: Body[];
  ack: () => void;
}
interface Driver extends FilterDriver {
  readonly emissions: Emission[];
  readonly ctx: TestContext;
}

function makeDriver(options: Record<string, unknown>, multilineBufferLimit?: number): Driver {
  const emissions: Emission[] = [];
  const ctx = testContext({
    emit(batch, ack = () => {}) {
      emissions.push({ tag: batch.tag, bodies: batch.records.map(({ body }) => body), ack });
      return undefined;
    },
    multiline: (names) =>
      new ParserRegistry({ log: ctx.log, multilineBufferLimit }).multiline(names),
  });
  const driver = makeFilter(multiline, options, ctx);
  return { ...driver, emissions };
}

const java = { "multiline.parser": "java", "multiline.key_content": "log" };
const lines = (...logs: string[]): Body[] => logs.map((log, i) => ({ log, i }));
const batch = (tag: string, stream: string, ...bodies: Body[]): Batch =>
  Batch.of(tag, bodies.map((body) => ({ sec: 1, nsec: 0, body })), { stream });
const textsOf = ({ emissions }: Driver): unknown[] =>
  emissions.flatMap(({ bodies }) => bodies.map((body) => body["log"]));

describe("multiline with a buffer", () => {
  test("joins over batches, keeps the first record's fields and sends everything in order", async () => {
    const driver = makeDriver(java);
    expect(await driver.feed(...lines("before", "x.Error: a"))).toEqual([]);
    expect(await driver.feed(...lines("\tat b", "after"))).toEqual([]);
    expect(driver.emissions.flatMap(({ bodies }) => bodies)).toEqual([
      { log: "before", i: 0 },
      { log: "x.Error: a\n\tat b", i: 1 },
      { log: "after", i: 1 },
    ]);
  });

  test("forgets a stream that is silent, also one of which nothing waits", async () => {
    let joiners = 0;
    const factory = new ParserRegistry({ log: testContext().log }).multiline(["cri"]);
    const ctx = testContext({
      multiline: () => ({ create: (options) => (joiners++, factory.create(options)) }),
    });
    const driver = makeFilter(multiline, { "multiline.parser": "cri" }, ctx);
    const whole = () => batch("t", "1", { log: "2026-01-02T03:04:05.6Z stdout F x" });
    await driver.feedBatch(whole());
    ctx.clock.advance(50_000);
    await driver.feedBatch(whole());
    expect(joiners).toBe(1);
    ctx.clock.advance(61_000);
    await driver.feedBatch(whole());
    expect(joiners).toBe(2);
  });

  test("keeps tags and streams apart", async () => {
    const driver = makeDriver(java);
    await driver.feedBatch(batch("t", "1", { log: "x.Error: a" }));
    await driver.feedBatch(batch("t", "2", { log: "x.Error: b" }));
    await driver.feedBatch(batch("u", "1", { log: "x.Error: c" }));
    await driver.feedBatch(batch("t", "1", { log: "\tat d" }));
    const flushed = await driver.filter.flush!();
    expect(flushed.map(({ tag, stream, records }) => [tag, stream, records[0]!.body["log"]]))
      .toEqual([
        ["t", "1", "x.Error: a\n\tat d"],
        ["t", "2", "x.Error: b"],
        ["u", "1", "x.Error: c"],
      ]);
  });

  test("sends what waits after flush_ms without another line", async () => {
    const driver = makeDriver({ ...java, flush_ms: 700 });
    await driver.feed(...lines("x.Error: a"));
    driver.ctx.clock.advance(600);
    await driver.feed(...lines("\tat b"));
    driver.ctx.clock.advance(699);
    expect(driver.emissions).toEqual([]);
    driver.ctx.clock.advance(1);
    expect(textsOf(driver)).toEqual(["x.Error: a\n\tat b"]);
    expect(driver.emissions[0]!.tag).toBe("a.b.c");
  });

  test("holds a batch until the records made of its lines are safe", async () => {
    const driver = makeDriver(java);
    const { ctx, emissions } = driver;
    await driver.feed(...lines("before", "x.Error: a"));
    expect(ctx.held).toBe(1);
    emissions[0]!.ack();
    expect(ctx.held).toBe(1);
    await driver.feed(...lines("\tat b"));
    expect(ctx.held).toBe(2);
    await driver.feed(...lines("after"));
    expect(ctx.held).toBe(3);
    emissions[1]!.ack();
    expect(ctx.held).toBe(0);
  });

  test("passes records without the content through, even where nothing can match", async () => {
    const driver = makeDriver({ "multiline.parser": "java" });
    await driver.feed(...lines("x.Error: a", "\tat b"));
    expect(textsOf(driver)).toEqual(["x.Error: a", "\tat b"]);
    driver.emissions[0]!.ack();
    expect(driver.ctx.held).toBe(0);
  });

  test("counts and logs a record that was cut", async () => {
    const driver = makeDriver(java, 20);
    await driver.feed(...lines("x.Error: a", "\tat 0123456789"));
    expect(textsOf(driver)).toEqual(["x.Error: a\n\tat 01234"]);
    expect(driver.ctx.counters.get("filter_emit_truncated_total")!.value).toBe(1);
    expect(driver.ctx.logged[0]!.message).toContain("Cut a multiline record");
  });
});

describe("multiline without a buffer", () => {
  test("joins within a batch and hands it on", async () => {
    const driver = makeDriver({ ...java, buffer: "off" });
    const bodies = await driver.feed(...lines("x.Error: a", "\tat b", "c", "y.Error: d"));
    expect(bodies.map(({ log }) => log)).toEqual(["x.Error: a\n\tat b", "c", "y.Error: d"]);
    expect(await driver.feed({ log: "\tat e" })).toEqual([{ log: "\tat e" }]);
    expect(driver.emissions).toEqual([]);
  });

  test("takes the fields that a parser makes of the content", async () => {
    const driver = makeDriver({ "multiline.parser": "cri", buffer: false });
    const cri = (rest: string): Body => ({ log: `2021-02-01T01:40:03.5Z stdout ${rest}`, f: 1 });
    const [out] = await driver.feedBatch(
      batch("t", "", cri("P a "), cri("F b"), { log: "z", f: 3 }),
    );
    expect(out!.records).toEqual([
      {
        sec: 1_612_143_603,
        nsec: 500_000_000,
        body: { time: "2021-02-01T01:40:03.5Z", stream: "stdout", _p: "P", log: "a b" },
      },
      { sec: 1, nsec: 0, body: { log: "z", f: 3 } },
    ]);
  });
});

describe("multiline of partial messages", () => {
  const options = { mode: "partial_message", "multiline.key_content": "log", flush_ms: 500 };
  const part = (partial_id: string, log: string, last = "false", more: Body = {}): Body => ({
    log,
    ...more,
    partial_message: "true",
    partial_id,
    partial_last: last,
  });

  test("joins by id, where the last part stands, without the marks", async () => {
    const driver = makeDriver(options);
    expect(await driver.feed(part("1", "a ", "false", { x: 1 }), { log: "plain" }, part("2", "q ")))
      .toEqual([{ log: "plain" }]);
    expect(driver.ctx.held).toBe(2);
    const [out] = await driver.feedBatch(batch("a.b.c", "file", part("1", "b", "TRUE", { x: 2 })));
    expect(out!.records).toEqual([{ sec: 1_700_000_000, nsec: 0, body: { x: 1, log: "a b" } }]);
    expect(driver.ctx.held).toBe(1);
  });

  test("sends a message whose last part does not come", async () => {
    const driver = makeDriver(options);
    await driver.feed(part("1", "a "));
    driver.ctx.clock.advance(500);
    expect(textsOf(driver)).toEqual(["a "]);
    expect(driver.ctx.held).toBe(1);
    driver.emissions[0]!.ack();
    expect(driver.ctx.held).toBe(0);
  });

  test("flushes what waits at the end", async () => {
    const driver = makeDriver(options);
    await driver.feed(part("1", "a "), part("1", "b "));
    expect((await driver.filter.flush!()).map(({ records }) => records[0]!.body)).toEqual([{
      log: "a b ",
    }]);
  });

  test("ends a message that grows without end", async () => {
    const driver = makeDriver(options);
    const long = "x".repeat(900_000);
    const out: number[] = [];
    for (let i = 0; i < 7; i++) {
      for (const { log } of await driver.feed(part("1", long))) out.push(String(log).length);
    }
    expect(out).toEqual([2_700_000, 2_700_000]);
    expect(driver.ctx.held).toBe(1);
  });

  test("passes on what it cannot join", async () => {
    const driver = makeDriver(options);
    const odd: Body[] = [{ log: "c", partial_message: "true" }, {
      log: "d",
      partial_message: true,
      partial_id: "9",
    }];
    expect(await driver.feed(...odd)).toEqual(odd);
    expect(driver.ctx.logged).toHaveLength(1);
  });
});

test("multiline needs what its mode works with", () => {
  expect(() => makeDriver({})).toThrow("mode parser needs a multiline.parser");
  expect(() => makeDriver({ mode: "partial_message" })).toThrow("needs multiline.key_content");
  expect(() => makeDriver({ "multiline.parser": "go, jav" })).toThrow(
    'unknown multiline parser "jav": did you mean "java"?',
  );
});
