import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { appendFileSync, existsSync, renameSync, writeFileSync } from "node:fs";
import { Collector } from "../support/binary.ts";
import { CountingSink } from "../support/counting-sink.ts";
import { eventually } from "../support/eventually.ts";
import { HttpSink } from "../support/http-sink.ts";
import { metric, untilAnswer, untilMetric } from "../support/metric.ts";
import { Random } from "../support/random.ts";
import { TempFolder } from "../support/temp-folder.ts";

// Some wait for what hangs to be given up, again and again.
setDefaultTimeout(120_000);

const SEED = Number(process.env.SEED ?? 20_261_126);
const SERVICE = "grace: 1, scheduler.base: 0.1, scheduler.cap: 0.2, http_server: on, http_port: 0";

interface Parts {
  readonly flush?: number;
  readonly service?: string;
  readonly plugins?: string;
  readonly inputs: readonly string[];
  readonly filters?: readonly string[];
  readonly outputs: readonly string[];
}

/** A collector with a configuration that a test writes again and again. */
class Setup implements AsyncDisposable {
  readonly folder = new TempFolder();
  private started: Collector | undefined;
  private reloads = 0;

  get path(): string {
    return this.folder.at("config.yaml");
  }

  /** Writes the configuration as a whole: nobody is to read a half of it. */
  write({ flush = 0.05, service, plugins, inputs, filters = [], outputs }: Parts): void {
    const list = (entries: readonly string[]) =>
      entries.map((each) => `\n    - {${each}}`).join("");
    const text = `service: {flush: ${flush}, ${SERVICE}${
      service === undefined ? "" : `, ${service}`
    }}
${plugins === undefined ? "" : `plugins: ${plugins}`}
pipeline:
  inputs:${list(inputs)}
  filters:${filters.length === 0 ? " []" : list(filters)}
  outputs:${list(outputs)}
`;
    writeFileSync(`${this.path}.new`, text);
    renameSync(`${this.path}.new`, this.path);
  }

  get collector(): Collector {
    this.started ??= new Collector(["-c", this.path]);
    return this.started;
  }

  /** Sends SIGHUP and waits until that was done. */
  async reload(): Promise<void> {
    const { collector } = this;
    collector.signal("SIGHUP");
    this.reloads++;
    await collector.until(
      () =>
        this.collector.messages.filter((line) => /main: (Reloaded|Did not reload)/.test(line))
          .length >= this.reloads,
      `reload ${this.reloads} is over`,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.started?.[Symbol.asyncDispose]();
    this.folder[Symbol.dispose]();
  }
}

/** Adds numbered lines to a file all the time. */
class Writer implements Disposable {
  next: number;
  private readonly path: string;
  private readonly step: number;
  private readonly timer: ReturnType<typeof setInterval>;

  constructor(path: string, first = 0, step = 1) {
    this.path = path;
    this.next = first;
    this.step = step;
    this.write();
    this.timer = setInterval(() => this.write(), 3);
  }

  /** The numbers that were written. */
  stop(): void {
    clearInterval(this.timer);
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  private write(): void {
    let text = "";
    for (let i = 0; i < 10; i++, this.next += this.step) text += `${this.next}\n`;
    appendFileSync(this.path, text);
  }
}

const toSink = (alias: string, port: number, rest = "") =>
  `name: http, alias: ${alias}, match: '*', host: 127.0.0.1, port: ${port}, format: json_lines${rest}`;
const post = async (url: string) => {
  const answer = await fetch(`${url}/api/v2/reload`, { method: "POST" });
  return [answer.status, await answer.json()] as [number, Record<string, unknown>];
};

describe("fault 54: SIGHUP with an invalid configuration leaves the old one alone", () => {
  const TICK = "name: dummy, alias: tick, rate: 100, dummy: '{\"n\":1}'";
  const OUT = "name: stdout, alias: out, match: '*', format: json_lines, json_date_key: off";
  const GOOD: Parts = { inputs: [TICK, "name: tail, alias: t, path: /nowhere"], outputs: [OUT] };
  const BAD: Readonly<Record<string, readonly [Parts, RegExp[]]>> = {
    "options that nobody knows": [
      { inputs: [`${TICK}, tact: 3`], outputs: [`${OUT}, colour: red`] },
      [
        /config\.yaml:\d+:\d+: unknown option "tact"/,
        /config\.yaml:\d+:\d+: unknown option "colour"/,
      ],
    ],
    "mistakes that differ in their line only": [
      { inputs: [TICK], outputs: [`name: null, match: '*', a: 1`, `name: null, match: '*', a: 1`] },
      [/yaml:8:\d+: unknown option "a"/, /yaml:9:\d+: unknown option "a"/],
    ],
    "a parser that does not exist": [
      { ...GOOD, filters: ["name: parser, match: '*', key_name: n, parser: nobody"] },
      [/option "parser" of filter "parser": unknown parser "nobody"/],
    ],
    "a plugin that cannot be loaded": [
      { ...GOOD, plugins: "./broken.ts" },
      [/Cannot load .*broken\.ts: /],
    ],
    "a plugin that cannot be set up": [
      { ...GOOD, plugins: "./fails.ts", outputs: [OUT, "name: fails, match: '*'"] },
      [/output "fails": cannot be set up: there is no door/],
    ],
    "a position file that cannot be opened": [
      { ...GOOD, inputs: [TICK, "name: tail, path: /nowhere, db: /proc/no/place.db"] },
      [/Cannot keep positions in \/proc\/no\/place\.db/],
    ],
    "a position file that a changed input cannot open": [
      { ...GOOD, inputs: [TICK, "name: tail, alias: t, path: /nowhere, db: /proc/no/place.db"] },
      [/Cannot keep positions in \/proc\/no\/place\.db/],
    ],
    "what only a restart can change": [
      { ...GOOD, service: "log_file: /tmp/elsewhere.log" },
      [/config\.yaml:1: service option "log_file" has changed, and that needs a restart/],
    ],
  };
  for (const [what, [bad, reasons]] of Object.entries(BAD)) {
    test(what, async () => {
      await using setup = new Setup();
      writeFileSync(setup.folder.at("broken.ts"), "export default {{{");
      writeFileSync(
        setup.folder.at("fails.ts"),
        `import { defineOutput } from "logcollector/plugin";
import * as z from "zod";
export default defineOutput({
  name: "fails", summary: "s", config: z.object({}),
  create: () => { throw new Error("there is no door"); },
});
`,
      );
      setup.write({ ...GOOD, service: "hot_reload: on" });
      const { collector } = setup;
      const url = await collector.url();
      await collector.untilRecords(3);
      setup.write({ ...bad, service: `hot_reload: on${bad.service ? `, ${bad.service}` : ""}` });
      await setup.reload();
      const errors = collector.log.filter(({ level }) => level === "error").map((line) =>
        line.message
      );
      expect(errors).toHaveLength(reasons.length + 1);
      reasons.forEach((reason, i) => expect(errors[i]).toMatch(reason));
      expect(errors.at(-1)).toBe("Did not reload: the configuration from before goes on as it was");
      const [status, body] = await post(url);
      expect([status, body.reload, body.problems]).toEqual([400, "failed", errors.slice(0, -1)]);
      const before = collector.records.length;
      await collector.untilRecords(before + 3);
      expect(await (await fetch(`${url}/api/v2/reload`)).json()).toEqual({ hot_reload_count: 0 });
      expect(await collector.stop()).toBe(0);
    });
  }
});

describe(`fault 55: reload under load, seed ${SEED}`, () => {
  for (const storage of ["memory", "filesystem"] as const) {
    test(`with routes that come, change and go, every line arrives once where it always went, queues: ${storage}`, async () => {
      await using setup = new Setup();
      using kept = new CountingSink();
      using other = new CountingSink();
      const random = new Random(SEED);
      const { folder } = setup;
      const steady = `name: tail, alias: steady, tag: steady, path: ${
        folder.at("even.log")
      }, read_from_head: on, storage.type: ${storage}`;
      const changing = (interval: number) =>
        `name: tail, alias: changing, tag: changing, path: ${
          folder.at("odd.log")
        }, read_from_head: on, refresh_interval: ${interval}, storage.type: ${storage}`;
      const outputs = [
        undefined,
        toSink("other", other.port),
        toSink("other", other.port, ", header: X-Version 2"),
        toSink("other", other.port, ", header: X-Version 2, storage.total_limit_size: 10M"),
        "name: null, alias: other, match: 'steady'",
        `name: file, alias: other, match: '*', path: ${folder.path}, file: out.txt`,
      ];
      const filters = [
        undefined,
        "name: record_modifier, match: '*', record: v 1",
        "name: record_modifier, match: 'changing', record: v 2",
        "name: grep, match: 'nothing', regex: log x",
      ];
      const write = () => {
        const some = (choices: readonly (string | undefined)[]) => {
          const chosen = random.pick(choices);
          return chosen === undefined ? [] : [chosen];
        };
        setup.write({
          service: `storage.path: ${folder.at("state")}`,
          inputs: [changing(1 + random.below(3)), steady],
          filters: some(filters),
          outputs: [...some(outputs), toSink("kept", kept.port)],
        });
      };
      write();
      using even = new Writer(folder.at("even.log"), 0, 2);
      using odd = new Writer(folder.at("odd.log"), 1, 2);
      const { collector } = setup;
      const url = await collector.url();
      await eventually(() => kept.counts.size > 100);
      for (let i = 0; i < 40; i++) {
        other.mode = random.pick(["takes", "takes", "takes", "takes", "refuses", "hangs"]);
        write();
        await setup.reload();
        const seen = kept.counts.size;
        // A queue that is full holds everything up, as it is meant to.
        if (other.mode !== "takes") continue;
        if (random.below(3) === 0) await eventually(() => kept.counts.size > seen + 50);
      }
      even.stop();
      odd.stop();
      const written = [even, odd].flatMap(({ next }, first) =>
        Array.from({ length: Math.floor((next - first) / 2) }, (_, i) => first + 2 * i)
      );
      await eventually(
        () => kept.counts.size >= written.length,
        () => `${kept.counts.size} of ${written.length}`,
        20_000,
      );
      expect(written.filter((n) => kept.counts.get(n) !== 1)).toEqual([]);
      for (const parity of [0, 1]) {
        const order = kept.order.filter((n) => n % 2 === parity);
        expect(order).toEqual(order.toSorted((a, b) => a - b));
      }
      expect(await metric(url, "input_files_opened_total", { name: "steady" })).toBe(1);
      expect(await metric(url, "input_files_closed_total", { name: "steady" })).toBe(0);
      expect(await metric(url, "output_retries_total", { name: "kept" })).toBe(0);
      other.mode = "takes";
      expect(await collector.stop()).toBe(0);
      const errors = collector.log.filter(({ level, reason }) =>
        level === "error" && reason !== "output_removed"
      );
      expect(errors).toEqual([]);
    });
  }

  test("a removed output's queue stays on disk, and goes out when it is there again", async () => {
    await using setup = new Setup();
    using sink = new HttpSink();
    using kept = new CountingSink();
    sink.status = 503;
    const { folder } = setup;
    writeFileSync(folder.at("a.log"), "1\n2\n3\n");
    const parts = (outputs: string[]): Parts => ({
      service: `storage.path: ${folder.at("state")}`,
      inputs: [
        `name: tail, alias: app, path: ${
          folder.at("a.log")
        }, read_from_head: on, storage.type: filesystem`,
      ],
      outputs: [...outputs, toSink("kept", kept.port)],
    });
    setup.write(parts([toSink("gone", sink.port)]));
    const { collector } = setup;
    const url = await collector.url();
    await eventually(() => sink.refused > 0 && kept.counts.size === 3);
    setup.write(parts([]));
    await setup.reload();
    await collector.untilLog(/Kept 3 records for gone on disk/);
    await untilMetric(url, "storage_orphaned_queues", {}, (queues) => queues === 1);
    sink.status = 200;
    setup.write(parts([toSink("gone", sink.port)]));
    await setup.reload();
    await eventually(() => sink.records.length > 0);
    expect(sink.records.map(({ log }) => log)).toEqual(["1", "2", "3"]);
    expect(await metric(url, "storage_orphaned_queues", {})).toBe(0);
    expect(await collector.stop()).toBe(0);
    expect(collector.log.filter(({ level }) => level === "error")).toEqual([]);
  });

  for (const storage of ["memory", "filesystem"]) {
    test(`what waits for a wrong address goes to the right one, queue: ${storage}`, async () => {
      await using setup = new Setup();
      using sink = new HttpSink();
      const { folder } = setup;
      writeFileSync(folder.at("a.log"), "1\n2\n3\n");
      const parts = (port: number): Parts => ({
        service: `storage.path: ${folder.at("state")}`,
        inputs: [
          `name: tail, alias: app, path: ${
            folder.at("a.log")
          }, read_from_head: on, storage.type: ${storage}`,
        ],
        outputs: [toSink("out", port)],
      });
      // Nobody listens there.
      setup.write(parts(1));
      const { collector } = setup;
      await collector.untilLog(/Cannot deliver 3 records/);
      setup.write(parts(sink.port));
      await setup.reload();
      await eventually(() => sink.records.length > 0);
      expect(sink.records.map(({ log }) => log)).toEqual(["1", "2", "3"]);
      expect(await collector.stop()).toBe(0);
      expect(collector.log.filter(({ level }) => level === "error")).toEqual([]);
    });
  }
});

describe("a reload of what has other names, or lies elsewhere, than before", () => {
  test("takes what waits in memory to the disk", async () => {
    await using setup = new Setup();
    using sink = new HttpSink();
    const { folder } = setup;
    writeFileSync(folder.at("a.log"), "1\n2\n3\n");
    const parts = (port: number, storage: string): Parts => ({
      service: `storage.path: ${folder.at("state")}`,
      inputs: [`name: tail, alias: app, path: ${folder.at("a.log")}, read_from_head: on`],
      outputs: [toSink("out", port, `, storage.type: ${storage}`)],
    });
    setup.write(parts(1, "memory"));
    const { collector } = setup;
    const url = await collector.url();
    await collector.untilLog(/Cannot deliver 3 records/);
    setup.write(parts(1, "filesystem"));
    await setup.reload();
    // On the disk they are safe: a stop keeps them.
    expect(await metric(url, "input_pending_bytes", { name: "app" })).toBeGreaterThan(0);
    await collector.stop();
    expect(collector.messages).toContain("engine: Kept 3 records for out on disk");
    setup.write(parts(sink.port, "filesystem"));
    await using next = new Collector(["-c", setup.path]);
    await eventually(() => sink.records.length > 0);
    expect(sink.records.slice(0, 3).map(({ log }) => log)).toEqual(["1", "2", "3"]);
    expect(await next.stop()).toBe(0);
  });

  test("lets a tail without an alias go on under another number", async () => {
    await using setup = new Setup();
    using sink = new CountingSink();
    const { folder } = setup;
    const tail = (name: string) =>
      `name: tail, tag: t, path: ${folder.at(`${name}.log`)}, read_from_head: on`;
    const outputs = [toSink("out", sink.port)];
    setup.write({ inputs: [tail("a")], outputs });
    using writer = new Writer(folder.at("a.log"));
    const { collector } = setup;
    await eventually(() => sink.counts.size > 50);
    setup.write({ inputs: [tail("b"), tail("a")], outputs });
    await setup.reload();
    expect(collector.stderr).toContain("input added tail.1; input changed tail.0");
    const seen = sink.counts.size;
    await eventually(() => sink.counts.size > seen + 50);
    setup.write({ inputs: [tail("a")], outputs });
    await setup.reload();
    writer.stop();
    await eventually(() => sink.counts.size >= writer.next);
    expect(await collector.stop()).toBe(0);
    expect([sink.missing(writer.next), sink.repeated]).toEqual([[], 0]);
  });

  test("refuses to give an output the queue on disk that was another's", async () => {
    await using setup = new Setup();
    const { folder } = setup;
    const output = (file: string) => `name: file, match: '*', path: ${folder.path}, file: ${file}`;
    const parts = (outputs: string[]): Parts => ({
      service: `storage.path: ${folder.at("state")}`,
      inputs: ["name: dummy, storage.type: filesystem"],
      outputs,
    });
    setup.write(parts([output("a"), output("b")]));
    const { collector } = setup;
    await collector.url();
    setup.write(parts([output("b")]));
    await setup.reload();
    expect(collector.stderr).toMatch(
      /config\.yaml:\d+:\d+: output \\"file\\": its queue file\.0@file@\w+ on disk is still the one of another output, .* give each output an alias/,
    );
    setup.write(parts([`alias: b, ${output("b")}`]));
    await setup.reload();
    expect(collector.stderr).toContain("output added b; output removed file.0, file.1");
    expect(await collector.stop()).toBe(0);
  });
});

describe("a reload of what others use", () => {
  test("changes with the parsers who uses them, and nobody else", async () => {
    await using setup = new Setup();
    const { folder } = setup;
    for (const name of ["plain", "parsed"]) writeFileSync(folder.at(`${name}.log`), "one two\n");
    const parsers = (field: string) =>
      writeFileSync(
        folder.at("parsers.yaml"),
        `parsers: [{name: words, format: regex, regex: '(?<${field}>\\w+) (?<b>\\w+)'}]\n`,
      );
    const parts: Parts = {
      service: "parsers_file: parsers.yaml",
      inputs: [
        `name: tail, alias: plain, path: ${folder.at("plain.log")}, read_from_head: on`,
        `name: tail, alias: parsed, path: ${
          folder.at("parsed.log")
        }, read_from_head: on, parser: words`,
      ],
      outputs: ["name: stdout, match: '*', format: json_lines, json_date_key: off"],
    };
    parsers("a");
    setup.write(parts);
    const { collector } = setup;
    const url = await collector.url();
    await collector.untilPrinted('"a":"one"');
    parsers("first");
    await setup.reload();
    appendFileSync(folder.at("parsed.log"), "three four\n");
    await collector.untilPrinted('{"first":"three","b":"four"}');
    expect(await metric(url, "input_files_opened_total", { name: "plain" })).toBe(1);
    expect(await metric(url, "input_files_opened_total", { name: "parsed" })).toBe(2);
    expect(collector.stderr).toContain("Reloaded the configuration: input changed parsed");
    expect(await collector.stop()).toBe(0);
  });

  test("sets a plugin up again whose file has changed, and nobody else", async () => {
    await using setup = new Setup();
    const { folder } = setup;
    const list = folder.at("list.txt");
    writeFileSync(list, "one\n");
    writeFileSync(folder.at("a.log"), "");
    setup.write({
      inputs: [`name: tail, alias: a, path: ${folder.at("a.log")}`],
      filters: [
        `name: checklist, alias: c, match: '*', file: ${list}, lookup_key: log, record: known yes`,
      ],
      outputs: ["name: stdout, match: '*', format: json_lines, json_date_key: off"],
    });
    const { collector } = setup;
    await collector.url();
    writeFileSync(list, "one\ntwo\n");
    await setup.reload();
    expect(collector.messages.at(-1)).toEndWith(": filter changed c");
    appendFileSync(folder.at("a.log"), "two\n");
    await collector.untilPrinted('{"log":"two","known":"yes"}');
    expect(await collector.stop()).toBe(0);
  });

  test("takes up settings of the service without touching anybody", async () => {
    await using setup = new Setup();
    const { folder } = setup;
    writeFileSync(folder.at("a.log"), "");
    const parts: Parts = {
      inputs: [`name: tail, alias: a, path: ${folder.at("a.log")}`],
      outputs: ["name: stdout, alias: out, match: '*', format: json_lines, json_date_key: off"],
    };
    setup.write(parts);
    const { collector } = setup;
    const url = await collector.url();
    setup.write({ ...parts, flush: 3600, service: "log_level: error" });
    collector.signal("SIGHUP");
    await untilAnswer(async () => {
      const answer = await (await fetch(`${url}/api/v2/reload`)).json();
      return (answer as { hot_reload_count: number }).hot_reload_count === 1;
    }, () => "one reload");
    appendFileSync(folder.at("a.log"), "1\n");
    await untilMetric(url, "input_records_total", { name: "a" }, (records) => records === 1);
    expect(await metric(url, "input_files_opened_total", { name: "a" })).toBe(1);
    expect(await collector.stop()).toBe(0);
    // The new flush interval held it back, and the new level the word of the stop.
    expect(collector.records).toEqual([{ log: "1" }]);
    expect(collector.stderr).not.toContain("Stopping on SIGTERM");
  });
});

describe("fault 56: twenty SIGHUPs in a row", () => {
  // Loading it takes a while, and is noted in a file.
  const slow = (version: number, note: string) =>
    `import { appendFileSync } from "node:fs";
import { defineOutput } from "logcollector/plugin";
import * as z from "zod";
appendFileSync(${JSON.stringify(note)}, "loading ${version}\\n");
await new Promise((resolve) => setTimeout(resolve, 300));
export default defineOutput({
  name: "slow", summary: "s", config: z.object({}), create: () => ({ async write() {} }),
});
`;
  const parts = (version: number): Parts => ({
    plugins: "./slow.ts",
    inputs: ["name: dummy, rate: 200, dummy: '{\"n\":1}'"],
    filters: [`name: record_modifier, alias: mark, match: '*', record: version ${version}`],
    outputs: ["name: stdout, match: '*', format: json_lines, json_date_key: off"],
  });

  test("are few reloads, and the last configuration wins", async () => {
    await using setup = new Setup();
    const note = setup.folder.at("note");
    const write = (version: number) => {
      writeFileSync(setup.folder.at("slow.ts"), slow(version, note));
      setup.write(parts(version));
    };
    write(0);
    const { collector } = setup;
    const url = await collector.url();
    await collector.untilPrinted('"version":"0"');
    for (let version = 1; version <= 20; version++) {
      write(version);
      collector.signal("SIGHUP");
    }
    await collector.untilPrinted('"version":"20"');
    const { hot_reload_count: count } = await (await fetch(`${url}/api/v2/reload`)).json() as {
      hot_reload_count: number;
    };
    expect(count).toBeLessThanOrEqual(3);
    expect(await collector.stop()).toBe(0);
    const versions = collector.records.map(({ version }) => Number(version));
    expect(versions).toEqual(versions.toSorted((a, b) => a - b));
  });

  test("one that comes during the start is a reload after it", async () => {
    await using setup = new Setup();
    const note = setup.folder.at("note");
    writeFileSync(setup.folder.at("slow.ts"), slow(0, note));
    setup.write(parts(0));
    const { collector } = setup;
    await eventually(() => existsSync(note));
    setup.write(parts(1));
    collector.signal("SIGHUP");
    await collector.untilPrinted('"version":"1"');
    expect(await collector.stop()).toBe(0);
  });
});

describe("a reload over HTTP", () => {
  test("answers as in Fluent Bit, and needs hot_reload", async () => {
    await using setup = new Setup();
    const parts: Parts = { inputs: ["name: dummy"], outputs: ["name: null, match: '*'"] };
    setup.write(parts);
    const { collector } = setup;
    const url = await collector.url();
    expect(await post(url)).toEqual([400, {
      reload: "not enabled",
      status: -1,
      error: "add hot_reload: on to service, or send SIGHUP",
    }]);
    // A signal does not need it, and what it brings can be that.
    setup.write({ ...parts, service: "hot_reload: on" });
    await setup.reload();
    expect(await post(url)).toEqual([200, { reload: "done", status: 0 }]);
    expect(await (await fetch(`${url}/api/v2/reload`)).json()).toEqual({ hot_reload_count: 2 });
    const text = await (await fetch(`${url}/api/v2/metrics`)).text();
    expect(text).toMatch(/^fluentbit_hot_reloaded_times\{hostname="[^"]+"\} 2$/m);
    expect(await collector.stop()).toBe(0);
  });
});

describe("a reload of the user's plugins", () => {
  const mark = (word: string) =>
    `import { defineFilter, field, perRecord } from "logcollector/plugin";
import * as z from "zod";
export default defineFilter({
  name: "mark", summary: "Marks records",
  config: z.object({ key: field.text().default("m").describe("Field") }),
  create: ({ key }, ctx) => perRecord(ctx, (record) => {
    record.body[key] = "${word}";
    return record;
  }),
});
`;
  const parts = (service: string, key: string): Parts => ({
    service,
    plugins: "./mark.ts",
    inputs: ["name: dummy, rate: 200, dummy: '{\"n\":1}'"],
    filters: [`name: mark, match: '*', key: ${key}`],
    outputs: ["name: stdout, match: '*', format: json_lines, json_date_key: off"],
  });

  test("takes up changed code, and keeps the old one when the new one is broken", async () => {
    await using setup = new Setup();
    const plugin = setup.folder.at("mark.ts");
    writeFileSync(plugin, mark("one"));
    setup.write(parts("hot_reload: off", "m"));
    const { collector } = setup;
    await collector.untilPrinted('"m":"one"');
    writeFileSync(plugin, mark("two") + "}}}");
    await setup.reload();
    expect(collector.stderr).toMatch(/Cannot load .*mark\.ts: /);
    writeFileSync(plugin, mark("three"));
    await setup.reload();
    await collector.untilPrinted('"m":"three"');
    expect(collector.stdout).not.toContain('"two"');
    expect(collector.stderr).toContain("filter changed mark.0");
    await setup.reload();
    expect(collector.messages.at(-1)).toContain("inputs, filters and outputs are the same");
    expect(await collector.stop()).toBe(0);
  });

  test("live edit goes on with what a plugin imports, after another came from its folder", async () => {
    await using setup = new Setup();
    const { folder } = setup;
    const word = (text: string) =>
      writeFileSync(folder.at("word.ts"), `export const word = "${text}";\n`);
    word("one");
    writeFileSync(
      folder.at("mark.ts"),
      `import { word } from "./word.ts";\n${mark("one").replace('"one"', "word")}`,
    );
    setup.write(parts("hot_reload: on", "m"));
    const { collector } = setup;
    await collector.untilPrinted('"m":"one"');
    writeFileSync(folder.at("other.ts"), mark("other").replace('name: "mark"', 'name: "other"'));
    setup.write({ ...parts("hot_reload: on", "m"), plugins: "[./mark.ts, ./other.ts]" });
    await setup.reload();
    expect(collector.messages.at(-1)).toContain("inputs, filters and outputs are the same");
    word("two");
    await collector.untilPrinted('"m":"two"');
    expect(await collector.stop()).toBe(0);
  });

  test("live edit goes on, with new instances too", async () => {
    await using setup = new Setup();
    const plugin = setup.folder.at("mark.ts");
    writeFileSync(plugin, mark("one"));
    setup.write(parts("hot_reload: on", "m"));
    const { collector } = setup;
    await collector.untilPrinted('"m":"one"');
    writeFileSync(plugin, mark("two"));
    await collector.untilPrinted('"m":"two"');
    // Nothing has changed that a reload would have to do.
    await setup.reload();
    expect(collector.messages.at(-1)).toContain("inputs, filters and outputs are the same");
    setup.write(parts("hot_reload: on", "k"));
    await setup.reload();
    await collector.untilPrinted('"k":"two"');
    writeFileSync(plugin, mark("three"));
    await collector.untilPrinted('"k":"three"');
    expect(await collector.stop()).toBe(0);
  });
});

test(`a stop at any moment of a reload loses nothing, seed ${SEED}`, async () => {
  await using setup = new Setup();
  using sink = new CountingSink();
  const random = new Random(SEED + 2);
  const { folder } = setup;
  const write = () =>
    setup.write({
      service: `storage.path: ${folder.at("state")}`,
      inputs: [
        `name: tail, alias: app, path: ${folder.at("app.log")}, read_from_head: on, db: ${
          folder.at("app.db")
        }, refresh_interval: ${1 + random.below(3)}`,
      ],
      filters: [`name: record_modifier, match: '*', record: v ${random.below(3)}`],
      outputs: [toSink("out", sink.port, random.pick(["", ", header: X-Version 2"]))],
    });
  using writer = new Writer(folder.at("app.log"));
  for (let i = 0; i < 12; i++) {
    write();
    await using collector = new Collector(["-c", setup.path]);
    await collector.url();
    write();
    collector.signal("SIGHUP");
    await Bun.sleep(random.below(40));
    expect(await collector.stop()).toBe(0);
    expect(collector.log.filter(({ level }) => level === "error")).toEqual([]);
  }
  writer.stop();
  write();
  await using last = new Collector(["-c", setup.path]);
  await eventually(() => sink.counts.size >= writer.next, () => `${sink.counts.size}`, 20_000);
  expect(await last.stop()).toBe(0);
  expect(sink.missing(writer.next)).toEqual([]);
  expect(sink.repeated).toBe(0);
});
