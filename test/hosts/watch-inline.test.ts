import {
  defineFilter,
  defineOutput,
  defineParser,
  type PluginDefinition,
} from "logcollector/plugin";
import { expect, test } from "bun:test";
import * as z from "zod";
import { SlowCalls, watchInline } from "../../src/hosts/watch-inline.ts";
import { ManualClock, testContext } from "../support/context.ts";
import { numbers } from "../support/test-pipeline.ts";

const common = { name: "own", summary: "A test", config: z.object({}) };

/** Keeps the thread busy for longer than a call may take without a word. */
function dawdle(): void {
  Bun.sleepSync(110);
}

function warningsOf(definition: PluginDefinition, use: (plugin: never) => unknown): string[] {
  const ctx = testContext();
  use(watchInline(definition, "own.ts").create({}, ctx) as never);
  return ctx.logged.map(({ level, message }) => `${level}: ${message}`);
}

test("a call that keeps everything else waiting is named", () => {
  const filter = defineFilter({
    ...common,
    create: () => ({
      process(batch) {
        dawdle();
        return batch;
      },
    }),
  });
  const warnings = warningsOf(
    filter,
    (f: { process(b: unknown): void }) => f.process(numbers(0, 3)),
  );
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toMatch(
    /^warn: filter "own" of own\.ts took 1\d\d ms for 3 records: everything/,
  );
});

test("encode, write and parse count too", () => {
  const encoded = defineOutput({
    ...common,
    create: () => ({ encode: dawdle, send: () => Promise.resolve() }),
  });
  const simple = defineOutput({
    ...common,
    create: () => ({
      write() {
        dawdle();
        return Promise.resolve();
      },
    }),
  });
  const parser = defineParser({
    ...common,
    create: () => ({
      parse() {
        dawdle();
        return null;
      },
    }),
  });
  const batch = numbers(0, 1);
  const signal = new AbortController().signal;
  expect([
    ...warningsOf(encoded, (o: { encode(b: unknown, into: unknown): void }) => o.encode(batch, {})),
    ...warningsOf(simple, (o: { write(b: unknown, s: unknown): void }) => o.write(batch, signal)),
    ...warningsOf(parser, (p: { parse(line: string): void }) => p.parse("x")),
  ]).toHaveLength(3);
});

test("a filter that waits behind an await is not slow, and keeps its other calls", async () => {
  const ctx = testContext();
  let flushed = false;
  const definition = defineFilter({
    ...common,
    create: () => ({
      process: async (batch) => {
        await Bun.sleep(120);
        return batch;
      },
      flush() {
        flushed = true;
        return [];
      },
    }),
  });
  const filter = (watchInline(definition, "own.ts") as typeof definition).create({}, ctx);
  await filter.process(numbers(0, 1));
  filter.flush!();
  expect(ctx.logged).toEqual([]);
  expect(flushed).toBe(true);
  expect(filter.close).toBeUndefined();
});

test("there is one word a second, with the number of those that were left out", () => {
  const clock = new ManualClock();
  const { log, logged } = testContext();
  const slow = new SlowCalls("filter", () => clock.nowMs());
  for (let i = 0; i < 12; i++) {
    const startMs = slow.nowMs();
    clock.advance(200);
    slow.done(startMs, 1, log);
  }
  expect(logged.map(({ message }) => message.split(":")[0])).toEqual([
    "filter took 200 ms for 1 record",
    "filter took 200 ms for 1 record, and 4 other calls took too long",
    "filter took 200 ms for 1 record, and 4 other calls took too long",
  ]);
});
