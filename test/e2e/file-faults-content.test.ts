import { expect, setDefaultTimeout, test } from "bun:test";
import { closeSync, openSync, readFileSync, truncateSync, writeSync } from "node:fs";
import { eventually } from "../support/eventually.ts";
import { FileCollector, lines, text } from "./file-collector.ts";

// What ends a test that waits in vain are the deadlines of what it waits for.
setDefaultTimeout(60_000);

const MiB = 1024 * 1024;

/** The most memory that the program had, in MiB. */
function peakOf(pid: number): number {
  return Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) / 1024;
}

test("fault 16: a last line without its end waits for it, over a restart too", async () => {
  await using files = new FileCollector("*.log");
  await files.start();
  files.append("a.log", "whole\npart");
  await files.untilLines(1);
  files.append("b.log", "other\n");
  await files.untilLines(2);
  const snowman = Buffer.from("☃");
  files.append("a.log", snowman.subarray(0, 1));
  await files.stop();
  expect(files.lines).toEqual(["whole", "other"]);
  await files.start();
  files.append("b.log", "another\n");
  await files.untilLines(3);
  files.append("a.log", snowman.subarray(1));
  files.append("a.log", "ial\nlast\n");
  await files.expectLines(["whole", "other", "another", "part☃ial", "last"]);
});

test("fault 17: a writer that goes on at its old place after a truncation leaves a hole, and no zeros in a line", async () => {
  await using files = new FileCollector("app.log");
  files.append("app.log", text(0, 1000));
  await files.start();
  await files.untilLines(1000);
  const fd = openSync(files.at("app.log"), "r+");
  let at = text(0, 1000).length;
  let next = 1000;
  for (let round = 0; round < 5; round++) {
    truncateSync(files.at("app.log"));
    // A hole that is much larger than what can be read at once.
    if (round === 4) at = 100 * MiB;
    const more = text(next, next += 10);
    at += writeSync(fd, more, at);
    await files.untilLines(next);
  }
  closeSync(fd);
  await files.expectLines(lines(0, next));
});

test("fault 18: a line of 100 MB is cut and marked in bounded memory, and the next one is whole", async () => {
  await using files = new FileCollector("app.log", { offset_key: "at" });
  await files.start();
  files.append("app.log", "first\n");
  await files.untilLines(1);
  const before = peakOf(files.collector.pid);
  const block = Buffer.alloc(MiB, "x");
  for (let i = 0; i < 100; i++) files.append("app.log", block);
  files.append("app.log", "\nnext\n");
  await files.untilLines(3);
  expect(peakOf(files.collector.pid) - before).toBeLessThan(48);
  expect(await files.metric("input_long_line_truncated_total")).toBe(1);
  await files.stop();
  const [first, long, next] = files.records;
  expect(first).toMatchObject({ log: "first", at: 0 });
  expect(long).toMatchObject({ log: "x".repeat(32 * 1024 - 1), at: 6, _truncated: true });
  expect(next).toMatchObject({ log: "next", at: 6 + 100 * MiB + 1 });
  expect(files.records.length).toBe(3);
});

test("fault 18: a line of 100 MB is left out and counted with skip_long_lines", async () => {
  await using files = new FileCollector("app.log", { skip_long_lines: true });
  files.append("app.log", "first\n");
  const block = Buffer.alloc(MiB, "x");
  for (let i = 0; i < 100; i++) files.append("app.log", block);
  files.append("app.log", "\nnext\n");
  await files.start();
  await files.untilLines(2);
  expect(await files.metric("input_long_line_skipped_total")).toBe(1);
  await files.expectLines(["first", "next"]);
});

test("fault 19: bytes that are not UTF-8 become U+FFFD, and what goes out is JSON", async () => {
  await using files = new FileCollector("app.log");
  // Alone, overlong, a surrogate, cut off before the line's end, and above the last character.
  const bad = ["ff", "c080", "eda080", "f09f98", "f5808080"];
  for (const hex of bad) {
    files.append(
      "app.log",
      Buffer.concat([Buffer.from("<"), Buffer.from(hex, "hex"), Buffer.from(">\n")]),
    );
  }
  files.append("app.log", '"quoted" \\ \u0001\n');
  await files.start();
  await files.untilLines(bad.length + 1);
  await files.stop();
  const decoder = new TextDecoder();
  expect(files.lines).toEqual([
    ...bad.map((hex) => `<${decoder.decode(Buffer.from(hex, "hex"))}>`),
    '"quoted" \\ \u0001',
  ]);
});

test("fault 20: a byte order mark is no part of a line, nor is a CR, wherever a write or a read ends", async () => {
  await using files = new FileCollector("*.log", { buffer_chunk_size: 4096 });
  // Ends of lines come to lie on every position around the edge of a read.
  const expected: string[] = [];
  for (const shift of [0, 1, 2]) {
    const own = [
      `${shift} ${"x".repeat(shift)}`,
      ...lines(0, 900).map((line) => `${shift} ${line.padStart(13)}`),
    ];
    files.append(`${shift}.log`, `\uFEFF${own.join("\r\n")}\r\n`);
    expected.push(...own);
  }
  await files.start();
  await files.untilLines(expected.length);
  files.append("0.log", "slow\r");
  files.append("1.log", "seen\n");
  await files.untilLines(expected.length + 1);
  files.append("0.log", "\n");
  await files.expectSorted([...expected, "slow", "seen"]);
});

test("fault 21: UTF-16 is read whole across the edges of reads and writes", async () => {
  await using files = new FileCollector("app.log", {
    "unicode.encoding": "UTF-16LE",
    buffer_chunk_size: 4096,
  });
  const expected = lines(0, 2000).map((line, i) => `${line} ${"x".repeat(i % 7)}😀 ü 漢`);
  const bytes = Buffer.from(`\uFEFF${expected.map((line) => `${line}\n`).join("")}`, "utf16le");
  await files.start();
  // In the middle of a surrogate pair, and of a unit.
  for (let at = 0; at < bytes.length; at += 6007) {
    files.append("app.log", bytes.subarray(at, at + 6007));
  }
  await files.expectLines(expected);
});

test("fault 21: a line of emoji of several MB stays whole, or is cut before a character", async () => {
  await using files = new FileCollector("app.log", { buffer_max_size: 6 * MiB });
  const fits = `a${"😀".repeat(MiB)}`;
  const long = `ab${"😀".repeat(2 * MiB)}`;
  files.append("app.log", `${fits}\n${long}\nnext\n`);
  await files.start();
  await files.untilLines(3);
  await files.stop();
  expect(files.lines[0] === fits).toBe(true);
  const cut = files.lines[1] as string;
  expect(long.startsWith(cut) && cut.isWellFormed()).toBe(true);
  expect(Buffer.byteLength(cut)).toBeGreaterThan(6 * MiB - 8);
  expect(files.lines.slice(2)).toEqual(["next"]);
});

test("fault 28: files that begin alike are read each for itself, however short they are", async () => {
  await using files = new FileCollector("*.csv", { path_key: "file" });
  const header = `${"id,name,".repeat(200)}\n`;
  for (const name of ["a", "b", "c"]) files.append(`${name}.csv`, header);
  for (const name of ["d", "e"]) files.append(`${name}.csv`, "id\n");
  await files.start();
  await files.untilLines(5);
  files.append("a.csv", "1\n");
  files.append("d.csv", "2\n");
  await files.untilLines(7);
  await files.stop();
  files.append("b.csv", "3\n");
  files.append("e.csv", "4\n");
  await files.start();
  await files.untilLines(9);
  await files.stop();
  const of = (name: string) =>
    files.records.filter(({ file }) => file === files.at(`${name}.csv`)).map(({ log }) => log);
  const first = header.trimEnd();
  expect(["a", "b", "c", "d", "e"].map(of)).toEqual([
    [first, "1"],
    [first, "3"],
    [first],
    ["id", "2"],
    ["id", "4"],
  ]);
});

test("fault 30: a deleted file is read to its end, and then gives its space back", async () => {
  await using files = new FileCollector("app.log");
  const fd = openSync(files.at("app.log"), "a");
  writeSync(fd, text(0, 1000));
  await files.start();
  await files.untilLines(1000);
  Bun.spawnSync(["rm", files.at("app.log")]);
  writeSync(fd, text(1000, 200_000));
  await files.untilLines(200_000);
  closeSync(fd);
  await eventually(() => files.openFiles.length === 0, () => files.openFiles.join());
  files.append("app.log", text(200_000, 200_010));
  await files.expectLines(lines(0, 200_010));
});
