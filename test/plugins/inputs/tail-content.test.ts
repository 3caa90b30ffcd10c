import { expect, test } from "bun:test";
import { appendFileSync, truncateSync, writeFileSync } from "node:fs";
import { compilePattern } from "logcollector/plugin";
import { gzipSync } from "node:zlib";
import { TempFolder } from "../../support/temp-folder.ts";
import { readAll, startTail } from "./tail-driver.ts";

const KiB = 1024;

/** The bodies that tail makes of a file with this content. */
async function bodiesOf(content: string | Uint8Array, options: Record<string, unknown> = {}) {
  using folder = new TempFolder();
  writeFileSync(folder.at("a.log"), content);
  const input = await readAll({ path: folder.at("a.log"), ...options });
  return input.bodies;
}

async function linesOf(content: string | Uint8Array, options: Record<string, unknown> = {}) {
  return (await bodiesOf(content, options)).map((body) => body.log as string);
}

test("fault 16: tail makes a record of each line only once the line is whole, whatever the writes", async () => {
  using folder = new TempFolder();
  const path = folder.at("a.log");
  writeFileSync(path, "");
  await using input = startTail({ path });
  const text = "zwölf\nБоксёров 😀\n漢字\n";
  for (const byte of Buffer.from(text)) {
    appendFileSync(path, Buffer.of(byte));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await input.untilRecords(3);
  expect(input.values()).toEqual(["zwölf", "Боксёров 😀", "漢字"]);
});

test("fault 20: tail takes the carriage return off wherever a read ends", async () => {
  // Reads are 4 KiB: line ends come to lie on every position around a read's edge.
  for (const shift of [0, 1, 2]) {
    const lines = [
      "x".repeat(shift + 1),
      ...Array.from({ length: 900 }, (_, i) => String(i).padStart(14, "0")),
    ];
    const got = await linesOf(lines.join("\r\n") + "\r\n", { buffer_chunk_size: 4096 });
    expect(got).toEqual(lines);
  }
});

test("tail leaves out a byte order mark, and only at the start", async () => {
  expect(await linesOf("\uFEFFa\n\uFEFFb\n")).toEqual(["a", "\uFEFFb"]);
  expect(await linesOf("\uFEFF")).toEqual([]);
});

test("fault 19: tail makes U+FFFD of bytes that are not UTF-8 and loses no line break to them", async () => {
  const content = Buffer.concat([
    Buffer.from([0x61, 0xff, 0xfe, 0x0a, 0xe4, 0x0a, 0xf0, 0x9f, 0x98, 0x0a]),
    Buffer.from("ende\n"),
  ]);
  const lines = await linesOf(content);
  expect(lines.length).toBe(4);
  expect(lines[0]).toBe("a\uFFFD\uFFFD");
  expect(lines[1]).toBe("\uFFFD");
  expect(lines[3]).toBe("ende");
});

test("tail emits a last line without a break with exit_on_eof", async () => {
  expect(await linesOf("a\nb")).toEqual(["a", "b"]);
  expect(await linesOf("a\nb\n")).toEqual(["a", "b"]);
  expect(await linesOf("")).toEqual([]);
  expect(await linesOf("ü")).toEqual(["ü"]);
});

test("tail keeps empty lines, or leaves them out with skip_empty_lines", async () => {
  expect(await linesOf("\n\na\n\n")).toEqual(["", "", "a", ""]);
  expect(await linesOf("\n\r\na\n\n", { skip_empty_lines: true })).toEqual(["a"]);
});

test("tail passes over a hole of a gigabyte quickly and within bounded memory", async () => {
  using folder = new TempFolder();
  const path = folder.at("a.log");
  writeFileSync(path, "before\n");
  truncateSync(path, 1024 ** 3);
  appendFileSync(path, "after\n");
  const startMs = performance.now();
  const residentBefore = process.memoryUsage().rss;
  const input = await readAll({ path, offset_key: "at" });
  expect(input.bodies).toEqual([{ at: 0, log: "before" }, { at: 1024 ** 3, log: "after" }]);
  expect(performance.now() - startMs).toBeLessThan(5000);
  expect(process.memoryUsage().rss - residentBefore).toBeLessThan(64 * KiB * KiB);
});

test("fault 17: tail passes over the zeros that a writer leaves before its next line after a truncation", async () => {
  using folder = new TempFolder();
  const path = folder.at("a.log");
  writeFileSync(path, "1\n2\n");
  await using input = startTail({ path });
  await input.untilRecords(2);
  truncateSync(path);
  truncateSync(path, 4);
  appendFileSync(path, "3\n");
  await input.untilRecords(3);
  expect(input.values()).toEqual(["1", "2", "3"]);
});

for (const place of ["alone", "among others", "at the end without a break"] as const) {
  for (const length of [32765, 32766, 32767, 32768, 70_000, 200_000]) {
    test(`tail treats a line of ${length} bytes ${place} as long only over 32766`, async () => {
      const line = "0123456789".repeat(length / 10 + 1).slice(0, length);
      const before = place === "among others" ? "short 1\n" : "";
      const after = place === "among others" ? "\nshort 2\n" : place === "alone" ? "\n" : "";
      const around = (lines: unknown[]) =>
        place === "among others" ? ["short 1", ...lines, "short 2"] : lines;
      const content = before + line + after;
      const isLong = length > 32766;
      const plain = await bodiesOf(content);
      expect(plain.map((body) => body.log)).toEqual(
        around([isLong ? line.slice(0, 32767) : line]) as never,
      );
      expect(plain.map((body) => body._truncated)).toEqual(
        around([isLong || undefined]).map((mark) => mark === true || undefined) as never,
      );
      const skip = await linesOf(content, { skip_long_lines: true });
      expect(skip).toEqual(around(isLong ? [] : [line]) as string[]);
      const cut = await bodiesOf(content, { truncate_long_lines: true });
      expect(cut).toEqual(
        around([isLong ? line.slice(0, 32767) : line]).map((log) => ({ log })) as never,
      );
    });
  }
}

test("fault 21: tail cuts a long line before a character, not inside one", async () => {
  for (const shift of [0, 1, 2, 3]) {
    const line = "x".repeat(shift) + "😀".repeat(20_000);
    for (const content of [`${line}\n`, `a\n${line}\nb\n`, `${line}\n${"y\n".repeat(40_000)}`]) {
      const [cut] = (await linesOf(content)).filter((text) => text.includes("😀"));
      expect(line.startsWith(cut!)).toBe(true);
      expect(cut!.isWellFormed()).toBe(true);
      expect(Buffer.byteLength(cut!)).toBeGreaterThan(32767 - 4);
      expect(Buffer.byteLength(cut!)).toBeLessThanOrEqual(32767);
    }
  }
});

test("fault 18: tail passes a line of 100 MB in bounded memory and reads the next one whole", async () => {
  using folder = new TempFolder();
  const path = folder.at("a.log");
  writeFileSync(path, "first\n");
  const block = Buffer.alloc(KiB * KiB, "x");
  for (let i = 0; i < 100; i++) appendFileSync(path, block);
  appendFileSync(path, "\nnext\n");
  const residentBefore = process.memoryUsage().rss;
  const input = await readAll({ path, offset_key: "at" });
  expect(input.values("at")).toEqual([0, 6, 6 + 100 * KiB * KiB + 1]);
  expect(input.values()[2]).toBe("next");
  expect(input.bodies[1]!._truncated).toBe(true);
  expect(process.memoryUsage().rss - residentBefore).toBeLessThan(64 * KiB * KiB);
  expect(input.ctx.counters.get("input_long_line_truncated_total")!.value).toBe(1);
});

test("tail says where every line starts, exactly, with offset_key", async () => {
  const lines = Array.from({ length: 3000 }, (_, i) => `${i} ${"ö".repeat(i % 50)}`);
  lines[7] = "z".repeat(40_000);
  lines[2000] = "z".repeat(90_000);
  for (const lineBreak of ["\n", "\r\n"]) {
    const content = lines.join(lineBreak) + lineBreak;
    const bytes = Buffer.from(content);
    const bodies = await bodiesOf(content, { offset_key: "at", buffer_chunk_size: 4096 });
    expect(bodies.length).toBe(lines.length);
    bodies.forEach((body, i) => {
      const start = body.at as number;
      const log = body.log as string;
      expect(bytes.toString("utf8", start, start + Buffer.byteLength(log))).toBe(log);
      expect(start === 0 || bytes[start - 1] === 0x0a).toBe(true);
      expect(lines[i]!.startsWith(log)).toBe(true);
    });
  }
});

for (const label of ["UTF-16LE", "UTF-16BE", "auto"] as const) {
  for (const order of ["le", "be"] as const) {
    if (label !== "auto" && !label.toLowerCase().endsWith(order)) continue;
    test(`tail reads ${order} UTF-16 with unicode.encoding ${label}`, async () => {
      const lines = Array.from({ length: 4000 }, (_, i) => `zeile ${i} ੴ ${"漢😀".repeat(i % 9)}`);
      lines[10] = "long ".repeat(9000);
      lines[2500] = "l".repeat(16_000);
      // Too long in bytes, though not in characters.
      lines[2501] = "m".repeat(20_000);
      const encode = (text: string) => {
        const bytes = Buffer.from(text, "utf16le");
        return order === "le" ? bytes : bytes.swap16();
      };
      const content = encode(`\uFEFF${lines.join("\r\n")}\r\nlast ਅ`);
      const bodies = await bodiesOf(content, {
        "unicode.encoding": label,
        offset_key: "at",
        buffer_chunk_size: 5000,
      });
      const expected = lines.map((line) => line.length * 2 > 32764 ? line.slice(0, 16383) : line);
      expect(bodies.map((body) => body.log)).toEqual([...expected, "last ਅ"]);
      for (const body of bodies) {
        const start = body.at as number;
        const wide = encode(body.log as string);
        expect(content.subarray(start, start + wide.length).equals(wide)).toBe(true);
      }
    });
  }
}

test("tail finds out the encoding of a file that it reads from its end", async () => {
  using folder = new TempFolder();
  const path = folder.at("a.log");
  const wide = (text: string) => Buffer.from(text, "utf16le");
  writeFileSync(path, wide("\uFEFFold\n"));
  await using input = startTail({ path, read_from_head: false, "unicode.encoding": "auto" });
  appendFileSync(path, wide("neu ü\n"));
  await input.untilRecords(1);
  expect(input.values()).toEqual(["neu ü"]);
});

test("tail reads other encodings by Fluent Bit's and the standard's names", async () => {
  const shiftJis = Buffer.from([0x93, 0xfa, 0x96, 0x7b, 0x0a, 0x83, 0x5c, 0x0a]);
  expect(await linesOf(shiftJis, { "generic.encoding": "ShiftJIS" })).toEqual(["日本", "ソ"]);
  expect(await linesOf(shiftJis, { "generic.encoding": "SJIS" })).toEqual(["日本", "ソ"]);
  const latin = Buffer.from([0x66, 0xfc, 0x72, 0x0a]);
  expect(await linesOf(latin, { "generic.encoding": "Win1252" })).toEqual(["für"]);
});

test("tail names an encoding that it does not know", async () => {
  await expect(linesOf("", { "generic.encoding": "klingon" })).rejects.toThrow("klingon");
});

test("tail unpacks a .gz file with several members and no last line break", async () => {
  const lines = Array.from({ length: 20_000 }, (_, i) => `line ${i}`);
  const half = lines.length / 2;
  using folder = new TempFolder();
  const members = [
    gzipSync(lines.slice(0, half).join("\n")),
    gzipSync(""),
    gzipSync("\n" + lines.slice(half).join("\n")),
  ];
  writeFileSync(folder.at("a.log.gz"), Buffer.concat(members));
  writeFileSync(folder.at("empty.gz"), "");
  const input = await readAll({ path: folder.at("*.gz") });
  expect(input.values()).toEqual(lines);
});

test("tail reads a .gz file that is still being written to its end, each line once", async () => {
  using folder = new TempFolder();
  const path = folder.at("a.log.gz");
  const lines = Array.from({ length: 30_000 }, (_, i) => `line ${i} ${(i * 2654435761) % 1e9}`);
  const bytes = gzipSync(lines.join("\n") + "\n");
  writeFileSync(path, bytes.subarray(0, 5));
  await using input = startTail({ path });
  for (let at = 5; at < bytes.length; at += 30_000) {
    appendFileSync(path, bytes.subarray(at, at + 30_000));
    const before = input.records.length;
    if (at > 60_000) await input.untilRecords(before);
    await Bun.sleep(60);
  }
  await input.untilRecords(lines.length);
  expect(input.values()).toEqual(lines);
});

test("tail treats long lines in a .gz file like others", async () => {
  using folder = new TempFolder();
  const long = "x".repeat(300_000);
  writeFileSync(folder.at("a.gz"), gzipSync(`a\n${long}\nb\n${"y".repeat(40_000)}\nc\n`));
  const marked = await readAll({ path: folder.at("a.gz") });
  expect(marked.bodies.map((body) => [(body.log as string).length, body._truncated === true]))
    .toEqual([[1, false], [32767, true], [1, false], [32767, true], [1, false]]);
  const skipped = await readAll({ path: folder.at("a.gz"), skip_long_lines: true });
  expect(skipped.values()).toEqual(["a", "b", "c"]);
});

test("tail says what is wrong with a .gz file that is none, and reads the others", async () => {
  using folder = new TempFolder();
  writeFileSync(folder.at("bad.gz"), "this is not compressed at all\n");
  writeFileSync(folder.at("good.gz"), gzipSync("ok\n"));
  const input = await readAll({ path: folder.at("*.gz") });
  expect(input.values()).toEqual(["ok"]);
  expect(input.messages.join()).toContain(`Cannot unpack ${folder.at("bad.gz")}`);
});

test("tail puts the path into the tag for *, and the parts that tag_regex found", async () => {
  using folder = new TempFolder();
  writeFileSync(folder.at("web_7.log"), "x\n");
  const dots = folder.at("web_7.log").slice(1).replaceAll("/", ".");
  const path = folder.at("*.log");
  expect((await readAll({ path }, { tag: "app.*" })).batches[0]!.tag).toBe(`app.${dots}`);
  expect((await readAll({ path }, { tag: "plain" })).batches[0]!.tag).toBe("plain");
  const named = await readAll(
    { path, tag_regex: "(?<name>[a-z]+)_(?<id>\\d+)\\.log$" },
    { tag: "x.<name>.<id>.<none>" },
  );
  expect(named.batches[0]!.tag).toBe("x.web.7._");
  expect(compilePattern("a").names).toEqual([]);
});

test("tail leaves out what exclude_path matches, also across folders", async () => {
  using folder = new TempFolder();
  for (const name of ["a.log", "b.log", "b.txt.log"]) writeFileSync(folder.at(name), `${name}\n`);
  const names = async (exclude: string) =>
    (await readAll({ path: folder.at("*.log"), exclude_path: exclude })).values().toSorted();
  expect(await names("*/b.*")).toEqual(["a.log"]);
  expect(await names(`${folder.at("a.log")},*.txt.*`)).toEqual(["b.log"]);
});
