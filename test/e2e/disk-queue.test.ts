import { describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  appendFileSync,
  existsSync,
  openSync,
  readdirSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { Collector } from "../support/binary.ts";
import { CountingSink } from "../support/counting-sink.ts";
import { eventually } from "../support/eventually.ts";
import { metric, untilMetric } from "../support/metric.ts";
import { onSmallDisk } from "../support/small-disk.ts";
import { TempFolder } from "../support/temp-folder.ts";

// What ends a test that waits in vain are the deadlines of what it waits for.
setDefaultTimeout(60_000);

const lines = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => `${from + i}\n`).join("");

interface Setup {
  readonly folder: string;
  readonly state?: string;
  readonly ports: readonly number[];
  readonly service?: string;
  readonly output?: string;
  readonly input?: string;
}

/** A tail whose records wait on disk, to HTTP destinations `out0`, `out1` … */
function configure({ folder, state, ports, service = "", output = "", input = "" }: Setup): string {
  const path = `${folder}/config.yaml`;
  const outputs = ports.map((port, i) =>
    `    - {name: http, alias: out${i}, match: '*', host: 127.0.0.1, port: ${port}, format: json_lines${output}}`
  );
  writeFileSync(
    path,
    `service: {flush: 0.05, grace: 1, scheduler.base: 0.1, scheduler.cap: 0.2, http_server: on, http_port: 0, storage.path: ${
      state ?? `${folder}/state`
    }${service}}
pipeline:
  inputs:
    - {name: tail, alias: app, path: ${folder}/app.log, read_from_head: on, storage.type: filesystem${input}}
  outputs:
${outputs.join("\n")}
`,
  );
  return path;
}

const book = (url: string, kind: string, name: string, entry: string) =>
  metric(url, "books_records", { kind, name, entry });

/** Nothing listens there. */
const NOBODY = 1;

describe("a disk queue", () => {
  test("keeps what cannot be delivered over a stop, and delivers it at the next start", async () => {
    using folder = new TempFolder();
    using sink = new CountingSink();
    sink.mode = "refuses";
    const config = configure({ folder: folder.path, ports: [sink.port] });
    writeFileSync(folder.at("app.log"), lines(0, 50_000));
    const first = new Collector(["-c", config]);
    await untilMetric(
      await first.url(),
      "output_queue_records",
      { name: "out0" },
      (n) => n === 50_000,
    );
    expect(await first.stop()).toBe(0);
    expect(first.messages).toContain("engine: Kept 50000 records for out0 on disk");
    sink.mode = "takes";
    await using second = new Collector(["-c", config]);
    const url = await second.url();
    await eventually(() => sink.counts.size === 50_000);
    expect(second.stderr).toContain("Found what an earlier run left");
    await untilMetric(
      url,
      "books_records",
      { kind: "output", name: "out0", entry: "held" },
      (n) => n === 0,
    );
    expect(await book(url, "output", "out0", "recovered")).toBe(50_000);
    expect(await book(url, "output", "out0", "delivered")).toBe(50_000);
    expect(await book(url, "input", "app", "in")).toBe(0);
    expect(await second.stop()).toBe(0);
    expect(sink.repeated).toBe(0);
    expect(sink.order).toEqual(Array.from({ length: 50_000 }, (_, i) => i));
  });

  test("gives its space back once everything is delivered", async () => {
    using folder = new TempFolder();
    using sink = new CountingSink();
    const config = configure({ folder: folder.path, ports: [sink.port] });
    writeFileSync(folder.at("app.log"), lines(0, 20_000));
    await using collector = new Collector(["-c", config]);
    await eventually(() => sink.counts.size === 20_000);
    expect(await collector.stop()).toBe(0);
    const [queue] = readdirSync(folder.at("state/queues"));
    expect(readdirSync(folder.at(`state/queues/${queue}`)).sort()).toEqual([
      "cursor",
      "queue.json",
    ]);
  });

  test("fault 49: one of two destinations is dead: the other is never more than two seconds behind", async () => {
    using folder = new TempFolder();
    using alive = new CountingSink();
    const config = configure({
      folder: folder.path,
      ports: [NOBODY, alive.port],
      output: ", storage.total_limit_size: 2M, storage.full_policy: drop_oldest",
    });
    writeFileSync(folder.at("app.log"), "");
    await using collector = new Collector(["-c", config]);
    const url = await collector.url();
    let slowestMs = 0;
    let written = 0;
    for (let i = 0; i < 30; i++) {
      appendFileSync(folder.at("app.log"), lines(written, written += 5000));
      const startMs = performance.now();
      await eventually(() => alive.counts.size === written);
      slowestMs = Math.max(slowestMs, performance.now() - startMs);
    }
    expect(slowestMs).toBeLessThan(2000);
    const dropped = await metric(url, "dropped_records_total", {
      kind: "output",
      name: "out0",
      reason: "queue_full_oldest",
    });
    expect(dropped).toBeGreaterThan(0);
    expect(await metric(url, "output_queue_records", { name: "out0" })).toBe(written - dropped);
    expect(await metric(url, "output_queue_bytes", { name: "out0" })).toBeLessThan(2_300_000);
    expect(await metric(url, "output_dropped_records_total", { name: "out1" })).toBe(0);
    expect(await collector.stop()).toBe(0);
  });

  test(
    "fault 15: at its limit with block makes the input wait, and goes on when there is room",
    async () => {
      using folder = new TempFolder();
      using sink = new CountingSink();
      sink.mode = "refuses";
      const config = configure({
        folder: folder.path,
        ports: [sink.port],
        output: ", storage.total_limit_size: 1M",
      });
      writeFileSync(folder.at("app.log"), lines(0, 300_000));
      await using collector = new Collector(["-c", config]);
      const url = await collector.url();
      await untilMetric(url, "input_ingestion_paused", { name: "app" }, (n) => n === 1);
      const [queue] = readdirSync(folder.at("state/queues"));
      const used = () =>
        readdirSync(folder.at(`state/queues/${queue}`)).reduce(
          (sum, name) => sum + statSync(folder.at(`state/queues/${queue}/${name}`)).size,
          0,
        );
      // The limit, and what was gathered when it was reached.
      expect(used()).toBeLessThan(1_600_000);
      sink.mode = "takes";
      await eventually(() => sink.counts.size === 300_000, undefined, 30_000);
      expect(sink.repeated).toBe(0);
      expect(await collector.stop()).toBe(0);
    },
    60_000,
  );

  test("fault 11: of a second collector with the same folder is refused to it, and the first goes on", async () => {
    using folder = new TempFolder();
    using sink = new CountingSink();
    const config = configure({ folder: folder.path, ports: [sink.port] });
    writeFileSync(folder.at("app.log"), lines(0, 10));
    await using first = new Collector(["-c", config]);
    await eventually(() => sink.counts.size === 10);
    const second = await Collector.run(["-c", config]);
    expect(second.status).toBe(1);
    expect(second.stderr).toBe(
      `Cannot use storage.path ${folder.at("state")}: ${
        folder.at("state/lock")
      } is in use by process ` +
        `${first.pid}: only one collector may work with it\n`,
    );
    appendFileSync(folder.at("app.log"), lines(10, 20));
    await eventually(() => sink.counts.size === 20);
    expect(await first.stop()).toBe(0);
  });

  test("fault 10: with a foreign file in its folder is refused with its place in the configuration", async () => {
    using folder = new TempFolder();
    using sink = new CountingSink();
    const config = configure({ folder: folder.path, ports: [sink.port] });
    writeFileSync(folder.at("app.log"), lines(0, 10));
    const first = new Collector(["-c", config]);
    await eventually(() => sink.counts.size === 10);
    await first.stop();
    const [queue] = readdirSync(folder.at("state/queues"));
    writeFileSync(folder.at(`state/queues/${queue}/notes.txt`), "");
    const { status, stderr } = await Collector.run(["-c", config]);
    expect(status).toBe(2);
    expect(stderr).toMatch(
      /config\.yaml:6:\d+: output "http": .*notes\.txt does not belong to a queue/,
    );
    expect(existsSync(folder.at(`state/queues/${queue}/notes.txt`))).toBe(true);
  });

  test(
    "fault 57: SIGTERM with a full queue and a dead destination ends within grace, and keeps everything",
    async () => {
      using folder = new TempFolder();
      using sink = new CountingSink();
      sink.mode = "hangs";
      const config = configure({
        folder: folder.path,
        ports: [sink.port],
        output: ", storage.total_limit_size: 1M",
      });
      writeFileSync(folder.at("app.log"), lines(0, 200_000));
      const first = new Collector(["-c", config]);
      await untilMetric(
        await first.url(),
        "input_ingestion_paused",
        { name: "app" },
        (n) => n === 1,
      );
      const startMs = performance.now();
      expect(await first.stop()).toBe(0);
      expect(performance.now() - startMs).toBeLessThan(3000);
      sink.mode = "takes";
      await using second = new Collector(["-c", config]);
      await eventually(() => sink.counts.size === 200_000, undefined, 30_000);
      expect(sink.missing(200_000)).toEqual([]);
      expect(sink.repeated).toBe(0);
      expect(await second.stop()).toBe(0);
    },
    60_000,
  );
});

describe("a disk that is full", () => {
  test(
    "fault 12: makes inputs wait, lets the destination have what it can take, and is used again when there is room",
    async () => {
      await onSmallDisk("3m", async (disk) => {
        using folder = new TempFolder();
        using sink = new CountingSink();
        sink.mode = "refuses";
        const config = configure({
          folder: folder.path,
          state: `${disk}/state`,
          ports: [sink.port],
        });
        writeFileSync(folder.at("app.log"), lines(0, 400_000));
        await using collector = new Collector(["-c", config]);
        const url = await collector.url();
        await collector.untilLog(/Cannot write to the queue in .*ENOSPC/);
        await untilMetric(url, "input_ingestion_paused", { name: "app" }, (n) => n === 1);
        // What is read once more after a kill must not have been taken for safe.
        collector.signal("SIGKILL");
        await collector.exit();
        await using second = new Collector(["-c", config]);
        await second.untilLog("started");
        sink.mode = "takes";
        await eventually(() => sink.counts.size === 400_000, () => `${sink.counts.size}`, 40_000);
        expect(sink.missing(400_000)).toEqual([]);
        expect(await second.stop()).toBe(0);
      });
    },
    90_000,
  );

  test("fault 12: does not stop what goes to a destination that is there", async () => {
    await onSmallDisk("20m", async (disk) => {
      using folder = new TempFolder();
      using sink = new CountingSink();
      const ballast = openSync(`${disk}/ballast`, "w");
      const config = configure({ folder: folder.path, state: `${disk}/state`, ports: [sink.port] });
      writeFileSync(folder.at("app.log"), lines(0, 1000));
      await using collector = new Collector(["-c", config]);
      await eventually(() => sink.counts.size === 1000);
      fill(ballast);
      appendFileSync(folder.at("app.log"), lines(1000, 100_000));
      await eventually(
        () => sink.counts.size === 100_000,
        () => `${sink.counts.size}\n${collector.stderr}`,
        30_000,
      );
      expect(await collector.stop()).toBe(0);
      expect(sink.repeated).toBe(0);
      expect(collector.stderr).toContain("Cannot save positions");
    });
  }, 60_000);
});

function fill(fd: number): void {
  try {
    for (const block = Buffer.alloc(4096);;) writeSync(fd, block);
  } catch {
    // It is full now.
  }
}
