import { describe, expect, test } from "bun:test";
import {
  Batch,
  type Body,
  jsonEncoder,
  type JsonLines,
  JsonTail,
  msgpackEncoder,
} from "logcollector/plugin";
import kubernetes from "../../../plugins/filters/kubernetes/mod.ts";
import { JsonLinesBuilder } from "../../../src/loader/json-lines-builder.ts";
import { Random } from "../../support/random.ts";
import { makeFilter } from "./filter-driver.ts";

const FIELDS = {
  kubernetes: { pod_name: "web-1", labels: { app: "ü", n: "" }, many: Array(20).fill({ a: 1 }) },
  kubernetes_namespace: { name: "shop" },
};

/** The same records as JSON lines: some with a time that is cut out, some rewritten, some without any field. */
function lines(bodies: readonly Body[], chance: Random): JsonLines {
  const builder = new JsonLinesBuilder();
  let text = Buffer.alloc(0);
  bodies.forEach((body, i) => {
    const time = { sec: 1_700_000_000 + i, nsec: i };
    const json = JSON.stringify(body);
    const kind = chance.below(4);
    if (kind === 0) return builder.addRewritten(json, time);
    const start = text.length;
    const cut = `"time":"${i}"`;
    // In front of the others, or alone: the comma goes with it.
    const isAlone = json === "{}";
    const whole = kind === 1 ? json : `{${cut}${isAlone ? "" : ","}${json.slice(1)}`;
    text = Buffer.concat([text, Buffer.from(`${whole}\n`)]);
    const end = start + Buffer.byteLength(whole);
    if (kind === 1) builder.add(start, end, time);
    else builder.add(start, end, time, start + 1, start + 1 + cut.length + (isAlone ? 0 : 1));
  });
  return builder.build(text, () => {});
}

const bodiesFor = (chance: Random): Body[] =>
  Array.from({ length: 1 + chance.below(20) }, () => {
    const body: Body = {};
    for (let n = chance.below(20); n > 0; n--) {
      body[`f${n}`] = chance.below(2) === 0 ? n : { text: `"kubernetes": ${n}` };
    }
    return body;
  });

const recordsOf = (bodies: readonly Body[], fields: Body) =>
  bodies.map((body, i) => ({
    sec: 1_700_000_000 + i,
    nsec: i,
    body: { ...structuredClone(body), ...structuredClone(fields) },
  }));

function jsonOf(batch: Batch, dateKey: string | false): string {
  let text = "";
  jsonEncoder({ format: "json_lines", dateKey, dateFormat: "double" }).encode(batch, {
    text: (part) => void (text += part),
    bytes: (part) => void (text += Buffer.from(part).toString()),
  });
  return text;
}

describe("fields behind JSON lines", () => {
  test("become what they are behind records, in JSON and in msgpack", () => {
    const seed = Number(process.env["SEED"] ?? Date.now() % 1e9);
    console.log(`seed ${seed}`);
    const chance = new Random(seed);
    for (let round = 0; round < 200; round++) {
      const bodies = bodiesFor(chance);
      const whole = Batch.of("t", recordsOf(bodies, FIELDS));
      const appended = () => {
        const batch = Batch.ofJson("t", lines(bodies, chance));
        const { kubernetes, kubernetes_namespace } = FIELDS;
        if (chance.below(2) === 0) expect(batch.append(new JsonTail(FIELDS))).toBe(true);
        else {
          expect(batch.append(new JsonTail({ kubernetes }))).toBe(true);
          expect(batch.append(new JsonTail({ kubernetes_namespace }))).toBe(true);
        }
        expect(batch.json).toBeDefined();
        return batch;
      };
      for (const dateKey of [false, "date"] as const) {
        expect(jsonOf(appended(), dateKey)).toBe(jsonOf(whole, dateKey));
      }
      const metadata = "always" as const;
      const bytes = (batch: Batch) => Buffer.from(msgpackEncoder({ metadata }).encode(batch));
      expect(bytes(appended()).equals(bytes(whole))).toBe(true);
      expect(appended().records).toEqual(whole.records);
    }
  });

  test("are refused where a record may have one of them, or where their place would be another", () => {
    const chance = new Random(1);
    const batch = (body: Body) => Batch.ofJson("t", lines([body], chance));
    expect(batch({ kubernetes: 1 }).append(new JsonTail(FIELDS))).toBe(false);
    expect(batch({ a: { kubernetes: 1 } }).append(new JsonTail(FIELDS))).toBe(false);
    expect(batch({ a: 1 }).append(new JsonTail({ "1": 1 }))).toBe(false);
    const twice = batch({ a: 1 });
    expect(twice.append(new JsonTail({ b: 1 }))).toBe(true);
    expect(twice.append(new JsonTail({ b: 2 }))).toBe(false);
    expect(twice.records[0]!.body).toEqual({ a: 1, b: 1 });
    expect(twice.append(new JsonTail({ c: 1 }))).toBe(false);
  });

  test("a date of the same name keeps its place", () => {
    const make = () => {
      const batch = Batch.ofJson("t", lines([{ a: 1 }], new Random(1)));
      batch.append(new JsonTail({ date: "own" }));
      return batch;
    };
    const records = make();
    void records.records;
    expect(jsonOf(make(), "date")).toBe(jsonOf(records, "date"));
  });

  test("every record gets fields of its own", () => {
    const batch = Batch.ofJson("t", lines([{ a: 1 }, { a: 2 }], new Random(1)));
    batch.append(new JsonTail(FIELDS));
    (batch.records[0]!.body["kubernetes"] as Body)["pod_name"] = "changed";
    expect(batch.records[1]!.body["kubernetes"]).toEqual(FIELDS.kubernetes);
  });
});

describe("kubernetes, with lines that still are JSON", () => {
  const TAG = `kube.var.log.containers.web-1_shop_app-${"a".repeat(64)}.log`;
  const isLeftAlone = async (options: Record<string, unknown>, bodies: readonly Body[]) => {
    const { feedBatch } = makeFilter(kubernetes, { use_tag_for_meta: "on", ...options });
    const [batch] = await feedBatch(Batch.ofJson(TAG, lines(bodies, new Random(3))));
    const isJson = batch!.json !== undefined;
    const { feedBatch: feedRecords } = makeFilter(kubernetes, {
      use_tag_for_meta: "on",
      ...options,
    });
    const [expected] = await feedRecords(Batch.of(TAG, recordsOf(bodies, {})));
    expect(batch!.records).toEqual(expected!.records);
    return isJson;
  };

  test("makes no records of them where nothing is in their logs to merge", async () => {
    const text = { stream: "stdout", log: 'a {"b":1}' };
    expect(await isLeftAlone({}, [text, { log: '{"a":1}' }])).toBe(true);
    expect(await isLeftAlone({ merge_log: "on" }, [text])).toBe(true);
    for (const log of ['{"a":1}', ' {"a":1}', '\t{"a":1}', { a: 1 }]) {
      expect(await isLeftAlone({ merge_log: "on" }, [text, { log }])).toBe(false);
    }
    expect(await isLeftAlone({}, [{ kubernetes: "own", log: "x" }])).toBe(false);
  });
});
