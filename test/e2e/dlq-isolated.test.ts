import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { goPlugin, removeGoPlugins, withoutGo } from "../hosts/go/go-plugins.ts";
import { Collector } from "../support/binary.ts";
import { TempFolder } from "../support/temp-folder.ts";

// What ends a test that waits in vain are the deadlines of what it waits for.
setDefaultTimeout(60_000);

afterAll(removeGoPlugins);

/** Sends `even` and `odd` numbers on their own, and refuses what stands in the file `bad`. */
const PLUGIN = `
import { defineOutput, field, PartialError, PermanentError } from "logcollector/plugin";
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import * as z from "zod";

export default defineOutput({
  name: "own", summary: "Refuses what it is told to",
  config: z.object({
    file: field.text().describe("Where it writes"),
    bad: field.text().describe("A file with the numbers that it refuses, or with none, throw or all"),
    format: field.text().default("lines").describe("The name of its format"),
  }),
  create: ({ file, bad, format }) => ({
    format,
    framing: { separator: "," },
    encode(batch, into) {
      for (const { body } of batch.records) {
        into.partition(body.n % 2 === 0 ? "even" : "odd");
        into.text(String(body.n), 1);
      }
    },
    async send({ partition, bytes }) {
      const refused = existsSync(bad) ? readFileSync(bad, "utf8").split(" ") : [];
      if (refused[0] === "all") throw new PermanentError("nothing is taken");
      if (refused[0] === partition) throw new PermanentError("no " + partition + " ones");
      const all = Buffer.from(bytes).toString().split(",");
      const good = all.filter((n) => !refused.includes(n));
      const refusedParts = all.filter((n) => refused.includes(n))
        .map((n) => ({ bytes: Buffer.from(n), records: 1, message: n + " is bad" }));
      if (good.length > 0) appendFileSync(file, partition + " " + good.join(",") + "\\n");
      if (refusedParts.length === 0) return;
      throw new PartialError("some are bad", new Uint8Array(), 0, refusedParts.length, { refusedParts });
    },
  }),
});`;

const SIMPLE = `
import { defineOutput, field, PermanentError } from "logcollector/plugin";
import { appendFileSync, existsSync } from "node:fs";
import * as z from "zod";

export default defineOutput({
  name: "own", summary: "Refuses everything as long as a file is there",
  config: z.object({ file: field.text().describe("Where"), bad: field.text().describe("The file") }),
  create: ({ file, bad }) => ({
    async write(batch) {
      if (existsSync(bad)) throw new PermanentError("not while it is there");
      for (const { body } of batch.records) appendFileSync(file, body.n + "\\n");
    },
  }),
});`;

const dlq = (...args: string[]) => Collector.run(["dlq", ...args]);

const numbered = (count: number): string =>
  Array.from({ length: count }, (_, n) => `{"n":${n}}\n`).join("");

/** A plugin in a worker, with what it is told to refuse and what it wrote. */
class Own implements Disposable {
  readonly config: string;
  readonly letters: string;
  private readonly folder = new TempFolder();
  private readonly code: string;

  constructor(code: string) {
    this.code = code;
    this.letters = this.folder.at("state/rejected");
    this.config = this.folder.at("config.yaml");
    this.write("worker");
  }

  write(isolation: "worker" | "inline", more = ""): void {
    const { folder } = this;
    writeFileSync(folder.at("own.ts"), this.code);
    writeFileSync(
      this.config,
      `service: {flush: 0.02, storage.path: ${folder.at("state")}}
plugins: [{path: ./own.ts, isolation: ${isolation}}]
pipeline:
  inputs: [{name: stdin, tag: t}]
  outputs:
    - {name: own, alias: mine, match: t, file: ${folder.at("out")}, bad: ${folder.at("bad")}${more}}
`,
    );
  }

  refuse(text: string): void {
    writeFileSync(this.folder.at("bad"), text);
  }

  takeAll(): void {
    rmSync(this.folder.at("bad"));
  }

  get lines(): string[] {
    const path = this.folder.at("out");
    return existsSync(path) ? readFileSync(path, "utf8").split("\n").filter(Boolean) : [];
  }

  /** The ids of the letters, in the order of their names. */
  get ids(): string[] {
    return readdirSync(this.letters).filter((name) => name.endsWith(".dead")).sort()
      .map((name) => name.replace(/\.dead$/, ""));
  }

  async run(count: number): Promise<Collector> {
    return await Collector.run(["-c", this.config], { stdin: numbered(count) });
  }

  [Symbol.dispose](): void {
    this.folder[Symbol.dispose]();
  }
}

test("what a plugin in a worker refuses is kept, shown, refused again, and sent again", async () => {
  using own = new Own(PLUGIN);
  own.refuse("1 4");
  const run = await own.run(6);
  expect(run.status).toBe(0);
  expect(own.lines.sort()).toEqual(["even 0,2", "odd 3,5"]);
  expect(run.stderr).not.toContain("Dropped");
  const list = await dlq("list", "-c", own.config, "--json");
  const found = list.lines.map((line) => JSON.parse(line));
  expect(
    found.map((
      { output, plugin, records, reason, message },
    ) => [output, plugin, records, reason, message]),
  ).toEqual([
    ["mine", "own", 1, "refused", "4 is bad"],
    ["mine", "own", 1, "refused", "1 is bad"],
  ]);
  const [id] = own.ids;
  const shown = await dlq("show", id!, "-c", own.config);
  expect(shown.stdout).toEndWith("\n\n4\n");

  own.refuse("1");
  const replayed = await dlq("replay", "--all", "-c", own.config);
  expect([replayed.stderr, replayed.status, replayed.lines.at(-1)]).toEqual([
    "",
    1,
    "Delivered 1 record; left 1 letter with 1 record",
  ]);
  expect(replayed.stdout).toContain("refused again: 1 is bad");
  own.takeAll();
  const last = await dlq("replay", "--all", "-c", own.config);
  expect([last.stderr, last.status, last.lines.at(-1)]).toEqual(["", 0, "Delivered 1 record"]);
  expect(own.lines.slice(2)).toEqual(["even 4", "odd 1"]);
  expect(own.ids).toEqual([]);
});

test("a letter of a worker output goes to no output that would not understand it", async () => {
  using own = new Own(PLUGIN);
  own.refuse("odd");
  await own.run(4);
  expect(own.lines).toEqual(["even 0,2"]);
  own.takeAll();

  own.write("inline");
  const inline = await dlq("replay", "--all", "-c", own.config);
  expect(inline.status).toBe(1);
  expect(inline.stdout).toContain(
    'it is in format isolated, and output "mine" sends format lines',
  );
  own.write("worker", ", format: other");
  const other = await dlq("replay", "--all", "-c", own.config);
  expect(other.status).toBe(1);
  expect(other.stdout).toContain("refused again: they were encoded in a form");
  expect(own.lines).toEqual(["even 0,2"]);

  own.write("worker");
  const replayed = await dlq("replay", "--all", "-c", own.config);
  expect(replayed.status).toBe(0);
  expect(own.lines).toEqual(["even 0,2", "odd 1,3"]);
});

test.each([
  ["one that encodes", PLUGIN, "all", ["even 0,2", "odd 1"]],
  ["one that takes records", SIMPLE, "", ["0", "1", "2"]],
])("a delivery that %s refuses whole is kept as its records", async (_, code, bad, lines) => {
  using own = new Own(code);
  own.refuse(bad);
  const run = await own.run(3);
  expect(run.stderr).toContain("Kept 3 records as a dead letter");
  const shown = await Promise.all(own.ids.map((id) => dlq("show", id, "-c", own.config)));
  const text = shown.map(({ stdout }) => stdout).join("");
  expect(own.lines).toEqual([]);
  if (code === SIMPLE) expect(text).toMatch(/, records as JSON\n\n(\["[\d.]+",\{"n":\d\}\]\n){3}$/);
  own.takeAll();
  const replayed = await dlq("replay", "--all", "-c", own.config);
  expect([replayed.stderr, replayed.status]).toEqual(["", 0]);
  expect(replayed.lines.at(-1)).toBe("Delivered 3 records");
  expect(own.lines).toEqual(lines);
  expect(own.ids).toEqual([]);
});

test("a worker that ends at each attempt does not end the command, and the letter stays", async () => {
  using own = new Own(SIMPLE.replace("throw new PermanentError", "process.exit(3); void"));
  own.refuse("");
  const run = await own.run(3);
  expect(run.stderr).toContain(
    "Kept 3 records as a dead letter: the plugin's worker failed 3 times",
  );
  const again = await dlq("replay", "--all", "-c", own.config);
  expect(again.status).toBe(1);
  expect(again.lines[0]).toContain("3 records: refused again: the plugin's worker failed 3 times");
  expect(again.lines.at(-1)).toBe("Delivered 0 records; left 1 letter with 3 records");
  own.takeAll();
  const replayed = await dlq("replay", "--all", "-c", own.config);
  expect([replayed.stderr, replayed.status]).toEqual(["", 0]);
  expect(own.lines).toEqual(["0", "1", "2"]);
});

describe.skipIf(withoutGo)("Go output", () => {
  /** A configuration with the output `records`, that fails as it is told. */
  async function goOutput(folder: TempFolder) {
    const plugin = await goPlugin("out_records");
    const config = folder.at("config.yaml");
    const write = (fault: string): void =>
      writeFileSync(
        config,
        `service: {flush: 0.02, storage.path: ${folder.at("state")}}
plugins: [${plugin}]
pipeline:
  inputs: [{name: stdin, tag: t}]
  outputs: [{name: records, alias: go, match: t, path: ${folder.at("out")}${fault}}]
`,
      );
    return { config, write };
  }

  const written = (folder: TempFolder): unknown[] =>
    readFileSync(folder.at("out"), "utf8").split("\n").filter(Boolean)
      .map((line) => [JSON.parse(line).tag, JSON.parse(line).record]);

  test("what answers FLB_ERROR is kept, shown, refused again, and sent again", async () => {
    using folder = new TempFolder();
    const { config, write } = await goOutput(folder);
    write(", fault: error, fault_at: 1, times: 1");
    const run = await Collector.run(["-c", config], { stdin: numbered(3) });
    expect(run.status).toBe(0);
    expect(run.stderr).toContain(
      "Kept 3 records as a dead letter: the plugin refuses them (FLB_ERROR)",
    );
    expect(run.stderr).not.toContain("Dropped");
    const [file, ...others] = readdirSync(folder.at("state/rejected"));
    expect(others).toEqual([]);
    const shown = await dlq("show", file!.replace(/\.dead$/, ""), "-c", config);
    expect(shown.stdout).toContain("\nreason     refused, after 1 attempt\n");
    expect(shown.stdout).toMatch(/, records as JSON\n\n(\["[\d.]+",\{"n":\d\}\]\n){3}$/);

    const again = await dlq("replay", "--all", "-c", config);
    expect(again.status).toBe(1);
    expect(again.lines[0]).toContain("refused again: the plugin refuses them (FLB_ERROR)");
    expect(written(folder)).toEqual([]);
    write("");
    const replayed = await dlq("replay", "--all", "-c", config);
    expect([replayed.status, replayed.lines.at(-1)]).toEqual([0, "Delivered 3 records"]);
    expect(written(folder)).toEqual([["t", { n: 0 }], ["t", { n: 1 }], ["t", { n: 2 }]]);
    expect(readdirSync(folder.at("state/rejected"))).toEqual(["replay.lock"]);
  });

  test("a letter arrives although the plugin asks to try again", async () => {
    using folder = new TempFolder();
    const { config, write } = await goOutput(folder);
    write(", fault: error, fault_at: 1, times: 1");
    await Collector.run(["-c", config], { stdin: numbered(3) });
    write(", fault: retry, fault_at: 1, times: 1");
    const replayed = await dlq("replay", "--all", "-c", config);
    expect([replayed.status, replayed.lines.at(-1)]).toEqual([0, "Delivered 3 records"]);
    expect(written(folder)).toHaveLength(3);
  });
});
