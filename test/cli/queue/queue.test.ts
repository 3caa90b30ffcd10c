import { describe, expect, test } from "bun:test";
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { orphanedQueues } from "../../../src/cli/queue/orphaned-queues.ts";
import { StorageFolder } from "./support.ts";

function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at]! ^= 1;
  writeFileSync(path, bytes);
}

async function configure(folder: StorageFolder, outputs: string): Promise<string> {
  const path = folder.at("config.yaml");
  await Bun.write(
    path,
    `service: {storage.path: ${folder.path}}
pipeline:
  inputs: [{name: dummy, storage.type: filesystem}]
  outputs:
${outputs}
`,
  );
  return path;
}

test.each([
  ["", '"queue" needs a command, one of inspect, verify, help: see "logcollector queue --help"'],
  ["inspct --path x", 'unknown command "queue inspct": did you mean "inspect"?'],
  [
    "inspect",
    '"queue inspect" needs to know where: give the configuration with -c, or a folder with --path: see "logcollector queue --help"',
  ],
  ["verify -c a --path b", "-c and --path both say where the queues are: give one of them"],
  [
    "verify --streams --path b",
    'unknown option --streams of "queue verify": see "logcollector queue --help"',
  ],
  ["verify x --path b", 'unexpected "x" behind "queue verify"'],
  [
    "verify --path /nowhere/at/all",
    "logcollector: cannot look for queues in /nowhere/at/all: it does not exist",
  ],
])("queue %s is refused with one clear line", async (line, message) => {
  using folder = new StorageFolder();
  const { status, out, err } = await folder.run(...line.split(" ").filter(Boolean));
  expect([status, out, err]).toEqual([2, "", `${message}\n`]);
});

test("help names every command and option", async () => {
  using folder = new StorageFolder();
  const { status, out } = await folder.run("--help");
  expect(status).toBe(0);
  for (const word of ["inspect", "verify", "--json", "--streams", "--path", "--config"]) {
    expect(out).toContain(word);
  }
});

describe("queue inspect", () => {
  test("shows what waits in each queue", async () => {
    using folder = new StorageFolder();
    const first = await folder.fill({ payloads: 6, done: 2, segmentBytes: 400 });
    const second = await folder.fill({ output: "shop\x1b", plugin: "file", format: "json_lines" });
    const { status, out } = await folder.run("inspect", "--path", folder.path, "--streams");
    expect(status).toBe(0);
    const segments = readdirSync(first).filter((name) => name.endsWith(".seg")).sort();
    expect(out.replace(/\d+ bytes/g, "N bytes")).toBe(`http.0, for plugin http
  folder    ${first}
  waiting   40 records in 4 payloads
  on disk   N bytes in ${segments.length} segments: ${segments[0]} to ${segments.at(-1)}
  done      20 records in 2 payloads so far
  stream    tail.0 /var/log/a: 5

shop\\x1b, for plugin file, format json_lines
  folder    ${second}
  waiting   50 records in 5 payloads
  on disk   N bytes in 1 segment: 0000000000000001.seg
  done      0 records in 0 payloads so far
  stream    tail.0 /var/log/a: 4

`);
    for (const path of [folder.queues, first]) {
      expect((await folder.run("inspect", "--path", path)).out).toContain("waiting   40 records");
    }
  });

  test("prints JSON for programs", async () => {
    using folder = new StorageFolder();
    const path = await folder.fill({ payloads: 3, done: 1, format: "x" });
    const { out } = await folder.run("inspect", "--path", path, "--json", "--streams");
    expect(JSON.parse(out)).toEqual({
      folder: path,
      output: "http.0",
      plugin: "http",
      format: "x",
      segments: 1,
      bytes: expect.any(Number),
      oldest_segment: "0000000000000001.seg",
      newest_segment: "0000000000000001.seg",
      waiting_payloads: 2,
      waiting_records: 20,
      done_payloads: 1,
      done_records: 10,
      damaged_parts: 0,
      damaged_bytes: 0,
      streams: [{ input: "tail.0", stream: "/var/log/a", position: "2" }],
    });
  });

  test("says which queues no output of the configuration takes, and why", async () => {
    using folder = new StorageFolder();
    await folder.fill({ output: "taken", plugin: "null" });
    await folder.fill({ output: "gone", plugin: "null" });
    await folder.fill({ output: "other", plugin: "http" });
    await folder.fill({ output: "memory", plugin: "null" });
    await folder.fill({ output: "form", plugin: "null", format: "gzip" });
    const path = await configure(
      folder,
      ["taken", "other", "form"].map((alias) => `    - {name: null, alias: ${alias}, match: '*'}\n`)
        .join("").replaceAll("name: null", 'name: "null"') +
        `    - {name: "null", alias: memory, match: '*', storage.type: memory}`,
    );
    const { status, out, err } = await folder.run("inspect", "-c", path);
    expect([status, err]).toEqual([0, ""]);
    const notes = out.split("\n\n").filter(Boolean).map((
      paragraph,
    ) => [paragraph.split(",")[0], /note +(.*)/.exec(paragraph)?.[1]]);
    expect(notes).toEqual([
      [
        "form",
        'no output of the configuration takes this: output "form" sends another format now',
      ],
      ["gone", "no output of the configuration takes this"],
      [
        "memory",
        'no output of the configuration takes this: output "memory" keeps its queue in memory now',
      ],
      ["other", 'no output of the configuration takes this: output "other" is of plugin null now'],
      ["taken", undefined],
    ]);
    const json = (await folder.run("inspect", "-c", path, "--json")).out.trimEnd().split("\n");
    expect(json.map((line) => JSON.parse(line).taken_by)).toEqual([
      null,
      null,
      null,
      null,
      "taken",
    ]);
  });

  test("says so when there is nothing, or nothing can be", async () => {
    using folder = new StorageFolder();
    const path = await configure(folder, `    - {name: stdout, match: '*'}`);
    const none = await folder.run("inspect", "-c", path);
    expect([none.status, none.out]).toEqual([0, `There are no queues in ${folder.queues}\n`]);
    await Bun.write(
      path,
      "pipeline: {inputs: [{name: dummy}], outputs: [{name: stdout, match: '*'}]}",
    );
    const nowhere = await folder.run("inspect", "-c", path);
    expect([nowhere.status, nowhere.err]).toEqual([
      2,
      `logcollector: ${path} keeps nothing on disk: its service has no storage.path\n`,
    ]);
  });

  test("tells of a lost cursor, a lost identity and parts that were damaged", async () => {
    using folder = new StorageFolder();
    const path = await folder.fill({ done: 2 });
    rmSync(`${path}/cursor`);
    rmSync(`${path}/queue.json`);
    mkdirSync(`${path}/damaged`);
    writeFileSync(`${path}/damaged/1.bad`, "x".repeat(99));
    const { status, out } = await folder.run("inspect", "--path", path);
    expect(status).toBe(0);
    expect(out).toContain("?, for plugin ?\n");
    expect(out).toContain("  waiting   50 records in 5 payloads\n");
    expect(out).toContain('  damaged   1 part, 99 bytes kept in its folder "damaged"\n');
    expect(out).toContain("  note      queue.json is missing or damaged\n");
    expect(out).toContain(
      "  note      its cursor is missing or damaged: all that is there counts as waiting\n",
    );
  });
});

describe("queue verify", () => {
  test("says that all is well", async () => {
    using folder = new StorageFolder();
    const path = await folder.fill({ done: 2 });
    const { status, out } = await folder.run("verify", "--path", folder.path);
    expect([status, out.replace(/\d+ bytes/, "N bytes")]).toEqual([
      0,
      `http.0, for plugin http
  folder    ${path}
  verified  5 payloads, 50 records, N bytes in 1 segment

1 queue, 0 damaged places, 0 records missing
`,
    ]);
  });

  test("lists what is damaged with its place, and what that costs", async () => {
    using folder = new StorageFolder();
    const sound = await folder.fill({ output: "a" });
    const path = await folder.fill({ output: "b" });
    const segment = `${path}/0000000000000001.seg`;
    const { length } = readFileSync(segment);
    flip(segment, length - 20);
    flip(segment, 10);
    const { status, out } = await folder.run("verify", "--path", folder.path);
    expect(status).toBe(1);
    expect(out).toContain(
      "  damaged   0000000000000001.seg, bytes 0 to 64: its header; no record is missing\n",
    );
    expect(out).toMatch(
      new RegExp(
        `^ {2}damaged {3}0000000000000001.seg, bytes \\d+ to ${length}: 10 records missing$`,
        "m",
      ),
    );
    expect(out).toEndWith("\n\n2 queues, 2 damaged places, 10 records missing\n");
    const json = (await folder.run("verify", "--path", folder.path, "--json")).out.trimEnd();
    expect(json.split("\n").map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({
        folder: sound,
        payloads: 5,
        records: 50,
        damaged: [],
        cut_off: null,
      }),
      expect.objectContaining({
        folder: path,
        payloads: 4,
        records: 40,
        damaged: [
          { file: "0000000000000001.seg", from: 0, to: 64, records: 0, what: "header" },
          {
            file: "0000000000000001.seg",
            from: expect.any(Number),
            to: length,
            records: 10,
            what: "entries",
          },
        ],
      }),
    ]);
  });

  test("refuses what is no queue with the reason, and goes on with the others", async () => {
    using folder = new StorageFolder();
    const fill = (output: string) => folder.fill({ output });
    const foreign = await fill("foreign");
    const link = await fill("link");
    const newer = await fill("newer");
    const strange = await fill("strange");
    await fill("sound");
    writeFileSync(`${foreign}/notes.txt`, "");
    symlinkSync("/etc/passwd", `${link}/0000000000000099.seg`);
    writeFileSync(`${newer}/queue.json`, '{"version": 2}');
    copyFileSync(`${foreign}/0000000000000001.seg`, `${strange}/0000000000000099.seg`);
    const identity = JSON.parse(readFileSync(`${strange}/queue.json`, "utf8"));
    writeFileSync(`${strange}/queue.json`, JSON.stringify({ ...identity, id: "cd".repeat(16) }));
    for (const command of ["verify", "inspect"]) {
      const { status, out, err } = await folder.run(command, "--path", folder.path);
      expect(status).toBe(2);
      expect(err.trimEnd().split("\n").map((line) => line.replaceAll(folder.queues, "Q"))).toEqual([
        "Cannot use the queue in Q/foreign@http: Q/foreign@http/notes.txt does not belong to a queue. Nothing was changed there",
        "Cannot use the queue in Q/link@http: Q/link@http/0000000000000099.seg is a symbolic link. Nothing was changed there",
        "Cannot use the queue in Q/newer@http: it was written by a newer version of this program (format 2, known is 1). Nothing was changed there",
        "Cannot use the queue in Q/strange@http: Q/strange@http/0000000000000001.seg belongs to another queue. Nothing was changed there",
      ]);
      expect(out).toContain("sound, for plugin http\n");
    }
    const json = (await folder.run("verify", "--path", link, "--json")).out;
    expect(JSON.parse(json)).toEqual({
      folder: link,
      refused: expect.stringContaining("is a symbolic link"),
    });
  });
});

describe("orphanedQueues", () => {
  test("gives queues with records that none of the names has, counted without reading them", async () => {
    using folder = new StorageFolder();
    const orphan = await folder.fill({ output: "gone", payloads: 40, done: 15, segmentBytes: 400 });
    const { length } = readFileSync(
      `${await folder.fill({ output: "alone" })}/0000000000000001.seg`,
    );
    await folder.fill({ output: "here" });
    await folder.fill({ output: "empty", payloads: 3, done: 3 });
    rmSync(`${folder.queues}/alone@http/0000000000000001.idx`);
    writeFileSync(`${await folder.fill({ output: "refused" })}/notes`, "");
    writeFileSync(`${folder.queues}/file`, "");
    const found = orphanedQueues(folder.queues, new Set(["here@http"]));
    expect(found.sort((a, b) => a.folder < b.folder ? -1 : 1)).toEqual([
      {
        folder: `${folder.queues}/alone@http`,
        output: "alone",
        plugin: "http",
        records: 50,
        bytes: length,
      },
      { folder: orphan, output: "gone", plugin: "http", records: 250, bytes: expect.any(Number) },
    ]);
    expect(orphanedQueues(folder.at("none"), new Set())).toEqual([]);
  });
});
