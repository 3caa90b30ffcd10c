import {
  afterAll,
  afterEach,
  beforeAll,
  describe,
  expect,
  setDefaultTimeout,
  test,
} from "bun:test";
import { PartialError, PermanentError } from "logcollector/plugin";
import es from "../../../../plugins/outputs/es/mod.ts";
import opensearch from "../../../../plugins/outputs/es/opensearch.ts";
import { HAS_OPENSEARCH, OpenSearch } from "../../../support/opensearch.ts";
import { bodies, driveOutput, lines, type OutputDriver } from "../output-driver.ts";

// A start takes two seconds, and more where others work too.
setDefaultTimeout(60_000);

const PLUGINS = [["es", es], ["opensearch", opensearch]] as const;
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

describe.skipIf(!HAS_OPENSEARCH)("a real OpenSearch", () => {
  let server: OpenSearch;
  const driven: OutputDriver[] = [];
  beforeAll(async () => {
    server = await OpenSearch.start("action.auto_create_index=-locked*,+*");
  });
  afterAll(() => server[Symbol.asyncDispose]());
  afterEach(async () => {
    for (const { output } of driven.splice(0)) await output.close?.();
  });

  function drive(plugin: typeof es | typeof opensearch, options: object): OutputDriver {
    const driver = driveOutput(plugin as typeof es, {
      port: server.port,
      suppress_type_name: "on",
      "net.proxy_env_ignore": "on",
      ...options,
    });
    driven.push(driver);
    return driver;
  }
  const sources = async (index: string) =>
    (await server.documents(index)).map(({ _source }) => _source);
  const outcome = (work: Promise<void>): Promise<Error> =>
    work.then(() => new Error("it was taken"), (error: Error) => error);

  test.each(PLUGINS)("gets from %s every record, as it was and in order", async (name, plugin) => {
    const records = Array.from({ length: 2000 }, (_, n) => ({
      n,
      text: `"quoted" \\ \u0000 \u2028 \u{1f600} ${n}`,
      nested: { deep: [1, null, 3], big: 9007199254740993n },
    }));
    const driver = drive(plugin, { index: `${name}-all` });
    await driver.write(bodies(...records), bodies({ n: 2000 }));
    const found = await sources(`${name}-all`);
    expect(found.map(({ n }) => n)).toEqual(Array.from({ length: 2001 }, (_, n) => n));
    const nested = { deep: [1, null, 3], big: 9007199254740992 };
    const time = "2023-11-14T22:13:20.123Z";
    expect(found[7]).toEqual({ "@timestamp": time, ...records[7], nested });
  });

  test.each(PLUGINS)("gets from %s lines, packed, by date", async (name, plugin) => {
    const options = { logstash_format: "on", logstash_prefix: `${name}-lines`, compress: "gzip" };
    const driver = drive(plugin, { ...options, include_tag_key: "on" });
    await driver.write(lines("first", 'second "\\n'), lines("third"));
    const found = await sources(`${name}-lines-2023.11.14`);
    expect(found.map(({ log }) => log)).toEqual(["first", 'second "\\n', "third"]);
    expect(found[0]!["flb-key"]).toBe("app.web");
  });

  test("puts the time into a field of dates", async () => {
    const driver = drive(es, { index: "dates", time_key_nanos: "on" });
    await driver.write(bodies({ a: 1 }));
    const mapping = await server.request("GET", "dates/_mapping/field/@timestamp");
    expect(JSON.stringify(mapping)).toContain('"type":"date"');
  });

  test("has what is created twice once, and is content with that", async () => {
    const driver = drive(es, { index: "twice", generate_id: "on" });
    const [payload] = await driver.encode(bodies({ a: 1 }, { a: 2 }));
    await driver.send(payload!);
    await driver.send(payload!);
    await driver.write(bodies({ a: 2 }, { a: 3 }));
    expect((await sources("twice")).map(({ a }) => a)).toEqual([1, 2, 3]);
  });

  test("refuses what does not fit its mapping, alone and with a reason", async () => {
    await server.createIndex("typed", { status: "integer", at: "ip" });
    const driver = drive(es, { index: "typed" });
    const [payload] = await driver.encode(
      bodies({ status: 1 }, { status: "many" }, { status: 2 }, { at: "nowhere" }, { status: {} }),
    );
    const error = await outcome(driver.send(payload!)) as PartialError;
    expect(error).toBeInstanceOf(PartialError);
    expect([error.records, error.remaining.length, error.refused]).toEqual([0, 0, 3]);
    const [part, ...others] = error.refusedParts;
    expect(others).toEqual([]);
    expect(part!.records).toBe(3);
    expect(part!.message).toMatch(
      /status is 400, mapper_parsing_exception: failed to parse field \[status\] of type \[integer\]/,
    );
    const refused = text(part!.bytes).trimEnd().split("\n").map((line) => JSON.parse(line));
    expect(refused.filter((_, i) => i % 2 === 1)).toMatchObject([
      { status: "many" },
      { at: "nowhere" },
      { status: {} },
    ]);
    expect((await sources("typed")).map(({ status }) => status)).toEqual([1, 2]);
    // What was refused is a payload of its own, which can be sent again.
    const again = { bytes: part!.bytes, records: 3, partition: "", attempt: 1 };
    expect(await outcome(driver.send(again))).toBeInstanceOf(PermanentError);
    await server.request("PUT", "typed2", {});
    const mended = text(part!.bytes).replaceAll('"_index":"typed"', '"_index":"typed2"');
    await driver.send({ ...again, bytes: Buffer.from(mended) }).catch(() => undefined);
    expect((await sources("typed2")).length).toBeGreaterThan(0);
  });

  test("refuses with reasons of several kinds, each kind by itself", async () => {
    await server.createIndex("kinds", { n: "integer" });
    const driver = drive(es, { index: "kinds", id_key: "id", write_operation: "update" });
    const error = await outcome(driver.write(bodies({ id: "1", n: "x" }))) as PermanentError;
    expect(error).toBeInstanceOf(PermanentError);
    expect(error.message).toMatch(
      /status is 404, document_missing_exception: \[1\]: document missing/,
    );
    const upsert = drive(es, { index: "kinds", id_key: "id", write_operation: "upsert" });
    await upsert.write(bodies({ id: "1", n: 1, kept: "yes" }));
    await upsert.write(bodies({ id: "1", n: 2 }));
    const [payload] = await driver.encode(
      bodies({ id: "9" }, { id: "1", n: "x" }, { id: "1", n: 3 }, { id: "8" }),
    );
    const mixed = await outcome(driver.send(payload!)) as PartialError;
    expect(mixed.refusedParts.map(({ records, message }) => [
      records,
      /status is \d+, \w+/.exec(message!)![0],
    ])).toEqual([
      [2, "status is 404, document_missing_exception"],
      [1, "status is 400, mapper_parsing_exception"],
    ]);
    expect(await sources("kinds")).toMatchObject([{ id: "1", n: 3, kept: "yes" }]);
  });

  test("refuses an index that it must not make, for those records alone", async () => {
    const driver = drive(opensearch, { index: "$where" });
    const error = await outcome(
      driver.write(bodies({ where: "open" }, { where: "locked" }, { where: "open" })),
    ) as PartialError;
    expect(error.message).toContain("of 3 records 1 refused, status is 404, index_not_found");
    expect(await sources("open")).toHaveLength(2);
  });

  test("takes all that a hostile record can be called, and nothing else happens", async () => {
    const before = await server.request("GET", "_cat/indices?format=json&expand_wildcards=all");
    const names = [".kibana", "a,b", '"}}\n{"delete":{"_index":"typed"}}\n', "<x-{now/d}>", "A"];
    const ids = ['1"}}\n{"delete":{"_index":"typed"}}\n', "\u0000", "../x", "é".repeat(256)];
    const driver = drive(opensearch, { index: "$name", id_key: "id" });
    await driver.write(bodies(...names.map((name) => ({ name })), ...ids.map((id) => ({ id }))));
    const found = await server.documents("fluent-bit");
    expect(found.map(({ _source }) => _source["name"] ?? _source["id"])).toEqual([
      ...names,
      ...ids,
    ]);
    expect(found.slice(names.length).map(({ _id }) => _id)).toEqual(ids);
    const after = await server.request("GET", "_cat/indices?format=json&expand_wildcards=all");
    expect((after as unknown[]).length).toBe((before as unknown[]).length + 1);
  });

  test("says that it wants no type, and how to leave it out", async () => {
    const error = await outcome(drive(es, { suppress_type_name: "off" }).write(bodies({ a: 1 })));
    expect(error).toBeInstanceOf(PermanentError);
    expect(error.message).toContain("unknown parameter [_type]");
    expect(error.message).toEndWith(": set suppress_type_name to on");
  });

  test("is asked for the pipeline, and refuses records for one that is not there", async () => {
    const error = await outcome(drive(es, { pipeline: "no such" }).write(bodies({ a: 1 })));
    expect(error).toBeInstanceOf(PermanentError);
    expect(error.message).toMatch(/pipeline with id \[no such\] does not exist/);
  });
});

describe.skipIf(!HAS_OPENSEARCH)("a real OpenSearch with small limits", () => {
  const records = Array.from({ length: 200 }, (_, n) => ({ n, text: "x".repeat(500) }));
  const optionsFor = ({ port }: OpenSearch) => ({
    port,
    suppress_type_name: "on",
    "net.proxy_env_ignore": "on",
  });

  test("gets smaller bodies when it finds one too large, plain and packed", async () => {
    await using server = await OpenSearch.start("http.max_content_length=20kb");
    for (const options of [{ index: "plain" }, { index: "packed", compress: "gzip" }]) {
      const driver = driveOutput(es, { ...optionsFor(server), ...options });
      await driver.write(bodies(...records));
      const found = await server.documents(options.index);
      expect(found.map(({ _source: { n } }) => n)).toEqual(records.map(({ n }) => n));
      await driver.output.close?.();
    }
  });

  test("gets records again when it is too busy for them", async () => {
    await using server = await OpenSearch.start("indexing_pressure.memory.limit=40kb");
    const driver = driveOutput(es, optionsFor(server));
    const error = await driver.write(bodies(...records)).catch((error: Error) => error);
    expect(error).toBeInstanceOf(Error);
    expect(error).not.toBeInstanceOf(PermanentError);
    expect((error as Error).message).toMatch(/status is 429.*rejected_execution_exception/);
    await driver.write(bodies(...records.slice(0, 20)));
    expect(await server.documents("fluent-bit")).toHaveLength(20);
    await driver.output.close?.();
  });
});
