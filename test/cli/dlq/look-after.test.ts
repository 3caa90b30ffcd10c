import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { DlqFolder } from "./support.ts";

/** Changes a byte in a letter's file, counted from its end when negative. */
function flip(folder: DlqFolder, id: string, at: number): void {
  const path = `${folder.letters}/${id}.dead`;
  const bytes = readFileSync(path);
  bytes[at < 0 ? bytes.length + at : at]! ^= 1;
  writeFileSync(path, bytes);
}

describe("dlq list", () => {
  test("shows a line a letter, the oldest first, and totals", async () => {
    using folder = new DlqFolder();
    await folder.add({ output: "shop", records: 3, text: "abc" });
    await folder.add({ message: `line\nbreak \x1b[31m ${"x".repeat(500)}`, reason: "retry_limit" });
    const { status, out } = await folder.runHere("list");
    expect(status).toBe(0);
    const lines = out.split("\n");
    expect(lines.slice(0, 3).map((line) => line.replace(/ {2,}/g, "  "))).toEqual([
      "ID  TIME  OUTPUT  RECORDS  BYTES  REASON  MESSAGE",
      "20261122T140500.000Z-0000-3-shop  2026-11-22 14:05:00  shop  3  3  refused  Cannot post to 127.0.0.1:80: status is 400",
      `20261122T140501.000Z-0000-10-http.0  2026-11-22 14:05:01  http.0  10  14  retry_limit  line\\x0abreak \\x1b[31m ${
        "x".repeat(142)
      }…`,
    ]);
    expect(out).toMatch(
      /\n\n2 letters, 13 records, \d+ bytes in .*rejected\n"logcollector dlq show ID"/,
    );
  });

  test("prints JSON for programs, with everything that is known", async () => {
    using folder = new DlqFolder();
    const id = await folder.add({ partition: "web\u202e", attempts: 4 });
    const { out } = await folder.runHere("list", "--json");
    expect(out).not.toContain("\u202e");
    expect(out.split("\n").filter(Boolean).map((line) => JSON.parse(line))).toEqual([{
      id,
      time: "2026-11-22T14:05:00.000Z",
      output: "http.0",
      plugin: "http",
      format: "json_lines",
      partition: "web\u202e",
      records: 10,
      bytes: 14,
      reason: "refused",
      message: "Cannot post to 127.0.0.1:80: status is 400",
      attempts: 4,
    }]);
  });

  test("shows those of one output, and says when there are none", async () => {
    using folder = new DlqFolder();
    await folder.add({ output: "a" });
    const second = await folder.add({ output: "b" });
    expect((await folder.runHere("list", "--output", "b", "--json")).out).toContain(second);
    expect((await folder.runHere("list", "--output", "b")).out).toContain("\n1 letter, ");
    expect((await folder.runHere("list", "--output", "c")).out)
      .toBe(`There are no dead letters of output "c" in ${folder.letters}\n`);
  });

  test("reports a damaged letter among the others", async () => {
    using folder = new DlqFolder();
    const damaged = await folder.add();
    const sound = await folder.add();
    flip(folder, damaged, 80);
    const { status, out } = await folder.runHere("list");
    expect(status).toBe(0);
    expect(out).toMatch(
      new RegExp(`^${damaged} .* \\? .*damaged: its header is not what was written$`, "m"),
    );
    expect(out).toMatch(new RegExp(`^${sound} .*status is 400$`, "m"));
    const [first] = (await folder.runHere("list", "--json")).out.split("\n");
    expect(JSON.parse(first!)).toMatchObject({
      id: damaged,
      records: 10,
      problem: "damaged: its header is not what was written",
    });
  });

  test("takes the storage folder or the configuration for the folder", async () => {
    using folder = new DlqFolder();
    const id = await folder.add();
    expect((await folder.run("list", "--path", folder.path)).out).toContain(id);
    const config = (service: string) =>
      `service: {${service}}\npipeline: {inputs: [{name: dummy}], outputs: [{name: stdout, match: '*'}]}\n`;
    await Bun.write(folder.at("config.yaml"), config(`storage.path: ${folder.path}`));
    expect((await folder.run("list", "-c", folder.at("config.yaml"))).out).toContain(id);
    await Bun.write(folder.at("none.yaml"), config("flush: 1"));
    const none = await folder.run("list", "-c", folder.at("none.yaml"));
    expect([none.status, none.err]).toEqual([
      2,
      `logcollector: ${
        folder.at("none.yaml")
      } keeps no dead letters: its service has no storage.path\n`,
    ]);
    await Bun.write(folder.at("wrong.yaml"), config("flsh: 1"));
    const wrong = await folder.run("list", "-c", folder.at("wrong.yaml"));
    expect(wrong.status).toBe(2);
    expect(wrong.err).toMatch(
      /unknown option "flsh".*\nThe folder of dead letters can also be given with --path/,
    );
  });

  test("says what is wrong with a folder that is none", async () => {
    using folder = new DlqFolder();
    writeFileSync(folder.letters, "");
    const { status, err } = await folder.runHere("list");
    expect(status).toBe(1);
    expect(err).toMatch(/^logcollector: ENOTDIR.*rejected/);
  });
});

describe("dlq show", () => {
  test("shows what is known, and a payload of text without its control characters", async () => {
    using folder = new DlqFolder();
    const id = await folder.add({ text: "über \x1b[31m\x9b\u202e\nend", partition: "web\n" });
    const { status, out } = await folder.runHere("show", id);
    expect(status).toBe(0);
    expect(out).toBe(`id         ${id}
file       ${folder.letters}/${id}.dead
time       2026-11-22T14:05:00.000Z
output     http.0
plugin     http, format json_lines
partition  web\\x0a
records    10
reason     refused, after 1 attempt
message    Cannot post to 127.0.0.1:80: status is 400
payload    20 bytes

über \\x1b[31m\\x9b\\u202e
end
`);
  });

  test("shows bytes as a hex dump", async () => {
    using folder = new DlqFolder();
    const id = await folder.add({
      bytes: Buffer.from([0, 1, ...Buffer.from("Hello, world! "), 255]),
    });
    const { out } = await folder.runHere("show", id);
    expect(out).toContain("payload    17 bytes, binary\n");
    expect(out).toEndWith(`
00000000  00 01 48 65 6c 6c 6f 2c  20 77 6f 72 6c 64 21 20  |..Hello, world! |
00000010  ff                                                |.|
`);
  });

  test.each([["gzip", gzipSync], ["zstd", zstdCompressSync]] as const)(
    "shows what is packed with %s",
    async (name, pack) => {
      using folder = new DlqFolder();
      const id = await folder.add({ bytes: pack(Buffer.from('{"a":1}\n')) });
      const { out } = await folder.runHere("show", id);
      expect(out).toContain(` bytes, unpacked from ${name}\n`);
      expect(out).toEndWith('\n\n{"a":1}\n');
      // What only begins as such a file is shown as it is.
      const broken = await folder.add({ bytes: pack(Buffer.from("x")).subarray(0, 6) });
      expect((await folder.runHere("show", broken)).out).toContain("6 bytes, binary\n");
    },
  );

  test("shows the beginning of what is long, and says how to get the rest", async () => {
    using folder = new DlqFolder();
    const cases = [
      Buffer.from("ü".repeat(100_000)),
      Buffer.alloc(1_000_000),
      gzipSync(Buffer.alloc(200_000_000, 97)),
    ];
    for (const bytes of cases) {
      const id = await folder.add({ bytes });
      const { out } = await folder.runHere("show", id);
      expect(out.length).toBeLessThan(40_000);
      expect(out).not.toContain("\ufffd");
      expect(out).toEndWith(
        `\n… and more: "logcollector dlq show ${id} --raw" writes all of it\n`,
      );
    }
  });

  test("--raw writes the bytes and nothing else", async () => {
    using folder = new DlqFolder();
    const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, i) => i * i));
    const id = await folder.add({ bytes });
    const shown = await folder.runHere("show", id, "--raw");
    expect([shown.status, shown.out]).toEqual([0, ""]);
    expect(bytes.equals(shown.bytes)).toBe(true);
  });

  test("says when a letter is not there, or damaged", async () => {
    using folder = new DlqFolder();
    const id = await folder.add();
    flip(folder, id, -1);
    const damaged = await folder.runHere("show", id, "--raw");
    expect([damaged.status, damaged.bytes.length, damaged.err]).toEqual([
      1,
      0,
      `logcollector: cannot read dead letter ${id} in ${folder.letters}: damaged: its payload is not what was written\n`,
    ]);
    const other = id.replace("0000", "0001");
    expect((await folder.runHere("show", other)).err).toBe(
      `logcollector: there is no dead letter ${other} in ${folder.letters}\n`,
    );
  });
});

describe("dlq drop", () => {
  test("removes what was asked for, and says so", async () => {
    using folder = new DlqFolder();
    const [a, b, c] = [
      await folder.add(),
      await folder.add({ output: "shop" }),
      await folder.add(),
    ];
    const { status, out } = await folder.runHere("drop", b);
    expect([status, out]).toEqual([
      0,
      `Dropped ${b}, 10 records of output shop\nDropped 1 letter with 10 records\n`,
    ]);
    expect(folder.ids).toEqual([a, c]);
  });

  test("goes on behind an id that is not there, with status 1", async () => {
    using folder = new DlqFolder();
    const id = await folder.add();
    const other = id.replace("0000", "0001");
    const { status, out, err } = await folder.runHere("drop", other, id);
    expect([status, err]).toEqual([1, `There is no dead letter ${other} in ${folder.letters}\n`]);
    expect(out).toContain("Dropped 1 letter with 10 records\n");
  });

  test("--all takes those of an output, or all, also damaged ones", async () => {
    using folder = new DlqFolder();
    const [a, b, c] = [
      await folder.add({ output: "a" }),
      await folder.add({ output: "b" }),
      await folder.add({ output: "a" }),
    ];
    flip(folder, a, 80);
    await folder.runHere("drop", "--all", "--output", "a");
    expect(folder.ids).toEqual([a, b]);
    const none = await folder.runHere("drop", "--all");
    expect([none.status, folder.ids, existsSync(`${folder.letters}/${c}.dead`)]).toEqual([
      0,
      [],
      false,
    ]);
  });

  test("--older-than spares what is younger", async () => {
    using folder = new DlqFolder();
    const hour = 3_600_000;
    const ages = [5 * hour, 3 * hour, hour];
    const ids = [];
    for (const age of ages) ids.push(await folder.addAt(Date.now() - age));
    await folder.runHere("drop", "--all", "--older-than", "2h");
    expect(folder.ids).toEqual(ids.slice(2));
  });

  test("leaves everything else in the folder alone", async () => {
    using folder = new DlqFolder();
    const id = await folder.add();
    mkdirSync(`${folder.letters}/${id}x.dead`);
    writeFileSync(`${folder.letters}/notes`, "");
    await folder.runHere("drop", "--all");
    expect([existsSync(`${folder.letters}/${id}x.dead`), existsSync(`${folder.letters}/notes`)])
      .toEqual([true, true]);
  });
});
