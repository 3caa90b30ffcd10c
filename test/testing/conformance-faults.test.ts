import { expect, test } from "bun:test";
import {
  Batch,
  type Body,
  defineFilter,
  defineInput,
  defineOutput,
  defineParser,
  type Filter,
  type Input,
  type Output,
  type PluginDefinition,
} from "logcollector/plugin";
import { conformance, type ConformanceOptions } from "logcollector/testing";
import * as z from "zod";

/** What the checks find wrong, one line each. */
async function problemsOf(
  definition: PluginDefinition,
  options: ConformanceOptions = {},
): Promise<string[]> {
  const problems: string[] = [];
  for (const { name, run } of conformance(definition, { deadlineMs: 40, ...options })) {
    await run().catch((error) => problems.push(`${name}: ${error.message}`));
  }
  return problems;
}

const about = { name: "bad", summary: "Is wrong", config: z.object({}) };
const never = new Promise<never>(() => undefined);
const pass: Filter = { process: (batch) => batch };

const filter = (
  make: (typeof defineFilter extends (d: infer D) => unknown ? D : never)["create"],
) => defineFilter({ ...about, create: make });
const input = (run: Input["run"], close?: () => Promise<void>) =>
  defineInput({ ...about, create: () => ({ run, ...(close && { close }) }) });

test("a plugin that does nothing wrong has no problems", async () => {
  expect(await problemsOf(filter(() => pass), { deadlineMs: 2000 })).toEqual([]);
  expect(await problemsOf(input(async () => undefined), { deadlineMs: 2000 })).toEqual([]);
});

test.each<[string, PluginDefinition, string]>([
  [
    "an unreadable name",
    defineFilter({ ...about, name: "Bad Name", create: () => pass }),
    "says what it is and describes its options",
  ],
  [
    "an option without a description",
    defineFilter({ ...about, config: z.object({ a: z.string().default("") }), create: () => pass }),
    "says what it is and describes its options",
  ],
  [
    "an error about options that is no ConfigError",
    filter(() => {
      throw new TypeError("x is undefined");
    }),
    "works without options, or says which it needs",
  ],
  [
    "close that throws the second time",
    filter(() => {
      let closed = false;
      return {
        ...pass,
        close() {
          if (closed) throw new Error("closed already");
          closed = true;
        },
      };
    }),
    "can be closed twice",
  ],
  ["close that hangs", filter(() => ({ ...pass, close: () => never })), "can be closed unused"],
  [
    "an interval that nobody clears",
    filter(() => {
      setInterval(() => undefined, 60_000);
      return pass;
    }),
    "leaves no timer behind after close",
  ],
  [
    "a timer of the context's clock that nobody cancels",
    filter((_, ctx) => {
      ctx.clock.after(3_600_000, () => undefined);
      return pass;
    }),
    "leaves no timer behind after close",
  ],
  [
    "a batch that is none",
    filter(() => ({ process: (batch) => ({ ...batch }) as unknown as Batch })),
    "gives batches of records in good form",
  ],
  [
    "a field that is a date",
    filter(() => ({
      process(batch) {
        for (const { body } of batch.records) body.at = new Date() as unknown as Body;
        return batch;
      },
    })),
    "gives batches of records in good form",
  ],
  [
    "one record twice",
    filter(() => ({
      process: (batch) => batch.with(batch.records.flatMap((record) => [record, record])),
    })),
    "counts no record twice",
  ],
  [
    "a record that is rejected and passed on",
    filter((_, ctx) => ({
      process(batch) {
        for (const record of batch.records) ctx.reject(record, new Error("no"));
        return batch;
      },
    })),
    "counts no record twice",
  ],
  [
    "a flush that gives the same again",
    filter(() => ({ ...pass, flush: () => [Batch.of("t", [{ sec: 1, nsec: 0, body: {} }])] })),
    "can be flushed unused, and twice",
  ],
  [
    "an input that does not look at its signal",
    input(() => never),
    "returns when its signal is aborted",
  ],
  [
    "an input that sleeps without its signal",
    defineInput({
      ...about,
      create: (_, ctx) => ({
        async run(signal) {
          while (!signal.aborted) await ctx.clock.sleep(3_600_000);
        },
      }),
    }),
    "returns when its signal is aborted",
  ],
  [
    "an input that goes on after an emit that failed",
    defineInput({
      ...about,
      create: (_, ctx) => ({
        async run(signal) {
          const record = { sec: 1, nsec: 0, body: {} };
          try {
            while (!signal.aborted) {
              await ctx.emit(Batch.of("t", [record]));
              await ctx.clock.sleep(1000, signal);
            }
          } catch {
            await never;
          }
        },
      }),
    }),
    "comes to an end when emit() rejects",
  ],
  [
    "an output that changes the records",
    defineOutput({
      ...about,
      create: () => ({
        encode(batch, into) {
          for (const { body } of batch.records) {
            body.host = "me";
            into.text("x", 1);
          }
        },
        send: async () => undefined,
      }),
    }),
    "does not change the records that it encodes",
  ],
  [
    "an output that forgets to count",
    defineOutput({
      ...about,
      create: () => ({
        encode: (_, into) => into.text("all", 1),
        send: async () => undefined,
      }),
    }),
    "accounts for every record that it encodes",
  ],
  [
    "an output that does not look at its signal",
    defineOutput({ ...about, create: (): Output => ({ write: () => never }) }),
    "gives up a delivery when its signal is aborted",
  ],
  [
    "a parser that throws",
    defineParser({ ...about, create: () => ({ parse: (line) => JSON.parse(line) }) }),
    "gives fields in good form, or null, for any line",
  ],
  [
    "a parser that remembers where it was",
    defineParser({
      ...about,
      create() {
        const pattern = /\w+/g;
        return {
          parse(line) {
            const word = pattern.exec(line)?.[0];
            return word === undefined ? null : { word };
          },
        };
      },
    }),
    "gives the same for the same line again",
  ],
])("conformance finds %s", async (_, definition, check) => {
  expect((await problemsOf(definition)).join("\n")).toContain(`: ${check}: `);
});

test("conformance can leave a check out, and knows all by name", async () => {
  const definition = input(() => never);
  const all = conformance(definition).length;
  const except = { "returns when its signal is aborted": "it never does" };
  expect(conformance(definition, { except })).toHaveLength(all - 1);
  expect(() => conformance(definition, { except: { "returns when its signal is abortd": "" } }))
    .toThrow('did you mean "returns when its signal is aborted"?');
});

test("conformance gives options as text, and tells of one that does not take it", async () => {
  const definition = defineFilter({
    ...about,
    config: z.object({ at: z.union([z.literal(1), z.literal(2)]).default(1).describe("x") }),
    create: () => pass,
  });
  expect((await problemsOf(definition, { options: { at: 2 } })).join("\n"))
    .toContain('bad: takes its options as text: option "at" of filter "bad"');
});
