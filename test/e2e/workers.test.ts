import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { appendFileSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { Collector } from "../support/binary.ts";
import { eventually } from "../support/eventually.ts";
import { HttpSink } from "../support/http-sink.ts";
import { metric, untilAnswer, untilMetric } from "../support/metric.ts";
import { parseExposition } from "../support/exposition.ts";
import { Random } from "../support/random.ts";
import { TempFolder } from "../support/temp-folder.ts";

// What ends a test that waits in vain are the deadlines of what it waits for.
setDefaultTimeout(60_000);

const SEED = Number(process.env.SEED ?? 20_261_201);
const KILLS = Number(process.env.KILLS ?? 12);

type Body = Readonly<Record<string, unknown>>;

/** Several files, a collector with several threads, and what came of each file. */
class Setup implements Disposable {
  readonly folder = new TempFolder();
  readonly sink = new HttpSink();

  constructor() {
    mkdirSync(this.at("logs"));
  }

  at(name: string): string {
    return this.folder.at(name);
  }

  configure(workers: number, input: Body = {}, more: Body = {}, service: Body = {}): string {
    const config = {
      service: {
        flush: 0.05,
        grace: 3,
        "scheduler.base": 0.1,
        "scheduler.cap": 0.2,
        ...service,
        workers,
      },
      ...more,
      pipeline: {
        inputs: [{
          name: "tail",
          alias: "app",
          path: this.at("logs/*.log"),
          db: this.at("app.db"),
          read_from_head: true,
          rotate_wait: 60,
          ...input,
        }],
        filters: more.filters ?? [],
        outputs: [{
          name: "http",
          alias: "out",
          match: "*",
          host: "127.0.0.1",
          port: this.sink.port,
          format: "json_lines",
        }],
      },
    };
    const path = this.at("config.yaml");
    const { filters: _, ...whole } = config as Record<string, unknown>;
    writeFileSync(path, JSON.stringify(whole));
    return path;
  }

  /** Numbers that came, by file, in the order in which they came first. */
  numbers(): Map<string, number[]> {
    const files = new Map<string, Set<number>>();
    for (const { log } of this.sink.records) {
      const [file, number] = String(log).split(" ");
      const numbers = files.get(file!) ?? new Set<number>();
      files.set(file!, numbers.add(Number(number)));
    }
    return new Map([...files].map(([file, numbers]) => [file, [...numbers]]));
  }

  [Symbol.dispose](): void {
    this.sink[Symbol.dispose]();
    this.folder[Symbol.dispose]();
  }
}

/** Writes numbered lines to several files all the time, and renames them now and then. */
class Writers {
  readonly next: number[];
  private readonly setup: Setup;
  private readonly random: Random;
  private generation = 0;
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(setup: Setup, files: number, random: Random) {
    this.setup = setup;
    this.random = random;
    this.next = new Array<number>(files).fill(0);
    for (let file = 0; file < files; file++) this.write(file);
  }

  get total(): number {
    return this.next.reduce((sum, count) => sum + count, 0);
  }

  start(): void {
    this.timer = setInterval(() => {
      for (let file = 0; file < this.next.length; file++) this.turn(file);
    }, 5);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** All that was written came, in its order. */
  expectAll(): void {
    const expected = this.next.map((count, file) =>
      [`file${file}`, Array.from({ length: count }, (_, i) => i)] as const
    );
    const came = this.setup.numbers();
    expect(new Map([...came].sort())).toEqual(new Map(expected));
  }

  private pathOf(file: number): string {
    return this.setup.at(`logs/app-${file}.log`);
  }

  private turn(file: number): void {
    if (this.random.below(100) === 0) {
      renameSync(this.pathOf(file), `${this.pathOf(file)}.${++this.generation}`);
    }
    this.write(file);
  }

  private write(file: number): void {
    let text = "";
    for (let i = this.random.below(40); i >= 0; i--) text += `file${file} ${this.next[file]!++}\n`;
    appendFileSync(this.pathOf(file), text);
  }
}

function linesOf(file: string, count: number): string {
  return Array.from({ length: count }, (_, i) => `${file} ${i}\n`).join("");
}

describe("service.workers", () => {
  for (const [workers, names] of [[2, "*.log"], [3, "*.log"], [2, "*"], [3, "*"]] as const) {
    test(
      `${workers}: every line of files ${names} that are rotated comes once, in order`,
      async () => {
        using setup = new Setup();
        const writers = new Writers(setup, 5, new Random(SEED));
        const path = setup.at(`logs/${names}`);
        await using collector = new Collector(["-c", setup.configure(workers, { path })]);
        // What was renamed before anybody saw it is nobody's.
        await eventually(() => setup.numbers().size === 5);
        writers.start();
        await eventually(() => writers.total > 50_000, undefined, 30_000);
        writers.stop();
        await eventually(() => setup.sink.records.length >= writers.total, undefined, 30_000);
        expect(await collector.stop()).toBe(0);
        writers.expectAll();
        expect(setup.sink.records.length).toBe(writers.total);
        expect(collector.log.filter(({ level }) => level === "error")).toEqual([]);
      },
      90_000,
    );
  }

  test("exit_on_eof ends it when all threads have read everything", async () => {
    using setup = new Setup();
    for (let file = 0; file < 7; file++) {
      writeFileSync(setup.at(`logs/${file}.log`), linesOf(`file${file}`, 1000 * (file + 1)));
    }
    const config = setup.configure(3, { exit_on_eof: true });
    await using collector = await Collector.run(["-c", config]);
    expect(collector.status).toBe(0);
    const counts = [...setup.numbers()].map(([file, numbers]) => [file, numbers.length]);
    expect(counts.sort()).toEqual(
      Array.from({ length: 7 }, (_, file) => [`file${file}`, 1000 * (file + 1)]),
    );
    await using again = await Collector.run(["-c", config]);
    expect(again.status).toBe(0);
    expect(setup.sink.records.length).toBe(28_000);
  });

  test("an input that ends runs once, and ends all threads", async () => {
    using setup = new Setup();
    writeFileSync(setup.at("logs/a.log"), linesOf("a", 10));
    await using collector = await Collector.run(["-c", setup.configure(2), "-i", "stdin"]);
    expect(collector.status).toBe(0);
  });

  test("a pattern without files is said once, and ends with exit_on_eof", async () => {
    using setup = new Setup();
    await using collector = await Collector.run([
      "-c",
      setup.configure(3, { exit_on_eof: true }),
    ]);
    expect(collector.status).toBe(0);
    expect(collector.messages.filter((message) => /No file matches/.test(message)).length).toBe(1);
  });

  for (const storage of ["memory", "filesystem"] as const) {
    test(
      `kill -9 and another number of workers, seed ${SEED}: with ${storage} nothing is lost, the order stays`,
      async () => {
        using setup = new Setup();
        const configure = (workers: number) =>
          setup.configure(workers, { "storage.type": storage }, {}, {
            "storage.path": setup.at("state"),
          });
        const random = new Random(SEED + 1);
        const writers = new Writers(setup, 5, random);
        {
          await using first = new Collector(["-c", configure(1)]);
          await eventually(() => setup.numbers().size === 5);
          await first.stop();
        }
        writers.start();
        for (let i = 0; i < KILLS; i++) {
          const collector = new Collector(["-c", configure(random.pick([1, 2, 3, 4]))]);
          await collector.untilLog(" started");
          await Bun.sleep(random.below(300));
          collector.signal("SIGKILL");
          await collector.exit();
        }
        writers.stop();
        await using last = new Collector(["-c", configure(2)]);
        const came = () =>
          [...setup.numbers().values()].reduce((sum, { length }) => sum + length, 0);
        await eventually(
          () => came() >= writers.total,
          () => `${came()} of ${writers.total}`,
          30_000,
        );
        expect(await last.stop()).toBe(0);
        writers.expectAll();
      },
      120_000,
    );
  }

  test("an orderly stop and another number of workers: nothing comes twice", async () => {
    using setup = new Setup();
    const random = new Random(SEED + 2);
    const writers = new Writers(setup, 4, random);
    for (const workers of [2, 1, 3, 2]) {
      await using collector = new Collector(["-c", setup.configure(workers)]);
      await eventually(() => setup.numbers().size === 4);
      writers.start();
      const goal = writers.total + 5000;
      await eventually(() => setup.sink.records.length > goal, undefined, 30_000);
      // What is renamed twice while nobody looks is found, too, but that is another test's.
      writers.stop();
      expect(await collector.stop()).toBe(0);
    }
    await using last = new Collector(["-c", setup.configure(3)]);
    await last.untilLog(" started");
    await eventually(() => setup.sink.records.length >= writers.total, undefined, 30_000);
    expect(await last.stop()).toBe(0);
    writers.expectAll();
    expect(setup.sink.records.length).toBe(writers.total);
  }, 120_000);

  test("metrics are those of all threads together", async () => {
    using setup = new Setup();
    for (let file = 0; file < 6; file++) {
      writeFileSync(setup.at(`logs/${file}.log`), linesOf(`file${file}`, 100));
    }
    await using collector = new Collector([
      ...["-H", "-P", "0"],
      ...["-c", setup.configure(3, {}, {}, { health_check: true })],
    ]);
    const url = await collector.url();
    await untilMetric(url, "output_proc_records_total", { name: "out" }, (value) => value === 600);
    expect(await metric(url, "input_records_total", { name: "app" })).toBe(600);
    expect(await metric(url, "input_files_opened_total", { name: "app" })).toBe(6);
    const delivered = { kind: "input", name: "app", entry: "delivered" };
    expect(await metric(url, "books_records", delivered)).toBe(600);
    const families = parseExposition(await (await fetch(`${url}/api/v2/metrics`)).text());
    for (const name of ["process_cpu_seconds_total", "fluentbit_uptime"]) {
      expect(families.get(name)?.samples.length).toBe(1);
    }
    const json = await (await fetch(`${url}/api/v1/metrics`)).json();
    expect(json).toMatchObject({
      input: { app: { records: 600, files_opened: 6 } },
      output: { out: { proc_records: 600, errors: 0 } },
    });
    expect(await (await fetch(`${url}/api/v2/health`)).json()).toMatchObject({ status: "ok" });
    expect(await collector.stop()).toBe(0);
  });

  test("an output that does not get on in any thread is not healthy", async () => {
    using setup = new Setup();
    await setup.sink.takeAway();
    for (let file = 0; file < 2; file++) {
      writeFileSync(setup.at(`logs/${file}.log`), linesOf(`file${file}`, 10));
    }
    const service = { health_check: true, hc_period: 0.5, grace: 0.2 };
    await using collector = new Collector([
      ...["-H", "-P", "0"],
      ...["-c", setup.configure(2, {}, {}, service)],
    ]);
    const url = await collector.url();
    await untilMetric(url, "output_queue_records", { name: "out" }, (value) => value === 20);
    await untilAnswer(async () => {
      const report = await (await fetch(`${url}/api/v2/health`)).json();
      return Bun.deepEquals((report as { stalled: unknown }).stalled, ["out"]);
    }, () => "the output is stalled, and named once");
    await untilMetric(url, "output_retries_total", { name: "out" }, (value) => value >= 2);
    expect(await collector.stop()).toBe(0);
    expect(collector.stderr).toContain('"worker":1');
  });

  test("what is written after the start is read from files that are read from their ends", async () => {
    using setup = new Setup();
    const files = Array.from({ length: 9 }, (_, file) => setup.at(`logs/${file}.log`));
    for (const path of files) writeFileSync(path, linesOf("old", 10));
    await using collector = new Collector(["-c", setup.configure(3, { read_from_head: false })]);
    await collector.untilLog(" started");
    for (const [file, path] of files.entries()) appendFileSync(path, linesOf(`file${file}`, 3));
    await eventually(() => setup.sink.records.length === 27);
    expect(await collector.stop()).toBe(0);
    expect([...setup.numbers().keys()].sort()).toEqual(files.map((_, file) => `file${file}`));
    expect(setup.sink.records.length).toBe(27);
  });

  test("dead letters of all threads lie in one folder", async () => {
    using setup = new Setup();
    for (let file = 0; file < 4; file++) {
      writeFileSync(setup.at(`logs/${file}.log`), linesOf(`file${file}`, 5));
    }
    setup.sink.status = 400;
    const service = { "storage.path": setup.at("state") };
    await using collector = new Collector([
      ...["-H", "-P", "0"],
      ...["-c", setup.configure(2, {}, {}, service)],
    ]);
    const url = await collector.url();
    await untilMetric(url, "dead_letters_held_records", {}, (value) => value === 20);
    expect(await metric(url, "output_dead_lettered_records_total", { name: "out" })).toBe(20);
    expect(await collector.stop()).toBe(0);
    setup.sink.status = 200;
    const config = setup.at("config.yaml");
    await using replay = await Collector.run(["dlq", "replay", "--all", "-c", config]);
    expect(replay.status).toBe(0);
    expect(setup.sink.records.length).toBe(20);
  });

  test("a worker that hangs is noticed, and does not keep the collector from stopping", async () => {
    using setup = new Setup();
    writeFileSync(
      setup.at("hangs.ts"),
      `import { defineFilter } from "logcollector/plugin";
import * as z from "zod";
export default defineFilter({
  name: "hangs",
  summary: "Never returns in a worker.",
  config: z.object({}),
  create: () => ({
    process(batch) {
      while (!Bun.isMainThread);
      return batch;
    },
  }),
});
`,
    );
    for (let file = 0; file < 2; file++) {
      writeFileSync(setup.at(`logs/${file}.log`), linesOf(`file${file}`, 10));
    }
    const more = { plugins: ["./hangs.ts"], filters: [{ name: "hangs", match: "*" }] };
    await using collector = new Collector([
      ...["-H", "-P", "0"],
      ...["-c", setup.configure(2, {}, more, { grace: 0.2 })],
    ]);
    const response = await fetch(`${await collector.url()}/`);
    expect([response.status, await response.json()]).toEqual([503, {
      error: "worker 1 does not answer",
    }]);
    expect(await collector.stop()).toBe(1);
    expect(collector.stderr).toContain("Worker 1 failed: it does not stop");
    expect(setup.numbers().size).toBe(1);
  });

  test("a worker that ends ends the collector with a failure, and nothing is lost", async () => {
    using setup = new Setup();
    writeFileSync(
      setup.at("dies.ts"),
      `import { defineFilter } from "logcollector/plugin";
import * as z from "zod";
export default defineFilter({
  name: "dies",
  summary: "Ends the worker when a line says so.",
  config: z.object({}),
  create: () => ({
    process(batch) {
      const isFatal = batch.records.some(({ body }) => String(body.log).includes("die"));
      if (isFatal && !Bun.isMainThread) process.exit(7);
      return batch;
    },
  }),
});
`,
    );
    for (let file = 0; file < 2; file++) {
      writeFileSync(setup.at(`logs/${file}.log`), linesOf(`file${file}`, 10));
    }
    const more = { plugins: ["./dies.ts"], filters: [{ name: "dies", match: "*" }] };
    const config = setup.configure(2, {}, more);
    await using collector = new Collector(["-c", config]);
    await eventually(() => setup.sink.records.length === 20);
    for (let file = 0; file < 2; file++) {
      appendFileSync(setup.at(`logs/${file}.log`), `file${file} 10 die\n`);
    }
    expect(await collector.exit()).toBe(1);
    expect(collector.stderr).toContain("Worker 1 failed: it ended with status 7");
    await using again = new Collector(["-c", setup.configure(2)]);
    await eventually(() => [...setup.numbers().values()].every(({ length }) => length === 11));
    expect(await again.stop()).toBe(0);
  });

  test("with fewer workers the queues of the others are still delivered, once and in order", async () => {
    using setup = new Setup();
    const configure = (workers: number) =>
      setup.configure(workers, { "storage.type": "filesystem" }, {}, {
        "storage.path": setup.at("state"),
      });
    for (let file = 0; file < 6; file++) {
      writeFileSync(setup.at(`logs/${file}.log`), linesOf(`file${file}`, 50));
    }
    await setup.sink.takeAway();
    {
      await using collector = new Collector(["-H", "-P", "0", "-c", configure(3)]);
      const isAll = (value: number) => value === 300;
      await untilMetric(await collector.url(), "output_queue_records", { name: "out" }, isAll);
      expect(await collector.stop()).toBe(0);
    }
    for (let file = 0; file < 6; file++) {
      const added = linesOf(`file${file}`, 60).split("\n").slice(50).join("\n");
      appendFileSync(setup.at(`logs/${file}.log`), added);
    }
    await using inspected = await Collector.run(["queue", "inspect", "-c", configure(1)]);
    expect(inspected.stdout).not.toContain("no output of the configuration takes this");
    setup.sink.bringBack();
    {
      await using collector = new Collector(["-c", configure(1)]);
      await eventually(() => setup.sink.records.length >= 360);
      expect(await collector.stop()).toBe(0);
      expect(collector.stderr).not.toContain("is not sent");
    }
    const expected = Array.from({ length: 60 }, (_, i) => i);
    expect(setup.sink.records.length).toBe(360);
    expect([...setup.numbers().values()]).toEqual(Array.from({ length: 6 }, () => expected));
    // Nothing is left of the others: there is one thread again, which reloads.
    await using alone = new Collector(["-c", configure(1)]);
    await alone.untilLog(" started");
    alone.signal("SIGHUP");
    await alone.untilLog("Reloaded the configuration");
    expect(await alone.stop()).toBe(0);
  });

  test("what two threads cannot do is refused before anything starts", async () => {
    using setup = new Setup();
    const config = setup.configure(2);
    const refused = async (...args: string[]) => {
      const { status, stderr } = await Collector.run(["-c", config, ...args]);
      expect(status).toBe(2);
      return stderr;
    };
    expect(await refused("-o", "stdout")).toContain("stdout cannot work with service.workers 2");
  });

  test("a reload is refused, and everything goes on", async () => {
    using setup = new Setup();
    writeFileSync(setup.at("logs/a.log"), linesOf("a", 1));
    await using collector = new Collector(["-c", setup.configure(2)]);
    await eventually(() => setup.sink.records.length === 1);
    collector.signal("SIGHUP");
    await collector.untilLog("needs a restart");
    appendFileSync(setup.at("logs/a.log"), "a 1\n");
    await eventually(() => setup.sink.records.length === 2);
    expect(await collector.stop()).toBe(0);
  });
});
