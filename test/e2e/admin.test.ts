import { describe, expect, setDefaultTimeout, test } from "bun:test";
import manifest from "../../package.json" with { type: "json" };
import { Collector } from "../support/binary.ts";
import { parseExposition } from "../support/exposition.ts";
import { HttpSink } from "../support/http-sink.ts";
import { untilAnswer, untilMetric } from "../support/metric.ts";
import { TempFolder } from "../support/temp-folder.ts";

// What ends a test that waits in vain are the deadlines of what it waits for.
setDefaultTimeout(60_000);

const HTTP_SERVER = ["-H", "-P", "0"];

/** A running tail of one file with 3 lines, one of which the filter takes away. */
async function running(folder: TempFolder): Promise<{ collector: Collector; url: string }> {
  const path = folder.at("app.log");
  await Bun.write(path, "keep\nkeep\ndrop\n");
  const collector = new Collector([
    ...[
      ...HTTP_SERVER,
      "-f",
      "0.02",
      "-i",
      "tail",
      "-p",
      `path=${path}`,
      "-p",
      "read_from_head=on",
    ],
    ...["-F", "grep", "-m", "*", "-p", "exclude=log drop"],
    ...["-o", "stdout", "-p", "format=json_lines"],
  ]);
  await collector.untilRecords(2);
  return { collector, url: await collector.url() };
}

describe("http_server", () => {
  test("is not there unless it is asked for", async () => {
    await using collector = new Collector(["-i", "stdin", "-o", "null"], { interactive: true });
    await collector.untilLog("started");
    expect(await collector.stop()).toBe(0);
    expect(collector.stderr).not.toContain("HTTP server");
  });

  test("listens on loopback, and says where", async () => {
    await using collector = new Collector([...HTTP_SERVER, "-i", "dummy", "-o", "null"]);
    expect(new URL(await collector.url()).hostname).toBe("127.0.0.1");
  });

  test("answers with Fluent Bit's shapes", async () => {
    using folder = new TempFolder();
    const { collector, url } = await running(folder);
    await using _ = collector;
    const json = async (path: string) => await (await fetch(url + path)).json();
    expect(await json("/")).toMatchObject({ "fluent-bit": { version: manifest.version } });
    expect(await json("/api/v1/uptime")).toEqual({
      uptime_sec: expect.any(Number),
      uptime_hr: expect.stringMatching(
        /^\D+: \d+ days?, \d+ hours?, \d+ minutes? and \d+ seconds?$/,
      ),
    });
    expect(await json("/api/v1/metrics")).toMatchObject({
      input: { "tail.0": { records: 3, files_opened: 1 } },
      filter: { "grep.0": { records: 3, drop_records: 1, add_records: 0 } },
      output: { "stdout.0": { proc_records: 2, errors: 0, retries: 0, dropped_records: 0 } },
    });
    expect(await json("/api/v1/plugins")).toMatchObject({
      plugins: {
        inputs: expect.arrayContaining(["tail"]),
        outputs: expect.arrayContaining(["http"]),
      },
    });
    expect((await fetch(`${url}/nope`)).status).toBe(404);
    expect((await fetch(`${url}/api/v1/uptime`, { method: "POST" })).status).toBe(405);
    expect(await collector.stop()).toBe(0);
  });

  test("has metrics that a scraper can read, with Fluent Bit's names and more", async () => {
    using folder = new TempFolder();
    const { collector, url } = await running(folder);
    await using _ = collector;
    for (const path of ["/api/v1/metrics/prometheus", "/api/v2/metrics/prometheus"]) {
      const families = parseExposition(await (await fetch(url + path)).text());
      const value = (name: string, labels: Record<string, string>) =>
        families.get(name)?.samples.find((sample) => Bun.deepEquals(sample.labels, labels))?.value;
      expect(value("fluentbit_input_records_total", { name: "tail.0" })).toBe(3);
      expect(value("fluentbit_input_bytes_total", { name: "tail.0" })).toBe(15);
      expect(value("fluentbit_input_files_opened_total", { name: "tail.0" })).toBe(1);
      expect(value("fluentbit_filter_drop_records_total", { name: "grep.0" })).toBe(1);
      expect(value("fluentbit_output_proc_records_total", { name: "stdout.0" })).toBe(2);
      expect(value("process_resident_memory_bytes", {})).toBeGreaterThan(10e6);
      expect(value("process_cpu_seconds_total", {})).toBeGreaterThan(0);
      for (
        const name of [
          "fluentbit_uptime",
          "fluentbit_build_info",
          "fluentbit_process_start_time_seconds",
          "fluentbit_event_loop_delay_seconds",
          "fluentbit_logger_logs_total",
        ]
      ) expect([name, families.has(name)]).toEqual([name, true]);
    }
    expect(await collector.stop()).toBe(0);
  });

  test("tells for each file how much of it was not read yet", async () => {
    using folder = new TempFolder();
    const { collector, url } = await running(folder);
    await using _ = collector;
    const file = folder.at("app.log");
    await untilMetric(
      url,
      "input_file_lag_bytes",
      { name: "tail.0", file },
      (value) => value === 0,
    );
    expect(await collector.stop()).toBe(0);
  });
});

describe("health", () => {
  test("turns to an error while an output delivers nothing, and back", async () => {
    using sink = new HttpSink();
    sink.status = 503;
    using folder = new TempFolder();
    await Bun.write(
      folder.at("config.yaml"),
      `service: {flush: 0.02, scheduler.base: 1, scheduler.cap: 1, http_server: on, http_port: 0, health_check: on, hc_period: 1, hc_errors_count: 1000}
pipeline:
  inputs:
    - {name: stdin}
  outputs:
    - {name: http, alias: away, match: '*', host: 127.0.0.1, port: ${sink.port}, format: json_lines}
`,
    );
    await using collector = new Collector(["-c", folder.at("config.yaml")], { interactive: true });
    const url = await collector.url();
    const health = async () => {
      const [v1, v2] = [await fetch(`${url}/api/v1/health`), await fetch(`${url}/api/v2/health`)];
      const report = await v2.json() as { status: string; stalled: string[] };
      return { status: v1.status, text: await v1.text(), report };
    };
    const until = async (status: number) => {
      let last = await health();
      await untilAnswer(
        async () => (last = await health()).status === status,
        () => `health ${status}; it is ${JSON.stringify(last)}`,
      );
      return last;
    };
    expect(await health()).toMatchObject({ status: 200, text: "ok\n", report: { stalled: [] } });
    collector.type('{"n":1}\n');
    expect(await until(500)).toMatchObject({
      text: "error\n",
      report: { status: "error", stalled: ["away"], period_limit: 1, error_limit: 1000 },
    });
    sink.status = 200;
    expect(await until(200)).toMatchObject({ text: "ok\n", report: { status: "ok", stalled: [] } });
    expect(sink.records).toMatchObject([{ n: 1 }]);
    expect(await collector.stop()).toBe(0);
  });
});
