import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { appendFile } from "node:fs/promises";
import { Collector } from "../support/binary.ts";
import { eventually } from "../support/eventually.ts";
import { HttpSink } from "../support/http-sink.ts";
import { metric, untilMetric } from "../support/metric.ts";
import { TempFolder } from "../support/temp-folder.ts";

// What ends a test that waits in vain are the deadlines of what it waits for.
setDefaultTimeout(60_000);

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);
const lines = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => `${from + i}\n`).join("");

/** A tail to one or more outputs, with quick retries. */
function config(path: string, outputs: string, more = ""): string {
  return `service: {flush: 0.02, scheduler.base: 1, scheduler.cap: 1, http_server: on, http_port: 0, grace: 60${more}}
pipeline:
  inputs:
    - {name: tail, path: ${path}, read_from_head: on, mem_buf_limit: 100k}
  outputs:
${outputs}
`;
}

const httpTo = ({ port }: HttpSink) =>
  `    - {name: http, match: '*', host: 127.0.0.1, port: ${port}, format: json_lines}`;

async function start(folder: TempFolder, text: string): Promise<Collector> {
  await Bun.write(folder.at("config.yaml"), text);
  return new Collector(["-c", folder.at("config.yaml")]);
}

const numbersOf = (records: readonly Record<string, unknown>[]) =>
  records.map(({ log }) => Number(log));

describe("a destination that is away for a while", () => {
  const LEAVING = {
    "answers 503": {
      leave: (sink: HttpSink) => void (sink.status = 503),
      back: (sink: HttpSink) => void (sink.status = 200),
    },
    "refuses connections": {
      leave: (sink: HttpSink) => sink.takeAway(),
      back: (sink: HttpSink) => sink.bringBack(),
    },
  };
  for (const [how, { leave, back }] of Object.entries(LEAVING)) {
    test(`and ${how} gets everything afterwards, in order and once`, async () => {
      using sink = new HttpSink();
      using folder = new TempFolder();
      const path = folder.at("app.log");
      await Bun.write(path, lines(0, 1000));
      await using collector = await start(folder, config(path, httpTo(sink)));
      await eventually(() => sink.records.length === 1000);
      await leave(sink);
      await appendFile(path, lines(1000, 2000));
      await collector.untilLog(/Cannot deliver \d+ records/);
      await appendFile(path, lines(2000, 3000));
      await back(sink);
      await eventually(() => sink.records.length >= 3000);
      await collector.untilLog(/Delivered again, at attempt \d/);
      expect(await collector.stop()).toBe(0);
      expect(numbersOf(sink.records)).toEqual(upTo(3000));
    });
  }

  test("does not hold up another one", async () => {
    using dead = new HttpSink();
    dead.status = 503;
    using alive = new HttpSink();
    using folder = new TempFolder();
    const path = folder.at("app.log");
    await Bun.write(path, "");
    await using collector = await start(folder, config(path, `${httpTo(dead)}\n${httpTo(alive)}`));
    await collector.untilLog("started");
    for (let i = 0; i < 10; i++) {
      await appendFile(path, lines(i * 100, (i + 1) * 100));
      await eventually(() => alive.records.length === (i + 1) * 100);
    }
    expect(dead.records).toEqual([]);
    dead.status = 200;
    await eventually(() => dead.records.length === 1000);
    expect(await collector.stop()).toBe(0);
    expect(numbersOf(dead.records)).toEqual(upTo(1000));
    expect(numbersOf(alive.records)).toEqual(upTo(1000));
  });
});

describe("mem_buf_limit", () => {
  test("pauses an input whose output is dead, and resumes it with nothing lost", async () => {
    using sink = new HttpSink();
    sink.status = 503;
    using folder = new TempFolder();
    const path = folder.at("app.log");
    await Bun.write(path, lines(0, 200_000));
    await using collector = await start(folder, config(path, httpTo(sink)));
    const url = await collector.url();
    await untilMetric(url, "input_ingestion_paused", { name: "tail.0" }, (value) => value === 1);
    const held = await metric(url, "input_pending_bytes", { name: "tail.0" });
    expect(held).toBeGreaterThanOrEqual(100_000);
    expect(held).toBeLessThan(400_000);
    expect(await metric(url, "input_records_total", { name: "tail.0" })).toBeLessThan(200_000);
    sink.status = 200;
    await eventually(() => sink.records.length >= 200_000, undefined, 20_000);
    await untilMetric(url, "input_ingestion_paused", { name: "tail.0" }, (value) => value === 0);
    expect(await collector.stop()).toBe(0);
    expect(numbersOf(sink.records)).toEqual(upTo(200_000));
  }, 30_000);
});

describe("what a destination refuses", () => {
  test("is dropped, counted by reason and said, and what follows is delivered", async () => {
    using sink = new HttpSink();
    sink.status = 400;
    using folder = new TempFolder();
    const path = folder.at("app.log");
    await Bun.write(path, lines(0, 7));
    await using collector = await start(folder, config(path, httpTo(sink)));
    const url = await collector.url();
    await untilMetric(
      url,
      "dropped_records_total",
      { kind: "output", name: "http.0", reason: "refused" },
      (value) => value === 7,
    );
    expect(await metric(url, "output_dropped_records_total", { name: "http.0" })).toBe(7);
    await collector.untilLog(/Dropped 7 records: .*400/);
    sink.status = 200;
    await appendFile(path, "7\n");
    await eventually(() => sink.records.length > 0);
    expect(numbersOf(sink.records)).toEqual([7]);
    expect(await collector.stop()).toBe(0);
  });

  test("with retry_limit is given up after that many attempts more", async () => {
    using sink = new HttpSink();
    sink.status = 503;
    using folder = new TempFolder();
    const path = folder.at("app.log");
    await Bun.write(path, lines(0, 3));
    const output = httpTo(sink).replace("}", ", retry_limit: no_retries}");
    await using collector = await start(folder, config(path, output));
    const url = await collector.url();
    await untilMetric(
      url,
      "dropped_records_total",
      { kind: "output", name: "http.0", reason: "retry_limit" },
      (value) => value === 3,
    );
    expect(sink.refused).toBe(1);
    expect(await metric(url, "output_retries_failed_total", { name: "http.0" })).toBe(1);
    expect(await collector.stop()).toBe(0);
  });
});
