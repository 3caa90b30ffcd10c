import { expect, setDefaultTimeout, test } from "bun:test";
import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { Collector } from "../support/binary.ts";
import { HttpSink } from "../support/http-sink.ts";
import { untilMetric } from "../support/metric.ts";
import { onSmallDisk } from "../support/small-disk.ts";
import { TempFolder } from "../support/temp-folder.ts";

// What ends a test that waits in vain are the deadlines of what it waits for.
setDefaultTimeout(60_000);

test("what a destination refuses is kept, shown, sent again to the byte, and dropped", async () => {
  using folder = new TempFolder();
  using sink = new HttpSink();
  const log = folder.at("app.log");
  const config = folder.at("config.yaml");
  const letters = folder.at("state/rejected");
  await Bun.write(
    config,
    `service: {flush: 0.02, http_server: on, http_port: 0, storage.path: ${folder.at("state")}}
pipeline:
  inputs:
    - {name: tail, path: ${log}, read_from_head: on}
  outputs:
    - {name: http, alias: shop, match: '*', host: 127.0.0.1, port: ${sink.port}, format: json_lines, json_date_key: off}
`,
  );
  const dlq = (...args: string[]) => Collector.run(["dlq", ...args]);

  const dry = await Collector.run(["-c", config, "--dry-run"]);
  expect([dry.status, existsSync(folder.at("state"))]).toEqual([0, false]);

  await using run = new Collector(["-c", config]);
  const url = await run.url();
  const none = await dlq("list", "-c", config);
  expect([none.status, none.stdout]).toEqual([0, `There are no dead letters in ${letters}\n`]);

  sink.status = 400;
  appendFileSync(log, "an order\nwith \x1b[31mcolour\n");
  await untilMetric(
    url,
    "output_dead_lettered_records_total",
    { name: "shop" },
    (value) => value === 2,
  );
  await untilMetric(url, "dropped_records_total", { kind: "output", name: "shop" }, Number.isNaN);
  const [file, ...others] = readdirSync(letters);
  expect(others).toEqual([]);
  const id = file!.replace(/\.dead$/, "");
  expect(id).toMatch(/^\d{8}T\d{6}\.\d{3}Z-0000-2-shop$/);
  expect(run.messages.join("\n")).toContain("shop: Kept 2 records as a dead letter");

  const list = await dlq("list", "-c", config);
  expect(list.lines[1]).toMatch(
    new RegExp(
      `^${id} {2}20\\d\\d-\\S+ \\S+ {2}shop {4}2 {8}\\d+ +refused +Cannot post .*status is 400$`,
    ),
  );
  expect(list.stdout).toContain("\n1 letter, 2 records, ");
  const json = await dlq("list", "--path", folder.at("state"), "--json", "--output", "shop");
  expect(JSON.parse(json.stdout)).toMatchObject({
    id,
    output: "shop",
    plugin: "http",
    records: 2,
    reason: "refused",
    attempts: 1,
  });

  const shown = await dlq("show", id, "--path", letters);
  expect(shown.stdout).toContain(`\noutput     shop\n`);
  expect(shown.stdout).toEndWith('\n\n{"log":"an order"}\n{"log":"with \\u001b[31mcolour"}\n');
  const raw = await dlq("show", id, "--raw", "--path", letters);
  expect(readFileSync(`${letters}/${file}`, "utf8").endsWith(`\n${raw.stdout}`)).toBe(true);

  const refused = await dlq("replay", "--all", "-c", config);
  expect([refused.status, refused.lines.at(-1)]).toEqual([
    1,
    "Delivered 0 records; left 1 letter with 2 records",
  ]);
  expect(refused.lines[0]).toMatch(
    new RegExp(`^Left ${id}, 2 records: refused again: Cannot post .*status is 400$`),
  );

  sink.status = 200;
  const replayed = await dlq("replay", id, "-c", config);
  expect([replayed.stderr, replayed.status, replayed.lines]).toEqual(["", 0, [
    `Delivered ${id}, 2 records, to shop`,
    "Delivered 2 records",
  ]]);
  expect(sink.bodies).toEqual([raw.stdout]);
  expect(readdirSync(letters)).toEqual(["replay.lock"]);
  const again = await dlq("replay", "--all", "-c", config);
  expect([again.status, again.stdout]).toEqual([0, `There is nothing to replay in ${letters}\n`]);

  sink.status = 413;
  appendFileSync(log, "too large\n");
  await untilMetric(
    url,
    "output_dead_lettered_records_total",
    { name: "shop" },
    (value) => value === 3,
  );
  const dropped = await dlq("drop", "--all", "-c", config);
  expect(dropped.status).toBe(0);
  expect(dropped.lines).toEqual([
    expect.stringMatching(/^Dropped \S+-0000-1-shop, 1 record of output shop$/),
    "Dropped 1 letter with 1 record",
  ]);
  expect(readdirSync(letters)).toEqual(["replay.lock"]);
  expect(await run.stop()).toBe(0);
  expect(run.log.filter(({ level, component }) => level === "error" && component !== "shop"))
    .toEqual([]);
});

test("letters of an earlier run are counted, and make room when there is no more", async () => {
  using folder = new TempFolder();
  using sink = new HttpSink();
  sink.status = 400;
  const log = folder.at("app.log");
  const config = folder.at("config.yaml");
  await Bun.write(
    config,
    `service:
  flush: 0.02
  http_server: on
  http_port: 0
  storage.path: ${folder.at("state")}
  storage.rejected.path: ${folder.at("letters")}
  storage.rejected.limit: 1700
pipeline:
  inputs:
    - {name: tail, path: ${log}}
  outputs:
    - {name: http, match: '*', host: 127.0.0.1, port: ${sink.port}, format: json_lines}
`,
  );
  appendFileSync(log, "");
  for (let i = 0; i < 4; i++) {
    await using run = new Collector(["-c", config]);
    const url = await run.url();
    const held = Math.min(i, 2);
    await untilMetric(url, "dead_letters_held", {}, (value) => value === held);
    appendFileSync(log, "x".repeat(300) + "\n");
    await untilMetric(url, "dead_letters_held", {}, (value) => value === Math.min(i + 1, 2));
    await untilMetric(
      url,
      "output_dead_lettered_records_total",
      { name: "http.0" },
      (value) => value === 1,
    );
    await untilMetric(
      url,
      "dead_letters_held_records",
      {},
      (value) => value === Math.min(i + 1, 2),
    );
    const removed = { reason: "dead_letter_limit" };
    await untilMetric(
      url,
      "dead_letters_removed_records_total",
      removed,
      (value) => value === (i < 2 ? 0 : 1),
    );
    expect(await run.stop()).toBe(0);
  }
  expect(readdirSync(folder.at("letters"))).toHaveLength(2);
});

test("fault 12: a full disk holds a letter back until there is room, and nothing is given up", async () => {
  await onSmallDisk("512k", async (disk) => {
    using sink = new HttpSink();
    sink.status = 400;
    await Bun.write(`${disk}/app.log`, "x".repeat(1000) + "\n");
    await Bun.write(
      `${disk}/config.yaml`,
      `service: {flush: 0.02, scheduler.base: 1, scheduler.cap: 1, storage.path: ${disk}/state}
pipeline:
  inputs:
    - {name: tail, path: ${disk}/app.log, read_from_head: on}
  outputs:
    - {name: http, match: '*', host: 127.0.0.1, port: ${sink.port}, format: json_lines}
`,
    );
    const filler = `${disk}/filler`;
    try {
      writeFileSync(filler, Buffer.alloc(600_000));
    } catch {
      // It is full now.
    }
    await using run = new Collector(["-c", `${disk}/config.yaml`]);
    await run.untilLog("cannot be kept as a dead letter: ENOSPC");
    expect(readdirSync(`${disk}/state/rejected`)).toEqual([]);
    rmSync(filler);
    await run.untilLog("Kept 1 record as a dead letter");
    expect(readdirSync(`${disk}/state/rejected`)).toHaveLength(1);
    expect(await run.stop()).toBe(0);
  });
});

test("without a folder that can be written nothing starts, with one clear line", async () => {
  using folder = new TempFolder();
  await Bun.write(folder.at("rejected"), "");
  const text = (service: string) =>
    `service: {${service}}
pipeline:
  inputs: [{name: dummy}]
  outputs: [{name: stdout, match: '*'}]
`;
  await Bun.write(folder.at("file.yaml"), text(`storage.path: ${folder.path}`));
  const run = await Collector.run(["-c", folder.at("file.yaml")]);
  expect([run.status, run.stderr]).toEqual([
    1,
    `Cannot keep dead letters in ${
      folder.at("rejected")
    }: it is a file, not a folder; name another with storage.rejected.path\n`,
  ]);
});
