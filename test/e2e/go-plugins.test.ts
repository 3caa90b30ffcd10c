import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { goPlugin, removeGoPlugins, withoutGo } from "../hosts/go/go-plugins.ts";
import { Collector } from "../support/binary.ts";
import { eventually } from "../support/eventually.ts";
import { TempFolder } from "../support/temp-folder.ts";

// What ends a test that waits in vain are the deadlines of what it waits for.
setDefaultTimeout(60_000);

interface Line {
  readonly instance: string;
  readonly tag: string;
  readonly sec: number;
  readonly nsec: number;
  readonly record: Record<string, unknown>;
}

let folder: TempFolder;
let records: string;
let plain: string;
let numbers: string;

beforeAll(async () => {
  if (withoutGo) return;
  folder = new TempFolder();
  [records, plain, numbers] = await Promise.all([
    goPlugin("out_records"),
    goPlugin("out_plain"),
    goPlugin("in_numbers"),
  ]);
}, 300_000);
afterAll(() => {
  folder?.[Symbol.dispose]();
  removeGoPlugins();
});

let runs = 0;

/** A file of this run's own, and a configuration in which `FILE` stands for it. */
function prepare(config: string): { readonly config: string; readonly file: string } {
  const file = folder.at(`out-${runs}.jsonl`);
  const path = folder.at(`config-${runs++}.yaml`);
  writeFileSync(path, config.replaceAll("FILE", file));
  return { config: path, file };
}

const linesOf = (file: string): Line[] =>
  existsSync(file)
    ? readFileSync(file, "utf8").split("\n").filter(Boolean).map((line) => JSON.parse(line))
    : [];

/** Runs JSON lines through one output of records with these options, to the end of standard input. */
async function runLines(options: string, lines: string, service = "flush: 0.05") {
  const { config, file } = prepare(`
service: { ${service} }
plugins: [${records}]
pipeline:
  inputs: [{ name: stdin, tag: t }]
  outputs: [{ name: records, match: '*', path: FILE, ${options} }]
`);
  const run = await Collector.run(["-c", config], { stdin: lines });
  return { run, lines: linesOf(file) };
}

const numbered = (count: number): string =>
  Array.from({ length: count }, (_, n) => `{"n":${n}}\n`).join("");

describe.skipIf(withoutGo)("Go output", () => {
  test("two instances get their own options, tags and records, and each is ended", async () => {
    const { config, file } = prepare(`
service: { flush: 0.05 }
plugins: [${records}]
pipeline:
  inputs:
    - { name: stdin, tag: in.a }
    - { name: dummy, tag: in.b, dummy: '{"from":"dummy"}', samples: 2, rate: 100 }
  outputs:
    - { name: records, match: '*', ID: A, Path: FILE, exit_log: FILE.exit }
    - { name: Records, match: in.a, id: B, path: FILE, exit_log: FILE.exit }
`);
    const line =
      '{"text":"é \\"x\\"","list":[1,-2,2.5],"big":1700000000000,"in":{"yes":true,"no":null}}\n';
    await using collector = new Collector(["-c", config], { interactive: true });
    collector.type(line);
    await eventually(() => linesOf(file).length === 4);
    expect(await collector.stop()).toBe(0);
    const found = linesOf(file).map(({ instance, tag, record }) => ({ instance, tag, record }));
    const record = JSON.parse(line);
    expect(found).toContainAllValues([
      { instance: "A", tag: "in.a", record },
      { instance: "B", tag: "in.a", record },
      { instance: "A", tag: "in.b", record: { from: "dummy" } },
      { instance: "A", tag: "in.b", record: { from: "dummy" } },
    ]);
    expect(readFileSync(`${file}.exit`, "utf8")).toBe("A\nB\n");
    expect(collector.messages).toContain("records.0: instance A is ready");
    const processes = new Set(collector.stderr.match(/runs in process \d+/g));
    expect(processes.size).toBe(1);
  });

  test("a panic at every third flush costs a restart and no record", async () => {
    const { config, file } = prepare(`
service: { flush: 0.01, scheduler.base: 0.05, scheduler.cap: 0.1, http_server: on, http_port: 0 }
plugins: [${records}]
pipeline:
  inputs: [{ name: stdin, tag: t }]
  outputs: [{ name: records, match: '*', path: FILE, fault: panic, fault_at: 3, times: 1 }]
`);
    await using collector = new Collector(["-c", config], { interactive: true });
    for (let n = 0; n < 8; n++) {
      collector.type(`{"n":${n}}\n`);
      await eventually(() => linesOf(file).length > n);
    }
    const metrics = await (await fetch(`${await collector.url()}/api/v2/metrics/prometheus`))
      .text();
    const metric = (name: string) =>
      Number(new RegExp(`^fluentbit_${name}\\{name="records.0"\\} (\\S+)`, "m").exec(metrics)?.[1]);
    expect(metric("go_plugin_restarts_total")).toBe(3);
    expect(metric("go_plugin_memory_bytes")).toBeGreaterThan(1e6);
    expect(metric("dropped_records_total") || 0).toBe(0);
    expect(await collector.stop()).toBe(0);
    expect(linesOf(file).map(({ record }) => record.n)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(collector.stderr).toMatch(
      /Cannot deliver 1 record: .* failed in FLBPluginFlush: its process ended .*panic: runtime error/,
    );
  });

  test("FLB_RETRY is tried again until it is taken, once", async () => {
    const { run, lines } = await runLines(
      "fault: retry, fault_at: 1, times: 2",
      numbered(50),
      "flush: 0.05, scheduler.base: 0.05, scheduler.cap: 0.1",
    );
    expect(lines.map(({ record }) => record.n)).toEqual(Array.from({ length: 50 }, (_, n) => n));
    expect(run.stderr).toContain("the plugin asks to try again (FLB_RETRY)");
    expect(run.status).toBe(0);
  });

  test("FLB_ERROR drops a payload for good, counted and logged", async () => {
    const { run, lines } = await runLines("fault: error, fault_at: 1, times: 1", numbered(3));
    expect(lines).toEqual([]);
    expect(run.stderr).toContain("Dropped 3 records: the plugin refuses them (FLB_ERROR)");
  });

  test("its process ends with the collector, also when it is busy", async () => {
    const { config } = prepare(`
service: { flush: 0.05 }
plugins: [${records}]
pipeline:
  inputs: [{ name: dummy, tag: t }]
  outputs: [{ name: records, match: '*', path: FILE, fault: spin, fault_at: 1, times: 1 }]
`);
    await using collector = new Collector(["-c", config]);
    await collector.untilLog(/runs in process \d+/);
    const pid = Number(/runs in process (\d+)/.exec(collector.stderr)![1]);
    await eventually(() => cpuTicks(pid) > 20);
    collector.signal("SIGKILL");
    await collector.exit();
    await eventually(() => !existsSync(`/proc/${pid}`) || stateOf(pid) === "Z");
  });

  test("signals meant for the collector do not end its process", async () => {
    const { config, file } = prepare(`
service: { flush: 0.05 }
plugins: [${records}]
pipeline:
  inputs: [{ name: stdin, tag: t }]
  outputs: [{ name: records, match: '*', path: FILE }]
`);
    await using collector = new Collector(["-c", config], { interactive: true });
    await collector.untilLog(/runs in process \d+/);
    const pid = Number(/runs in process (\d+)/.exec(collector.stderr)![1]);
    for (const name of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.kill(pid, name);
    collector.type(numbered(1));
    await eventually(() => linesOf(file).length === 1);
    expect(await collector.stop()).toBe(0);
    expect(collector.stderr).not.toContain("Cannot deliver");
  });

  test("one of the oldest form, without contexts, works", async () => {
    const { config, file } = prepare(`
service: { flush: 0.05 }
plugins: [${plain}]
pipeline:
  inputs: [{ name: stdin, tag: old }]
  outputs: [{ name: plain, match: '*', path: FILE }]
`);
    await Collector.run(["-c", config], { stdin: numbered(2) });
    expect(readFileSync(file, "utf8")).toBe("flush old true\nexit\n");
  });
});

describe.skipIf(withoutGo)("plugins_file", () => {
  test.each([
    ["classic", "plugins.conf", "[PLUGINS]\n    # ours\n    Path SO\n"],
    ["YAML", "plugins.yaml", "plugins:\n  - SO\n"],
  ])("names plugins in a %s file", async (_, name, text) => {
    using own = new TempFolder();
    symlinkSync(plain, own.at("out_plain.so"));
    writeFileSync(own.at(name), text.replace("SO", "out_plain.so"));
    writeFileSync(
      own.at("config.yaml"),
      `service: { plugins_file: ${name} }
pipeline: { inputs: [{ name: stdin }], outputs: [{ name: plain, match: '*', path: ${
        own.at("out")
      } }] }`,
    );
    const run = await Collector.run(["-c", own.at("config.yaml")], { stdin: numbered(1) });
    expect(run.messages.join("\n")).toContain('Loaded output "plain"');
    expect(readFileSync(own.at("out"), "utf8")).toContain("exit");
  });

  test("reports what is wrong with it at its place", async () => {
    using own = new TempFolder();
    const rest = `pipeline: { inputs: [{ name: stdin }], outputs: [{ name: stdout, match: '*' }] }`;
    writeFileSync(own.at("a.yaml"), `service: { plugins_file: none.conf }\n${rest}`);
    const missing = await Collector.run(["-c", own.at("a.yaml")]);
    expect(missing.stderr).toContain('none.conf": it does not exist');
    writeFileSync(own.at("p.conf"), "[PLUGINS]\n  Path none.so\n  Pfad x.so\n[PARSER]\n  Name x\n");
    writeFileSync(own.at("b.yaml"), `service: { plugins_file: p.conf }\n${rest}`);
    const { stderr, status } = await Collector.run(["-c", own.at("b.yaml")]);
    expect(status).toBe(2);
    expect(stderr).toContain('p.conf:3:3: unknown option "Pfad" of [PLUGINS]: expected Path');
    expect(stderr).toContain("p.conf:4:1: a plugins file may hold only plugins");
    expect(stderr).toContain("none.so: it does not exist");
  });
});

describe.skipIf(withoutGo)("Go input", () => {
  test("emits records with their time and types, and logs through the host", async () => {
    const { config, file } = prepare(`
plugins: [${numbers}, ${records}]
pipeline:
  inputs: [{ name: numbers, tag: n, count: 5, per_call: 3 }]
  outputs: [{ name: records, match: n, path: FILE }]
service: { flush: 0.05 }
`);
    await using collector = new Collector(["-c", config]);
    await eventually(() => linesOf(file).length === 5);
    expect(await collector.stop()).toBe(0);
    const lines = linesOf(file);
    expect(lines.map(({ record }) => record.n)).toEqual([0, 1, 2, 3, 4]);
    expect(lines[3]).toMatchObject({ tag: "n", sec: 1_700_000_003, nsec: 5 });
    expect(lines[0]?.record).toEqual({
      n: 0,
      text: "número",
      half: 0.5,
      yes: true,
      none: null,
      list: [1, -1],
      map: { large: 2 ** 60 },
    });
    expect(collector.log).toContainEqual(
      expect.objectContaining({ level: "warn", message: "numbers are coming, 5 of them" }),
    );
  });

  test.each([
    ["panic", /Input failed: .* failed in FLBPluginInputCallback: .*panic: lost the connection/],
    ["garbage", /Dropped 3 bytes that the plugin returned: expected an array, got 0xc1/],
  ])("goes on after %s", async (fault, message) => {
    const { config } = prepare(`
plugins: [${numbers}]
pipeline:
  inputs: [{ name: numbers, tag: n, count: 3, per_call: 1, fault: ${fault} }]
  outputs: [{ name: stdout, match: n, format: json_lines }]
`);
    await using collector = new Collector(["-c", config]);
    await collector.untilRecords(fault === "panic" ? 2 : 3);
    expect(collector.stderr).toMatch(message);
    expect(await collector.stop()).toBe(0);
  });
});

describe.skipIf(withoutGo)("Go plugin that cannot be used", () => {
  test.each([
    ["fail", "FLBPluginInit returned 0; the plugin says: cannot log in: no such user"],
    [
      "panic",
      "failed in FLBPluginInit: its process ended by SIGABRT; the plugin says: panic: no configuration",
    ],
  ])("because its Init ends in %s is one line at the start", async (init, message) => {
    const { run } = await runLines(`init: ${init}`, numbered(1));
    expect(run.status).toBe(2);
    expect(run.stderr.trim().split("\n")).toHaveLength(1);
    expect(run.stderr).toContain(message);
    expect(run.stderr).toMatch(/config-\d+\.yaml:6:/);
  });

  test.each([
    [
      { register: "fail" },
      "FLBPluginRegister failed: it returned -1; the plugin says: the license has run out",
    ],
    [{ register: "panic" }, "the plugin says: panic: no license"],
    [{ register: "type" }, "it registers as type 3: only inputs (1) and outputs (2) can be loaded"],
    [{ register: "nothing" }, "it registers as type 0"],
    [{ name: "" }, "it registers without a name"],
  ])("registering with %j", async (set, message) => {
    expect(await loadFailure(await goPlugin("out_plain", set))).toContain(message);
  });

  test.each<[string, (bytes: Buffer) => Buffer | string, string]>([
    ["text", () => "not a library", "it is no shared library of Linux (ELF)"],
    ["an empty file", () => "", "it is no shared library of Linux (ELF)"],
    ["another processor", (bytes) => patched(bytes, 18, [0x16]), "it is built for s390x"],
    ["a program", (bytes) => patched(bytes, 16, [2]), "it is a program, not a shared library"],
    ["a torn library", (bytes) => bytes.subarray(0, 100_000), "Cannot load"],
    ["musl", (bytes) => renamed(bytes, "libc.so.6", "libc.so"), "it is built for musl (Alpine)"],
  ])("%s", async (_, change, message) => {
    const path = folder.at(`broken-${runs++}.so`);
    writeFileSync(path, change(readFileSync(plain)));
    expect(await loadFailure(path)).toContain(message);
  });

  test("a library that is no plugin, or lacks a library of its own", async () => {
    const c = folder.at("other.c");
    writeFileSync(c, "int other(void) { return 1; }\n");
    const other = folder.at("other.so");
    expect(
      await Bun.spawn(["gcc", "-shared", "-fPIC", "-Wl,-soname,other.so", "-o", other, c]).exited,
    ).toBe(0);
    expect(await loadFailure(other)).toContain("symbol FLBPluginRegister is missing");
    const needs = folder.at("needs.so");
    await Bun.spawn(["gcc", "-shared", "-fPIC", "-o", needs, c, "-Wl,--no-as-needed", other])
      .exited;
    const gone = folder.at("gone.so");
    writeFileSync(gone, renamed(readFileSync(needs), "other.so", "gone.so"));
    expect(await loadFailure(gone)).toContain("gone.so: cannot open shared object file");
  });
});

async function loadFailure(path: string): Promise<string> {
  const { config } = prepare(`
plugins: [${path}]
pipeline: { inputs: [{ name: dummy }], outputs: [{ name: "null", match: '*' }] }
`);
  const run = await Collector.run(["-c", config]);
  expect(run.status).toBe(2);
  expect(run.stderr.trim().split("\n")).toHaveLength(1);
  expect(run.stderr).toContain(path);
  return run.stderr;
}

function patched(bytes: Buffer, at: number, values: number[]): Buffer {
  bytes.set(values, at);
  return bytes;
}

/** With another name of a library that it needs, which must not be longer. */
function renamed(bytes: Buffer, from: string, to: string): Buffer {
  const at = bytes.indexOf(`\0${from}\0`) + 1;
  bytes.fill(0, at, at + from.length);
  bytes.write(to, at);
  return bytes;
}

function stateOf(pid: number): string | undefined {
  return readFileSync(`/proc/${pid}/stat`, "latin1").split(") ")[1]?.[0];
}

/** User time in hundredths of a second. */
function cpuTicks(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/stat`, "latin1").split(") ")[1]?.split(" ")[11]);
}
