import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { Batch } from "../../../src/sdk/batch.ts";
import { encodeForSimpleOutput } from "../../../src/engine/simple-output.ts";
import { lockFile } from "../../../src/state/file-lock.ts";
import { eventually } from "../../support/eventually.ts";
import { HttpSink } from "../../support/http-sink.ts";
import { DlqFolder } from "./support.ts";

/** A configuration with these outputs, whose dead letters are in the folder. */
async function config(folder: DlqFolder, outputs: string, more = ""): Promise<string> {
  const path = folder.at("config.yaml");
  await Bun.write(
    path,
    `service: {storage.path: ${folder.path}}
${more}
pipeline:
  inputs: [{name: dummy}]
  outputs:
${outputs}
`,
  );
  return path;
}

const httpTo = ({ port }: HttpSink, more = "") =>
  `    - {name: http, match: '*', host: 127.0.0.1, port: ${port}, format: json_lines${more}}\n`;

describe("dlq replay", () => {
  test("sends each letter to its output, and says what became of it", async () => {
    using folder = new DlqFolder();
    using good = new HttpSink();
    using bad = new HttpSink();
    bad.status = 400;
    const path = await config(folder, httpTo(good) + httpTo(bad));
    const a = await folder.add({ text: "a\n", records: 1 });
    const b = await folder.add({ text: "b\n", records: 2, output: "http.1" });
    const c = await folder.add({ text: "c\n", records: 4, output: "gone" });
    const d = await folder.add({ text: "d\n", records: 8 });
    const { status, out, err } = await folder.run("replay", "--all", "-c", path);
    expect([status, err]).toEqual([1, ""]);
    expect(out.trimEnd().split("\n")).toEqual([
      `Delivered ${a}, 1 record, to http.0`,
      expect.stringMatching(new RegExp(`^Left ${b}, 2 records: refused again: Cannot post.*400$`)),
      `Left ${c}, 4 records: there is no output "gone" in the configuration any more: --to sends to another one of plugin http`,
      `Delivered ${d}, 8 records, to http.0`,
      "Delivered 9 records; left 2 letters with 6 records",
    ]);
    expect(good.bodies).toEqual(["a\n", "d\n"]);
    expect(folder.ids).toEqual([b, c]);

    const to = await folder.run("replay", b, "--to", "http.0", "-c", path);
    expect([to.status, to.out.split("\n")[0]]).toEqual([0, `Delivered ${b}, 2 records, to http.0`]);
    const all = await folder.run("replay", "--all", "--output", "gone", "--to=http.0", "-c", path);
    expect([all.status, all.out]).toMatchObject([
      0,
      `Delivered ${c}, 4 records, to http.0\nDelivered 4 records\n`,
    ]);
    expect(good.bodies).toEqual(["a\n", "d\n", "b\n", "c\n"]);
    expect(folder.ids).toEqual([]);
  });

  test("names outputs for --to that there are", async () => {
    using folder = new DlqFolder();
    using sink = new HttpSink();
    const path = await config(folder, httpTo(sink) + httpTo(sink, ", alias: shop"));
    for (const [to, hint] of [["shpo", 'did you mean "shop"?'], ["x", "http.0, shop"]] as const) {
      const { status, err } = await folder.run("replay", "--all", "--to", to, "-c", path);
      expect([status, err]).toEqual([
        2,
        `logcollector: there is no output "${to}" in ${path}: ${hint}\n`,
      ]);
    }
  });

  test("leaves letters of another plugin alone, and ids that are not there", async () => {
    using folder = new DlqFolder();
    using sink = new HttpSink();
    const path = await config(folder, httpTo(sink));
    const id = await folder.add({ plugin: "file" });
    const other = id.replace("0000", "0001");
    const { status, out, err } = await folder.run("replay", id, other, "-c", path);
    expect([status, err]).toEqual([1, `There is no dead letter ${other} in ${folder.letters}\n`]);
    expect(out).toContain('it is for the plugin file, and output "http.0" is of http');
    expect(folder.ids).toEqual([id]);
  });

  test("gives records to an output that takes records, in a plugin of the user's own", async () => {
    using folder = new DlqFolder();
    writeFileSync(
      folder.at("mine.ts"),
      `import { defineOutput } from "logcollector/plugin";
import { appendFileSync } from "node:fs";
import * as z from "zod";
export default defineOutput({
  name: "mine",
  summary: "Writes to a file",
  config: z.object({ path: z.string().describe("The file") }),
  create: ({ path }) => {
    let opened = false;
    return {
      async open() { opened = true; },
      async write(batch) {
        for (const { sec, body } of batch.records) {
          appendFileSync(path, JSON.stringify({ opened, tag: batch.tag, sec, ...body }) + "\\n");
        }
      },
      close: () => appendFileSync(path, "closed\\n"),
    };
  },
});
`,
    );
    const path = await config(
      folder,
      `    - {name: mine, match: '*', path: ${folder.at("out")}}`,
      "plugins: [mine.ts]",
    );
    const parts: Uint8Array[] = [];
    encodeForSimpleOutput({ async write() {} }).encode(
      Batch.of("app.web", [{ sec: 5, nsec: 0, body: { n: 1n, text: "é" } }]),
      { partition() {}, text() {}, drop() {}, bytes: (part) => void parts.push(part.slice()) },
    );
    const id = await folder.add({
      output: "mine.0",
      plugin: "mine",
      format: "records",
      partition: "app.web",
      records: 1,
      bytes: Buffer.concat(parts),
    });
    const shown = await folder.runHere("show", id);
    expect(shown.out).toEndWith(' bytes, records as JSON\n\n["5.000000000",{"n":1,"text":"é"}]\n');
    const { status, out, err } = await folder.run("replay", id, "-c", path);
    expect([status, out, err]).toEqual([
      0,
      `Delivered ${id}, 1 record, to mine.0\nDelivered 1 record\n`,
      "",
    ]);
    expect(await Bun.file(folder.at("out")).text()).toBe(
      '{"opened":true,"tag":"app.web","sec":5,"n":1,"text":"é"}\nclosed\n',
    );
  });

  test("leaves letters of an output that cannot be made, with the place of its mistake", async () => {
    using folder = new DlqFolder();
    using sink = new HttpSink();
    const path = await config(folder, httpTo(sink, ", body_key: $x"));
    const id = await folder.add();
    const { status, out } = await folder.run("replay", id, "-c", path);
    expect(status).toBe(1);
    expect(out).toMatch(
      /^Left \S+, 10 records: .*config.yaml:6:\d+: .*body_key and headers_key need each other/,
    );
  });

  test("is done by one process at a time", async () => {
    using folder = new DlqFolder();
    using sink = new HttpSink();
    const path = await config(folder, httpTo(sink));
    await folder.add();
    const lock = lockFile(`${folder.letters}/replay.lock`);
    const { status, err } = await folder.run("replay", "--all", "-c", path);
    lock.release();
    expect([status, err]).toEqual([
      1,
      `logcollector: process ${process.pid} sends the dead letters in ${folder.letters} already\n`,
    ]);
    expect((await folder.run("replay", "--all", "-c", path)).status).toBe(0);
  });

  test("has nothing to do where nothing was kept", async () => {
    using folder = new DlqFolder();
    using sink = new HttpSink();
    const path = await config(folder, httpTo(sink));
    const { status, out } = await folder.run("replay", "--all", "-c", path);
    expect([status, out]).toEqual([0, `There is nothing to replay in ${folder.letters}\n`]);
  });

  test("stops at a signal, and says what is left", async () => {
    using folder = new DlqFolder();
    using sink = new HttpSink();
    sink.status = 503;
    const path = await config(folder, httpTo(sink));
    const ids = [await folder.add(), await folder.add()];
    const running = folder.run("replay", "--all", "-c", path);
    await eventually(() => sink.refused > 0);
    folder.stop();
    const { status, out } = await running;
    expect([status, out]).toEqual([
      1,
      `Left ${
        ids[0]
      }, 10 records: stopped\nDelivered 0 records; left 1 letter with 10 records; stopped before the end\n`,
    ]);
    expect(folder.ids).toEqual(ids);
  });
});
