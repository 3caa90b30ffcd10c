import { expect, test } from "bun:test";
import fc from "fast-check";
import { Batch, type LineParser } from "logcollector/plugin";
import es from "../../../../plugins/outputs/es/mod.ts";
import json from "../../../../plugins/parsers/json.ts";
import { createLineParser } from "../../../../src/loader/line-parser.ts";
import { parserSchema } from "../../../../src/loader/parser-schema.ts";
import { driveOutput } from "../output-driver.ts";

const log = { warn() {}, error() {}, info() {}, debug() {} };
const NOW = { sec: 1_700_000_000, nsec: 5_009_000 };
const unparsed = (line: string) => ({ log: line });
const parser: LineParser = createLineParser(
  json.create({}, { id: "json", log }),
  parserSchema.parse({
    name: "json",
    format: "json",
    time_key: "time",
    time_format: "%Y-%m-%dT%H:%M:%S.%LZ",
  }),
  { log, nowSec: () => NOW.sec },
);

const OPTIONS: readonly Record<string, string>[] = [
  {},
  { suppress_type_name: "on", include_tag_key: "on", tag_key: "the tag" },
  { logstash_format: "on", time_key_nanos: "on" },
  { logstash_format: "on", current_time_index: "on", time_key: "t", time_key_format: '"%s"' },
  { include_tag_key: "on", tag_key: "@timestamp" },
  { write_operation: "index", index: "é-%Y.%m.%d.%H" },
  { time_key: "1", include_tag_key: "on", tag_key: "0" },
];

/** As they were read, which is valid until the next call, and as records. */
function bothForms(lines: readonly string[], tag: string): [asJson: Batch, asRecords: Batch] {
  const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(""));
  const read = parser.readJson!({ bytes, ...NOW, unparsed, onRecords() {} });
  const records = lines.map((line) =>
    parser.parse(line, NOW.sec, NOW.nsec) ?? { ...NOW, body: unparsed(line) }
  );
  return [Batch.ofJson(tag, read!), Batch.of(tag, records)];
}

/** What is written, with documents whose fields may have any order. */
async function written(options: object, ...batches: Batch[]): Promise<unknown[]> {
  const text = await driveOutput(es, { "net.proxy_env_ignore": "on", ...options }).text(...batches);
  expect(text).toEndWith("\n");
  return text.slice(0, -1).split("\n").map((line) => JSON.parse(line));
}

const LINES = [
  '{"time":"2024-01-02T03:04:05.678Z","a":1}',
  '{"a":1,"time":"2024-01-02T03:04:05.678Z"}',
  '{"a":1,"time":"2024-12-31T23:59:59Z","b":2}',
  '{"time":"2025-01-01T00:00:00.001Z"}',
  '{"time":"1970-01-01T00:00:00.000Z","a":1}',
  "{}",
  '{"a":"é\\n","b":{"time":"no"}}',
  "no JSON",
  '{"a":"b}',
  '{"@timestamp":"its own","flb-key":1}',
];

test.each(OPTIONS)("JSON that nobody looked into is written as records are, with %j", async (o) => {
  for (const lines of [LINES, LINES.slice(0, -1), LINES.slice(0, 7), LINES.slice(5, 6)]) {
    const [asJson, asRecords] = bothForms(lines, 'a "tag"');
    expect(await written(o, asJson)).toEqual(await written(o, asRecords));
  }
});

test("JSON is written without making records of it", () => {
  const [asJson] = bothForms(LINES.slice(0, 7), "t");
  let bytes = 0;
  const { output } = driveOutput(es, { "net.proxy_env_ignore": "on" });
  output.encode(asJson, {
    partition() {},
    drop() {},
    text() {},
    bytes: (written, records) => void (bytes += written.length * records),
  });
  expect(bytes).toBeGreaterThan(0);
  expect(asJson.json).toBeDefined();
});

test("any JSON is written as records are", async () => {
  const value = fc.object({ maxDepth: 2, withDate: false, withUndefined: false } as object);
  await fc.assert(
    fc.asyncProperty(
      fc.array(value, { minLength: 1, maxLength: 20 }),
      fc.constantFrom(...OPTIONS),
      async (bodies, options) => {
        const [asJson, asRecords] = bothForms(bodies.map((body) => JSON.stringify(body)), "t");
        expect(await written(options, asJson)).toEqual(await written(options, asRecords));
      },
    ),
    { numRuns: 200, seed: 46 },
  );
});

test.each(OPTIONS)("bytes of lines are written as records are, with %j", async (options) => {
  const lines = ["a", "", '"\\n\u0001', "é\u{1f600}", "x".repeat(300)];
  const raw = { key: "log", count: lines.length, ...NOW, extra: { file: 'a"b' } };
  const asBytes = Batch.ofLines("t", { ...raw, bytes: Buffer.from(lines.join("\n")) });
  const asText = Batch.ofLines("t", { ...raw, lines });
  const asRecords = Batch.of(
    "t",
    lines.map((log) => ({ ...NOW, body: { file: 'a"b', log } })),
  );
  const expected = await written(options, asRecords);
  expect(await written(options, asBytes)).toEqual(expected);
  expect(await written(options, asText)).toEqual(expected);
});

test("an index of the present day follows the clock", async () => {
  const driver = driveOutput(es, { "net.proxy_env_ignore": "on", index: "app-%Y" });
  const years = [];
  for (const sec of [1_600_000_000, 1_700_000_000]) {
    driver.ctx.clock.wallSec = sec;
    const text = await driver.text(bothForms(LINES.slice(0, 1), "t")[0]);
    years.push(JSON.parse(text.split("\n")[0]!).create._index);
  }
  expect(years).toEqual(["app-2020", "app-2023"]);
});
