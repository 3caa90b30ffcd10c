import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { appendFile } from "node:fs/promises";
import { Collector } from "../support/binary.ts";
import { bulkAnswer, bulkRecords, BulkServer } from "../support/bulk-server.ts";
import { eventually } from "../support/eventually.ts";
import { metric, untilMetric } from "../support/metric.ts";
import { HAS_OPENSEARCH, OpenSearch } from "../support/opensearch.ts";
import { RawServer } from "../support/raw-server.ts";
import { TempFolder } from "../support/temp-folder.ts";

// What ends a test that waits in vain are the deadlines of what it waits for.
setDefaultTimeout(60_000);

/** A collector that sends the JSON lines of one file to an output, with short pauses and a folder for what is refused. */
class Setup implements AsyncDisposable {
  readonly collector: Collector;
  private readonly folder: TempFolder;

  private constructor(folder: TempFolder) {
    this.folder = folder;
    this.collector = new Collector(["-c", folder.at("config.yaml")]);
  }

  static async start(name: string, output: Readonly<Record<string, unknown>>): Promise<Setup> {
    const folder = new TempFolder();
    const config = {
      service: {
        flush: 0.05,
        "scheduler.base": 0.1,
        "scheduler.cap": 0.1,
        http_server: "on",
        http_port: 0,
        "storage.path": folder.at("state"),
      },
      pipeline: {
        inputs: [{
          name: "tail",
          path: folder.at("app.log"),
          read_from_head: "on",
          parser: "json",
          "storage.type": "filesystem",
        }],
        outputs: [{ name, alias: "search", match: "*", suppress_type_name: "on", ...output }],
      },
    };
    await Bun.write(folder.at("app.log"), "");
    await Bun.write(folder.at("config.yaml"), JSON.stringify(config));
    return new Setup(folder);
  }

  async write(records: readonly object[]): Promise<void> {
    const lines = records.map((record) => `${JSON.stringify(record)}\n`).join("");
    await appendFile(this.folder.at("app.log"), lines);
  }

  /** What is refused, as `logcollector dlq` shows it. */
  dlq(...args: string[]): Promise<Collector> {
    return Collector.run(["dlq", ...args, "-c", this.folder.at("config.yaml")]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.collector[Symbol.asyncDispose]();
    this.folder[Symbol.dispose]();
  }
}

const output = async (collector: Collector, name: string) =>
  await metric(await collector.url(), name, { name: "search" });

const numbered = (count: number) => Array.from({ length: count }, (_, n) => ({ n }));
const numbersOf = (docs: Iterable<Readonly<Record<string, unknown>>>) =>
  [...docs].map((doc) => doc["n"] as number);

describe("fault 46: a server that takes a part of what it gets", () => {
  test.each([["es", "none"], ["opensearch", "gzip"]])(
    "gets only what was 429 or 5xx again, from %s, packed with %s; 409 is well, 400 is kept as a dead letter",
    async (name, compress) => {
      const kind = (n: number) => n % 5;
      // Of five records one is refused, one refused in another way, two are taken later, and one is there already.
      using server = new BulkServer(({ n }, times) => {
        if (kind(Number(n)) === 0) return 201;
        if (kind(Number(n)) === 1) return 400;
        if (kind(Number(n)) === 2) return times === 1 ? 429 : 201;
        return kind(Number(n)) === 3 ? 409 : times < 3 ? 503 : 201;
      });
      await using setup = await Setup.start(name, {
        host: "127.0.0.1",
        port: server.port,
        ...(compress !== "none" && { compress }),
      });
      const { collector } = setup;
      await collector.untilLog("started");
      await setup.write(numbered(100));
      await eventually(() => server.taken.size === 60);
      await untilMetric(
        await collector.url(),
        "output_proc_records_total",
        { name: "search" },
        (value) => value === 80,
      );
      expect(server.requests.map(numbersOf)).toEqual([
        numbersOf(numbered(100)),
        numbersOf(numbered(100)).filter((n) => kind(n) === 2 || kind(n) === 4),
        numbersOf(numbered(100)).filter((n) => kind(n) === 4),
      ]);
      expect(await output(collector, "output_dead_lettered_records_total")).toBe(20);
      expect(await output(collector, "output_retried_records_total")).toBe(60);
      const dropped = { kind: "output", name: "search", reason: "refused" };
      expect(await metric(await collector.url(), "dropped_records_total", dropped)).toBeNaN();
      expect(await collector.stop()).toBe(0);

      const list = await setup.dlq("list");
      expect(list.stdout).toMatch(/status is 400, mapper_parsing_exception: the reason of 400/);
      expect(list.stdout).toContain("\n1 letter, 20 records, ");
      const id = list.lines[1]!.split(" ")[0]!;
      const shown = await setup.dlq("show", id);
      expect(shown.stdout).toContain("status is 400, mapper_parsing_exception: the reason of 400");
      if (compress !== "none") return;
      const raw = await setup.dlq("show", id, "--raw");
      expect(numbersOf(bulkRecords(raw.stdout).map(({ doc }) => doc))).toEqual(
        numbersOf(numbered(100)).filter((n) => kind(n) === 1),
      );
    },
  );

  test("that forgets to say what became of some gets all of them again, and none is lost", async () => {
    let requests = 0;
    const taken = new Set<string>();
    using server = await RawServer.start({
      onBody({ body, socket }) {
        const records = bulkRecords(body);
        for (const { doc } of records) taken.add(String(doc["n"]));
        const whole = bulkAnswer(records.map(() => 201));
        const answers = [
          bulkAnswer(records.slice(1).map(() => 201)),
          '{"took":1,"errors":false}',
          whole.slice(0, whole.length / 2),
          "",
          whole,
        ];
        const answer = answers[Math.min(requests++, answers.length - 1)]!;
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${answer.length}\r\n\r\n${answer}`);
      },
    });
    await using setup = await Setup.start("es", { host: "127.0.0.1", port: server.port });
    const { collector } = setup;
    await collector.untilLog("started");
    await setup.write(numbered(10));
    const labels = { name: "search" };
    const url = await collector.url();
    await untilMetric(url, "output_proc_records_total", labels, (value) => value === 10);
    expect([requests, taken.size]).toEqual([5, 10]);
    expect(await output(collector, "output_retries_total")).toBe(4);
    expect(await collector.stop()).toBe(0);
    expect((await setup.dlq("list")).stdout).toStartWith("There are no dead letters");
  });
});

describe.skipIf(!HAS_OPENSEARCH)("a real OpenSearch", () => {
  test.each(["es", "opensearch"])(
    "fault 46: has from %s what fits its mapping, each once, and the rest is kept with its reason",
    async (name) => {
      await using server = await OpenSearch.start();
      await server.createIndex("app", { n: "integer", id: "keyword" });
      await using setup = await Setup.start(name, {
        host: "127.0.0.1",
        port: server.port,
        index: "app",
        id_key: "id",
      });
      const { collector } = setup;
      await collector.untilLog("started");
      // Every record comes twice, with a few between them that are no numbers.
      const good = Array.from({ length: 200 }, (_, i) => ({ id: `id ${i % 100}`, n: i % 100 }));
      const bad = Array.from(
        { length: 10 },
        (_, i) => ({ id: `bad ${i}`, n: i % 2 === 0 ? `no number ${i}` : `2026-01-0${i}` }),
      );
      await setup.write([...good.slice(0, 120), ...bad, ...good.slice(120)]);
      const labels = { name: "search" };
      const url = await collector.url();
      await untilMetric(url, "output_proc_records_total", labels, (value) => value === 200);
      await untilMetric(
        url,
        "output_dead_lettered_records_total",
        labels,
        (value) => value === 10,
      );
      expect(await collector.stop()).toBe(0);
      const found = await server.documents("app");
      expect(found.map(({ _id, _source }) => [_id, _source["n"]])).toEqual(
        good.slice(0, 100).map(({ id, n }) => [id, n]),
      );
      const list = await setup.dlq("list");
      expect(list.stdout).toContain("status is 400, mapper_parsing_exception");
      const id = list.lines[1]!.split(" ")[0]!;
      expect((await setup.dlq("show", id)).stdout).toContain('"n":"no number 0"');

      // With a mapping that takes some, the others are refused again, and are letters of their own.
      await server.request("DELETE", "app");
      await server.createIndex("app", { n: "date", id: "keyword" });
      const failed = await setup.dlq("replay", "--all");
      expect([failed.status, failed.lines.at(-1)]).toEqual([
        1,
        "Delivered 5 records; left 1 letter with 5 records",
      ]);

      const dates = await server.documents("app");
      expect(dates.map(({ _source }) => _source["n"])).toEqual(
        bad.map(({ n }) => n).filter((n) => n.startsWith("2026")),
      );

      // With a mapping that takes them, the letters can be delivered after all.
      await server.request("DELETE", "app");
      await server.createIndex("app", { n: "keyword", id: "keyword" });
      const replayed = await setup.dlq("replay", "--all");
      expect(replayed.lines.at(-1)).toBe("Delivered 5 records");
      const late = await server.documents("app");
      expect(late.map(({ _source }) => _source["n"])).toEqual(
        bad.map(({ n }) => n).filter((n) => n.startsWith("no number")),
      );
    },
  );
});
