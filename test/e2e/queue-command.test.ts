import { expect, setDefaultTimeout, test } from "bun:test";
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { Collector } from "../support/binary.ts";
import { HttpSink } from "../support/http-sink.ts";
import { metric, untilMetric } from "../support/metric.ts";
import { TempFolder } from "../support/temp-folder.ts";

// What ends a test that waits in vain are the deadlines of what it waits for.
setDefaultTimeout(60_000);

const LINES = 2000;

test("queues are inspected and verified while the collector works and when it does not, and orphans are told of", async () => {
  using folder = new TempFolder();
  using sink = new HttpSink();
  sink.status = 503;
  const log = folder.at("app.log");
  const config = folder.at("config.yaml");
  const configure = (alias: string) =>
    writeFileSync(
      config,
      `service: {flush: 0.02, http_server: on, http_port: 0, grace: 1, storage.path: ${
        folder.at("state")
      }}
pipeline:
  inputs:
    - {name: tail, path: ${log}, read_from_head: on, storage.type: filesystem}
  outputs:
    - {name: http, alias: ${alias}, match: '*', host: 127.0.0.1, port: ${sink.port}, format: json_lines}
`,
    );
  const queue = (...args: string[]) => Collector.run(["queue", ...args]);
  const inspect = async () =>
    (await queue("inspect", "-c", config, "--json", "--streams")).lines.map((line) =>
      JSON.parse(line)
    );
  configure("shop");
  writeFileSync(log, "a line of the log\n".repeat(LINES));

  await using run = new Collector(["-c", config]);
  const url = await run.url();
  const waiting = { name: "shop" };
  await untilMetric(url, "output_queue_records", waiting, (value) => value === LINES);
  expect(await metric(url, "storage_orphaned_queues", {})).toBe(0);
  const [working, ...others] = await inspect();
  expect(others).toEqual([]);
  expect(working).toMatchObject({ output: "shop", plugin: "http", taken_by: "shop" });
  const meanwhile = await queue("verify", "-c", config);
  expect([meanwhile.status, meanwhile.stderr]).toEqual([0, ""]);
  expect(meanwhile.lines.at(-1)).toBe("1 queue, 0 damaged places, 0 records missing");
  expect(await run.stop()).toBe(0);

  const [stopped] = await inspect();
  expect(stopped).toMatchObject({
    waiting_records: LINES,
    done_records: 0,
    taken_by: "shop",
    streams: [{ input: "tail.0", stream: expect.any(String), position: expect.any(String) }],
  });
  const verified = await queue("verify", "--path", folder.at("state"));
  expect([verified.status, verified.stdout]).toEqual([
    0,
    expect.stringContaining(`${LINES} records`),
  ]);

  // The output has another name now.
  configure("store");
  sink.status = 200;
  await using renamed = new Collector(["-c", config]);
  expect(await metric(await renamed.url(), "storage_orphaned_queues", {})).toBe(1);
  const warnings = renamed.log.filter(({ level }) => level === "warn");
  expect(warnings).toMatchObject([{
    message:
      `The queue of output "shop" in ${stopped.folder} is not sent: no output of the configuration takes it. Its ${LINES} records are kept; see "logcollector queue inspect"`,
    records: LINES,
  }]);
  expect((await inspect()).map(({ output, taken_by }) => [output, taken_by])).toEqual([
    ["shop", null],
    ["store", "store"],
  ]);
  appendFileSync(log, "one more\n");
  await renamed.until(() => sink.records.length === 1, "the new line");
  expect(await renamed.stop()).toBe(0);

  const [segment] = readdirSync(stopped.folder).filter((name) => name.endsWith(".seg"));
  const path = `${stopped.folder}/${segment}`;
  const bytes = readFileSync(path);
  bytes[bytes.length - 100]! ^= 1;
  writeFileSync(path, bytes);
  const damaged = await queue("verify", "--path", stopped.folder);
  expect(damaged.status).toBe(1);
  expect(damaged.stdout).toMatch(
    / {2}damaged {3}\d+\.seg, bytes \d+ to \d+: \d+ records missing\n/,
  );
  writeFileSync(`${stopped.folder}/notes.txt`, "");
  const refused = await queue("verify", "--path", stopped.folder);
  expect([refused.status, refused.stderr]).toEqual([
    2,
    expect.stringMatching(
      /^Cannot use the queue in .* does not belong to a queue. Nothing was changed there\n$/,
    ),
  ]);

  // The old name again: what was kept and is not damaged is sent.
  writeFileSync(
    path,
    Buffer.from(bytes.map((byte, i) => i === bytes.length - 100 ? byte ^ 1 : byte)),
  );
  await Bun.file(`${stopped.folder}/notes.txt`).delete();
  configure("shop");
  await using back = new Collector(["-c", config]);
  await back.until(() => sink.records.length === LINES + 1, "what had waited");
  expect(await back.stop()).toBe(0);
});
