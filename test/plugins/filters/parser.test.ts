import { describe, expect, test } from "bun:test";
import { Batch, type Body } from "logcollector/plugin";
import parserFilter from "../../../plugins/filters/parser.ts";
import { ParserRegistry } from "../../../src/loader/parser-registry.ts";
import { parserSchema } from "../../../src/loader/parser-schema.ts";
import { type TestContext, testContext } from "../../support/context.ts";
import { makeFilter } from "./filter-driver.ts";

function context(): TestContext {
  const ctx = testContext();
  const parsers = [
    { name: "pair", format: "regex", regex: "^(?<a>\\w+)=(?<b>.*)$" },
    { name: "timed", format: "json", time_key: "t", time_format: "%s.%L" },
  ].map((options) => parserSchema.parse(options));
  const registry = new ParserRegistry({ log: ctx.log, parsers });
  return { ...ctx, parser: (name) => registry.parser(name) };
}

const feed = (options: Record<string, unknown>, ...bodies: Body[]): Promise<Body[]> =>
  makeFilter(parserFilter, options, context()).feed(...bodies);

describe("parser", () => {
  const options = { key_name: "log", parser: "pair" };
  const record = { log: "x=1", k: 2 };

  test("puts the parsed fields in place of all others", async () => {
    expect(await feed(options, record)).toEqual([{ a: "x", b: "1" }]);
  });
  test("preserve_key and reserve_data keep what they name", async () => {
    expect(await feed({ ...options, preserve_key: true }, record)).toEqual([{
      a: "x",
      b: "1",
      log: "x=1",
    }]);
    expect(await feed({ ...options, reserve_data: true }, record)).toEqual([{
      a: "x",
      b: "1",
      k: 2,
    }]);
    expect(await feed({ ...options, preserve_key: true, reserve_data: true }, record))
      .toEqual([{ a: "x", b: "1", log: "x=1", k: 2 }]);
  });
  test("puts a kept field over a parsed one of the same name", async () => {
    expect(await feed({ ...options, reserve_data: true }, { log: "x=1", b: "old" }))
      .toEqual([{ a: "x", b: "old" }]);
  });
  test("leaves records alone that do not match, or have no text there", async () => {
    const others: Body[] = [{ log: "no pair", k: 3 }, { k: 4 }, { log: 5 }, { log: { b: "x=1" } }];
    expect(await feed({ ...options, reserve_data: true }, ...others)).toEqual(others);
  });
  test("tries several parsers in order", async () => {
    expect(await feed({ key_name: "log", parser: ["timed", "pair"] }, record, { log: '{"z":1}' }))
      .toEqual([{ a: "x", b: "1" }, { z: 1 }]);
  });
  test("reads a field inside another, which stays whole", async () => {
    const nested = { n: { in: "x=1" }, k: 2 };
    const inner = { key_name: "$n['in']", parser: "pair" };
    expect(await feed(inner, nested)).toEqual([{ a: "x", b: "1" }]);
    expect(await feed({ ...inner, preserve_key: true }, nested)).toEqual([{ a: "x", b: "1" }]);
    expect(await feed({ ...inner, reserve_data: true }, nested)).toEqual([{
      a: "x",
      b: "1",
      ...nested,
    }]);
  });
  test("takes the parsed time, keeps the record's otherwise, and its metadata always", async () => {
    const { feedBatch } = makeFilter(parserFilter, { key_name: "log", parser: "timed" }, context());
    const metadata = { m: 1 };
    const [batch] = await feedBatch(Batch.of("t", [
      { sec: 1, nsec: 2, body: { log: '{"t":"1700000000.5"}' }, metadata },
      { sec: 3, nsec: 4, body: { log: '{"u":1}' }, metadata },
    ]));
    expect(batch!.records).toEqual([
      { sec: 1_700_000_000, nsec: 500_000_000, body: {}, metadata },
      { sec: 3, nsec: 4, body: { u: 1 }, metadata },
    ]);
  });
  test("parses raw lines as it parses records", async () => {
    const lines = ["x=1", "no pair"];
    for (const key_name of ["log", "$log", "other"]) {
      for (const reserve_data of [false, true]) {
        const { feedBatch } = makeFilter(
          parserFilter,
          { key_name, parser: "pair", reserve_data },
          context(),
        );
        const raw = { key: "log", lines, sec: 5, nsec: 6, extra: { path: "/x" } };
        const [fromLines] = await feedBatch(Batch.ofLines("t", raw));
        const [fromRecords] = await feedBatch(Batch.of("t", Batch.ofLines("t", raw).records));
        expect(fromLines!.records).toEqual(fromRecords!.records);
      }
    }
  });
  test("needs a parser that exists", () => {
    expect(() => makeFilter(parserFilter, { key_name: "log" }, context())).toThrow(
      "no parser is named",
    );
    expect(() => makeFilter(parserFilter, { key_name: "log", parser: "pari" }, context()))
      .toThrow('unknown parser "pari": did you mean "pair"?');
  });
});
