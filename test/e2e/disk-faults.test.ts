import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { appendFileSync, writeFileSync } from "node:fs";
import { Collector } from "../support/binary.ts";
import { CountingSink } from "../support/counting-sink.ts";
import { eventually } from "../support/eventually.ts";
import { FailingDisk, makeReadOnly, noFailingDisk } from "../support/failing-disk.ts";
import { metric, untilMetric } from "../support/metric.ts";
import { TempFolder } from "../support/temp-folder.ts";

// What ends a test that waits in vain are the deadlines of what it waits for.
setDefaultTimeout(60_000);

const missing = noFailingDisk();
if (missing !== undefined) console.log(`Not tested: disks that fail, as ${missing}`);

/** A collector with its state on a disk that can fail, and a destination that refuses everything at first. */
class Setup implements AsyncDisposable {
  readonly disk = FailingDisk.make();
  readonly sink = new CountingSink();
  collector: Collector;
  private readonly folder = new TempFolder();
  private written = 0;

  constructor() {
    this.sink.mode = "refuses";
    const { folder, sink, disk } = this;
    writeFileSync(folder.at("app.log"), "");
    const service = {
      flush: 0.05,
      grace: 1,
      "scheduler.base": 0.1,
      "scheduler.cap": 0.2,
      http_server: "on",
      http_port: 0,
      "storage.path": `${disk.path}/state`,
    };
    const input = {
      name: "tail",
      alias: "app",
      path: folder.at("app.log"),
      read_from_head: true,
      // Not on that disk: what is saved there wrongly does not go with it.
      db: folder.at("app.db"),
      "storage.type": "filesystem",
    };
    const output = {
      name: "http",
      alias: "out",
      match: "*",
      host: "127.0.0.1",
      port: sink.port,
      format: "json_lines",
      // Makes segments of 2 MB.
      "storage.total_limit_size": "32M",
    };
    const config = { service, pipeline: { inputs: [input], outputs: [output] } };
    writeFileSync(folder.at("config.yaml"), JSON.stringify(config));
    this.collector = this.start();
  }

  /** Lines with the next numbers; returns how many there are by now. */
  write(count: number): number {
    let text = "";
    for (let i = 0; i < count; i++) text += `${this.written++}\n`;
    appendFileSync(this.folder.at("app.log"), text);
    return this.written;
  }

  async untilQueued(count: number): Promise<void> {
    const url = await this.collector.url();
    await untilMetric(url, "output_queue_records", { name: "out" }, (n) => n === count);
  }

  async untilPaused(paused: boolean): Promise<void> {
    const url = await this.collector.url();
    await untilMetric(url, "input_ingestion_paused", { name: "app" }, (n) => n === Number(paused));
  }

  async diskErrors(): Promise<number> {
    const labels = { name: "out" };
    return await metric(await this.collector.url(), "output_queue_disk_errors_total", labels);
  }

  async kill(): Promise<void> {
    this.collector.signal("SIGKILL");
    await this.collector.exit();
  }

  /** Every line came, once and in order, and the collector ends with its books in balance. */
  async expectAll(): Promise<void> {
    const { sink, written } = this;
    sink.mode = "takes";
    await eventually(
      () => sink.counts.size === written,
      () => `${sink.counts.size} of ${written}\n${this.collector.stderr}`,
      30_000,
    );
    expect(await this.collector.stop()).toBe(0);
    expect(sink.missing(written)).toEqual([]);
    expect(sink.repeated).toBe(0);
    expect(sink.order).toEqual(Array.from({ length: written }, (_, i) => i));
  }

  startAgain(): void {
    this.collector = this.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.collector[Symbol.asyncDispose]();
    this.sink[Symbol.dispose]();
    this.disk[Symbol.dispose]();
    this.folder[Symbol.dispose]();
  }

  private start(): Collector {
    return new Collector(["-c", this.folder.at("config.yaml")]);
  }
}

const LOST = /Cannot make sure of what was written to the queue in .*EIO/;

describe.skipIf(missing !== undefined)("fault 14: a disk that fails in a sync", () => {
  test("has lost what was written: it is read again after a kill", async () => {
    await using setup = new Setup();
    await setup.untilQueued(setup.write(5000));
    setup.disk.fail();
    // The system takes it, and tells only who asks that it is not on the disk.
    await setup.untilQueued(setup.write(5000));
    await setup.collector.untilLog(LOST);
    // It has tried once more in vain: by now it would have saved what it takes for safe.
    const labels = { name: "out" };
    const url = await setup.collector.url();
    await untilMetric(url, "output_queue_disk_errors_total", labels, (n) => n >= 2);
    await setup.kill();
    setup.disk.heal();
    setup.disk.remount();
    setup.startAgain();
    await setup.expectAll();
  });

  test("gets it once more when it works again, and then keeps it", async () => {
    await using setup = new Setup();
    await setup.untilQueued(setup.write(5000));
    setup.disk.fail();
    await setup.untilQueued(setup.write(5000));
    await setup.collector.untilLog(LOST);
    const url = await setup.collector.url();
    expect(await metric(url, "input_pending_bytes", { name: "app" })).toBeGreaterThan(0);
    setup.disk.heal();
    // What was read is safe once it is on the disk, and not before.
    await untilMetric(url, "input_pending_bytes", { name: "app" }, (bytes) => bytes === 0);
    await setup.kill();
    setup.disk.remount();
    setup.startAgain();
    const labels = { kind: "output", name: "out", entry: "recovered" };
    await untilMetric(await setup.collector.url(), "books_records", labels, (n) => n === 10_000);
    await setup.expectAll();
  });

  test("makes the input wait, and does not keep from the destination what it can take", async () => {
    await using setup = new Setup();
    await setup.untilQueued(setup.write(100));
    setup.disk.fail();
    setup.write(400_000);
    await setup.collector.untilLog(LOST);
    await setup.untilPaused(true);
    setup.sink.mode = "takes";
    await eventually(() => setup.sink.counts.size === 400_100, undefined, 30_000);
    setup.disk.heal();
    setup.write(1000);
    await setup.expectAll();
  });
});

describe.skipIf(missing !== undefined)("fault 14: a file system that becomes read-only", () => {
  test("makes the input wait, and is used again when it can be written to", async () => {
    await using setup = new Setup();
    await setup.untilQueued(setup.write(5000));
    {
      using _ = makeReadOnly(setup.disk.path);
      setup.write(400_000);
      await setup.collector.untilLog(/queue in .*EROFS/);
      await setup.untilPaused(true);
      expect(await setup.diskErrors()).toBeGreaterThan(0);
    }
    await setup.untilQueued(405_000);
    await setup.untilPaused(false);
    await setup.kill();
    setup.startAgain();
    await setup.expectAll();
  });

  test("because it is broken costs nothing, whether it is repaired after a kill", async () => {
    await using setup = new Setup();
    await setup.untilQueued(setup.write(5000));
    setup.disk.breakDown();
    setup.write(400_000);
    await setup.collector.untilLog(/queue in .*EROFS/);
    await setup.untilPaused(true);
    await setup.kill();
    setup.disk.remount();
    setup.startAgain();
    await setup.expectAll();
  });

  test("because it is broken costs nothing, or everything goes out without it", async () => {
    await using setup = new Setup();
    await setup.untilQueued(setup.write(5000));
    setup.disk.breakDown();
    setup.write(400_000);
    await setup.collector.untilLog(/queue in .*EROFS/);
    await setup.untilPaused(true);
    await setup.expectAll();
  });
});
