import { expect, test } from "bun:test";
import { Batch, ConfigError, type OutputDefinition } from "logcollector/plugin";
import es from "../../../../plugins/outputs/es/mod.ts";
import opensearch from "../../../../plugins/outputs/es/opensearch.ts";
import { bodies, driveOutput, lines } from "../output-driver.ts";

const OFF = { "net.proxy_env_ignore": "on" };
const encoded = (options: object, ...batches: Batch[]): Promise<string> =>
  driveOutput(es, { ...OFF, ...options }).text(...batches);

/** The lines as objects, two for each record. */
async function parsed(options: object, ...batches: Batch[]): Promise<unknown[]> {
  const text = await encoded(options, ...batches);
  return text.trimEnd().split("\n").map((line) => JSON.parse(line));
}
const NO_TYPE = { suppress_type_name: "on" };
const TIME = '"@timestamp":"2023-11-14T22:13:20.123Z"';

test("es writes an action and a document for each record, as Fluent Bit does", async () => {
  expect(await encoded({}, bodies({ log: "a", n: 1 }, {}))).toBe(
    '{"create":{"_index":"fluent-bit","_type":"_doc"}}\n' +
      `{${TIME},"log":"a","n":1}\n` +
      '{"create":{"_index":"fluent-bit","_type":"_doc"}}\n' +
      `{${TIME}}\n`,
  );
});

test("es writes lines that nobody looked into in the same way", async () => {
  const all = ["a", '"quoted"\\n', "", "\u0007\u{1f600}"];
  for (
    const options of [
      {},
      { ...NO_TYPE, include_tag_key: "on", tag_key: "tag" },
      { logstash_format: "on", time_key_nanos: "on", write_operation: "index" },
    ]
  ) {
    const ofLines = await encoded(options, lines(...all));
    expect(ofLines).toBe(await encoded(options, bodies(...all.map((log) => ({ log })))));
    expect(ofLines.split("\n")).toHaveLength(2 * all.length + 1);
  }
});

test.each(["@timestamp", "log", "0"])("es keeps a line whose field is called %s", async (key) => {
  const raw = { key, lines: ["a", "b"], sec: 1_700_000_000, nsec: 0 };
  const written = await parsed({ time_key: "log", ...NO_TYPE }, Batch.ofLines("t", raw));
  expect(written[3]).toMatchObject({ [key]: "b" });
});

test("es joins batches to one payload", async () => {
  expect(await parsed(NO_TYPE, bodies({ a: 1 }), lines("b"))).toMatchObject([
    { create: { _index: "fluent-bit" } },
    { a: 1 },
    { create: { _index: "fluent-bit" } },
    { log: "b" },
  ]);
});

test("es lets a record's own time stand", async () => {
  const [, document] = await parsed({}, bodies({ "@timestamp": "then", a: 1 }));
  expect(document).toEqual({ "@timestamp": "then", a: 1 });
});

test.each([
  [{ time_key: "t", time_key_format: "%d.%m.%Y %H" }, { t: "14.11.2023 22.123Z" }],
  [{ time_key_nanos: "on" }, { "@timestamp": "2023-11-14T22:13:20.123456789Z" }],
  [{ include_tag_key: "on" }, { "flb-key": "app.web" }],
  [{ include_tag_key: "on", tag_key: "__proto__" }, JSON.parse('{"__proto__":"app.web"}')],
])("es adds fields with %j", async (options, expected) => {
  const [, document] = await parsed(options, bodies({ a: 1 }));
  const time = "@timestamp" in expected || "t" in expected
    ? {}
    : { "@timestamp": "2023-11-14T22:13:20.123Z" };
  expect(document).toEqual({ ...time, ...expected, a: 1 });
});

test("es replaces dots in names at any depth", async () => {
  const [, document] = await parsed(
    { replace_dots: "on", time_key: "t.t" },
    bodies({ "a.b": { "c.d": [{ "e.f": 1 }, [{ "g.h": "i.j" }]] } }),
  );
  expect(document).toEqual({
    "t.t": "2023-11-14T22:13:20.123Z",
    a_b: { c_d: [{ e_f: 1 }, [{ g_h: "i.j" }]] },
  });
});

/** The indices of the records, at a time long before theirs. */
async function indicesOf(
  plugin: OutputDefinition,
  options: object,
  ...batches: Batch[]
): Promise<string[]> {
  const driver = driveOutput(plugin, { ...OFF, ...NO_TYPE, ...options });
  driver.ctx.clock.wallSec = 1_600_000_000;
  const text = await driver.text(...batches);
  return text.split("\n").filter((_, i) => i % 2 === 0).filter(Boolean)
    .map((line) => JSON.parse(line).create._index);
}

test.each([
  [{ index: "app-%Y-%m" }, "app-2020-09"],
  [{ index: "app-%Y", generate_id: "on" }, "app-2020"],
  [{ logstash_format: "on" }, "logstash-2023.11.14"],
  [{ logstash_format: "on", current_time_index: "on" }, "logstash-2020.09.13"],
  [
    { logstash_format: "on", logstash_prefix: "x", logstash_prefix_separator: "_" },
    "x_2023.11.14",
  ],
  [{ logstash_format: "on", logstash_dateformat: "%G.%V" }, "logstash-2023.46"],
  [{ logstash_format: "on", logstash_prefix_key: "service" }, "shop-2023.11.14"],
  [{ logstash_format: "on", logstash_prefix_key: "$service" }, "shop-2023.11.14"],
  [{ logstash_format: "on", logstash_prefix_key: "$k['ns']" }, "prod-2023.11.14"],
  [{ logstash_format: "on", logstash_prefix_key: "$TAG" }, "app.web-2023.11.14"],
  [{ logstash_format: "on", logstash_prefix_key: "missing" }, "logstash-2023.11.14"],
  [{ index: "$service" }, "$service"],
])("es finds the index with %j", async (options, expected) => {
  const batch = () => bodies({ service: "shop", k: { ns: "prod" } });
  expect(await indicesOf(es, options, batch())).toEqual([expected]);
});

test.each([
  [{}, "fluent-bit"],
  [{ index: "app-%Y" }, "app-2020"],
  [{ index: "$k['ns'].$service" }, "prod.shop"],
  [{ index: "logs-$TAG" }, "logs-app.web"],
  [{ index: "logs-$missing" }, "logs-"],
])("opensearch finds the index with %j", async (options, expected) => {
  const batch = () => bodies({ service: "shop", k: { ns: "prod" } });
  expect(await indicesOf(opensearch, options, batch())).toEqual([expected]);
});

// What a log may try: another's index, a system's own, more than one, an expression, or the end of the line.
const HOSTILE = [
  ".security",
  ".",
  "..",
  "_all",
  "-x",
  "+x",
  "a,b",
  "a*",
  "*",
  "a/b",
  "a\\b",
  "../x",
  "<x-{now/d}>",
  "a:b",
  "a b",
  "A",
  "a#",
  "a?",
  'a"}}\n{"delete":{"_index":"b"',
  "a\nb",
  "a\0",
  "%{x}",
  "x".repeat(300),
  "é".repeat(130),
  "\ud800",
];
test.each(HOSTILE)("no field leads to an index called %j", async (name) => {
  const dated = { logstash_format: "on", logstash_prefix_key: "name" };
  expect(await indicesOf(es, dated, bodies({ name }))).toEqual(["logstash-2023.11.14"]);
  expect(await indicesOf(opensearch, { index: "$name" }, bodies({ name }))).toEqual(["fluent-bit"]);
});

test("an index that cannot be is said", async () => {
  const driver = driveOutput(opensearch, { ...OFF, index: "$name" });
  await driver.text(bodies({ name: "A\n\u001b[31m" }));
  expect(driver.ctx.logged).toEqual([{
    level: "warn",
    message:
      'Cannot use "A\\n\\u001b[31m" from a record in an index\'s name: took "fluent-bit" instead',
  }]);
});

test("es names documents as Fluent Bit does", async () => {
  const id = async (options: object, body = { log: "a" }) => {
    const [action] = await parsed({ generate_id: "on", ...options }, bodies(body)) as [
      { create: { _id: string } },
    ];
    return action.create._id;
  };
  const first = await id({});
  expect(first).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  // Of {"@timestamp":"2023-11-14T22:13:20.123Z","log":"a"} in msgpack, with Fluent Bit's own function.
  expect(first).toBe("61dd8eda-2a07-2e8c-a46a-11ca8b5a9f94");
  expect(await id({})).toBe(first);
  expect(await id({ suppress_type_name: "on" })).toBe(first);
  expect(await id({}, { log: "b" })).not.toBe(first);
  expect(await id({ include_tag_key: "on" })).not.toBe(first);
});

test("es takes ids from a field, whatever is in it", async () => {
  const hostile = 'a"}}\n{"delete":{"_index":"b","_id":"c"}}\n';
  const written = await parsed(
    { id_key: "$k['id']", ...NO_TYPE, generate_id: "on" },
    bodies({ k: { id: "1" } }, { k: { id: hostile } }),
  );
  expect(written).toMatchObject([
    { create: { _index: "fluent-bit", _id: "1" } },
    {},
    { create: { _index: "fluent-bit", _id: hostile } },
    {},
  ]);
});

test.each([{}, { id: 7 }, { id: "" }, { id: "x".repeat(513) }])(
  "es leaves the id to the server when it is %j, and refuses to update without",
  async (body) => {
    expect(await parsed({ id_key: "id", ...NO_TYPE }, bodies(body))).toMatchObject([
      { create: { _index: "fluent-bit" } },
      body,
    ]);
    const driver = driveOutput(es, { ...OFF, id_key: "id", write_operation: "update" });
    expect(await driver.text(bodies(body))).toBe("");
    expect(driver.drops).toEqual([{ records: 1, reason: "missing_id" }]);
    expect(driver.ctx.logged.map(({ message }) => message)).toEqual([
      expect.stringContaining("Cannot take a document's id from id: "),
    ]);
  },
);

test.each([
  ["create", "create", {}],
  ["index", "index", {}],
  ["update", "update", { doc: {} }],
  ["UPSERT", "update", { doc_as_upsert: true, doc: {} }],
])("es writes for write_operation %s", async (write_operation, action, around) => {
  const options = { write_operation, id_key: "id" };
  const [line, document] = await parsed(options, bodies({ id: "1" })) as [object, object];
  expect(line).toEqual({ [action]: { _index: "fluent-bit", _type: "_doc", _id: "1" } });
  const fields = { "@timestamp": "2023-11-14T22:13:20.123Z", id: "1" };
  expect(document).toEqual("doc" in around ? { ...around, doc: fields } : fields);
});

test.each([
  [{ write_operation: "update" }, "write_operation update needs id_key or generate_id"],
  [{ path: "/a b" }, "path must not hold spaces"],
  [{ cloud_id: "nonsense" }, "cannot read cloud_id"],
  [{ cloud_id: "x:bm9uc2Vuc2U=" }, "cannot read cloud_id"],
])("es refuses %j", (options, message) => {
  expect(() => driveOutput(es, { ...OFF, ...options })).toThrow(message);
  expect(() => driveOutput(es, { ...OFF, ...options })).toThrow(ConfigError);
});

test("opensearch refuses an index that it cannot read", () => {
  expect(() => driveOutput(opensearch, { index: "$a['b" })).toThrow(ConfigError);
});

test.each([
  ["aws_auth", "on", /aws_auth|not supported/],
  ["upstream", "/etc/nodes.conf", /not supported/],
  ["compress", "zstd", /expected one of gzip/],
  ["write_operation", "delete", /expected one of create/],
  ["buffer_size", "many", /size/],
])("es does not take %s: %s", (option, value, message) => {
  const { success, error } = es.config.safeParse({ [option]: value });
  expect([success, error?.message]).toEqual([false, expect.stringMatching(message)]);
});

test("es takes what is off, and a buffer without a limit", () => {
  const options = { aws_auth: "off", buffer_size: "False", compress: "GZIP" };
  expect(es.config.parse(options)).toMatchObject({ buffer_size: 0, compress: "gzip" });
});
