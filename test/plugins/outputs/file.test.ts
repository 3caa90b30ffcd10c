import { afterEach, beforeEach, expect, test } from "bun:test";
import { Batch, type Body } from "logcollector/plugin";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import file from "../../../plugins/outputs/file.ts";
import { bodies, driveOutput, lines, type OutputDriver, record } from "./output-driver.ts";

let folder = "";
const driven: OutputDriver[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "file-output-"));
});
afterEach(async () => {
  for (const { output } of driven.splice(0)) await output.close?.();
  rmSync(folder, { recursive: true });
});

const read = (name: string): string => readFileSync(join(folder, name), "utf8");
function drive(options: Record<string, unknown>): OutputDriver {
  const output = driveOutput(file, { path: folder, ...options });
  driven.push(output);
  return output;
}

async function written(options: Record<string, unknown>, ...batches: Batch[]): Promise<string> {
  const output = drive({ file: "out", ...options });
  await output.write(...batches);
  await output.output.close?.();
  return read("out");
}

const MIXED: Body = { s: 'x "y', i: 3, f: 1.5, b: true, n: null, a: [1, "z"], m: { k: "v" } };

test("file writes tag, time and JSON by default", async () => {
  expect(await written({}, bodies({ a: 1 }, {}), lines("one", "two"))).toBe(
    'app.web: [1700000000.123456789, {"a":1}]\n' +
      "app.web: [1700000000.123456789, {}]\n" +
      'app.web: [1700000000.123456789, {"log":"one"}]\n' +
      'app.web: [1700000000.123456789, {"log":"two"}]\n',
  );
});

test("file writes plain JSON, one record a line", async () => {
  expect(await written({ format: "plain" }, bodies({ a: "\n" }, {}), lines("one", "two"))).toBe(
    '{"a":"\\n"}\n{}\n{"log":"one"}\n{"log":"two"}\n',
  );
});

test("file writes csv, and leaves records without fields out", async () => {
  expect(await written({ format: "csv" }, bodies(MIXED, {}))).toBe(
    '1700000000.123456789,"x "y",3,1.500000,true,nil,[1, "z"],{"k"=>"v"}\n',
  );
});

test("file begins a csv file with its column names, once", async () => {
  const options = { format: "csv", csv_column_names: "on", delimiter: "tab" };
  await written(options, bodies({ a: 1, b: 2 }), bodies({ a: 3 }));
  expect(await written(options, bodies({ c: 4 }))).toBe(
    'timestamp\t"a"\t"b"\n1700000000.123456789\t1\t2\n1700000000.123456789\t3\n' +
      "1700000000.123456789\t4\n",
  );
});

test("file writes ltsv with quoted labels", async () => {
  expect(await written({ format: "ltsv", label_delimiter: "comma" }, bodies({ a: "x", b: 1 })))
    .toBe(
      '"time",1700000000.123457\t"a","x"\t"b",1\n',
    );
});

test("file fills a template, and leaves unknown and unclosed braces", async () => {
  const template = "{time}|{s}|{i}|{m}|{x{s}|{nope}|{b";
  expect(await written({ format: "template", template }, bodies(MIXED))).toBe(
    '1700000000.123457|x "y|3|{"k"=>"v"}|{xx "y|{nope}|{b\n',
  );
});

test("file writes msgpack events", async () => {
  await written({ format: "msgpack" }, bodies({ a: 1 }));
  expect(readFileSync(join(folder, "out")).toString("hex")).toBe(
    "9292d7006553f100075bcd158081a16101",
  );
});

test("file says that it ignores a delimiter nobody knows", () => {
  expect(drive({ file: "out", format: "csv", delimiter: ";" }).ctx.logged).toMatchObject([
    { level: "warn" },
  ]);
});

test("file names files after tags, which cannot leave the folder", async () => {
  const output = drive({ format: "plain", mkdir: "on" });
  for (const tag of ["a.b", "/../x", "../../etc/pass wd", "é"]) {
    await output.write(Batch.of(tag, [record({ tag })]));
  }
  const names = readdirSync(folder, { recursive: true }).map(String).sort();
  expect(names).toEqual(["_", "_/_", "_/_/etc", "_/_/etc/pass_wd", "_/x", "__", "a.b"]);
});

test("file sends records to the files that their fields name, in order", async () => {
  const output = drive({ path: `${folder}/$app`, file: "$TAG.log", format: "plain", mkdir: "on" });
  await output.write(bodies({ app: "a", n: 1 }, { app: "b", n: 2 }, { app: "a", n: 3 }));
  expect(read("a/app.web.log")).toBe('{"app":"a","n":1}\n{"app":"a","n":3}\n');
  expect(read("b/app.web.log")).toBe('{"app":"b","n":2}\n');
});

test("file expands the record's time in UTC when enable_strftime is on", async () => {
  const output = drive({ file: "%Y%m%d-$app", format: "plain", enable_strftime: "on" });
  await output.write(bodies({ app: "x" }));
  expect(readdirSync(folder)).toEqual(["20231114-x"]);
});

const UNSAFE = ["../x", "..", ".", "", "a/b", "a\\b", "/etc/passwd", "a\0b", "x".repeat(300)];
test.each(UNSAFE)("file drops a record whose field would name the file %j", async (name) => {
  const output = drive({ file: "$name", format: "plain", mkdir: "on" });
  await output.write(bodies({ name }, { name: "good" }));
  expect(output.drops).toEqual([{ records: 1, reason: "unsafe_destination" }]);
  expect(readdirSync(folder)).toEqual(["good"]);
});

test.each(["..", "a/../../b", ".", "a/./b", "a\nb"])(
  "file drops a record whose field would name the folder %j",
  async (name) => {
    const output = drive({ path: `${folder}/$name`, file: "f", mkdir: "on" });
    expect(await output.encode(bodies({ name }))).toEqual([]);
    expect(output.drops).toEqual([{ records: 1, reason: "unsafe_destination" }]);
  },
);

test("file sends what has no place to the fallback file", async () => {
  const output = drive({
    file: "$app",
    format: "plain",
    on_missing_field: "fallback",
    fallback_path: folder,
    fallback_file: "rest",
  });
  await output.write(bodies({ x: 1 }, { app: "../y" }));
  expect(read("rest")).toBe('{"x":1}\n{"app":"../y"}\n');
});

test("file brings about no more files than max_dynamic_files, until some are forgotten", async () => {
  const output = drive({ file: "$app", max_dynamic_files: 2, on_limit_reached: "drop" });
  await output.write(bodies({ app: "a" }, { app: "b" }, { app: "c" }, { app: "a" }));
  expect(output.drops).toEqual([{ records: 1, reason: "max_dynamic_files" }]);
  output.ctx.clock.advance(2 * 3_600_000);
  await output.write(bodies({ app: "c" }));
  expect(readdirSync(folder).sort()).toEqual(["a", "b", "c"]);
});

test("file refuses a link in the place of a file or folder that a field names", async () => {
  const outside = mkdtempSync(join(tmpdir(), "file-outside-"));
  mkdirSync(join(folder, "out"));
  symlinkSync(outside, join(folder, "out", "link"));
  symlinkSync(join(outside, "target"), join(folder, "out", "file"));
  const output = drive({ path: `${folder}/out/$dir`, file: "$file", mkdir: "on" });
  for (const [dir, name] of [["link", "f"], ["link/deep", "f"], ["", "file"]]) {
    const [payload] = await output.encode(bodies({ dir: dir!, file: name! }));
    await expect(output.send(payload!)).rejects.toMatchObject({ name: "PermanentError" });
  }
  expect(readdirSync(outside)).toEqual([]);
  rmSync(outside, { recursive: true });
});

test("file refuses a record's file for good when a folder is in its place", async () => {
  mkdirSync(join(folder, "app.web"));
  const output = drive({});
  const [payload] = await output.encode(bodies({ a: 1 }));
  await expect(output.send(payload!)).rejects.toMatchObject({ name: "PermanentError" });
});

test("file tries again when its folder is missing, and makes it with mkdir", async () => {
  const path = join(folder, "deep", "er");
  const output = drive({ path, file: "f" });
  const [payload] = await output.encode(bodies({ a: 1 }));
  await expect(output.send(payload!)).rejects.toMatchObject({ code: "ENOENT", name: "Error" });
  await drive({ path, file: "f", mkdir: "on", format: "plain" }).write(bodies({ a: 1 }));
  expect(read("deep/er/f")).toBe('{"a":1}\n');
});

test("file begins a new file after somebody moved or removed the old one", async () => {
  const output = drive({ file: "out", format: "plain" });
  await output.write(bodies({ n: 1 }));
  renameSync(join(folder, "out"), join(folder, "out.1"));
  output.ctx.clock.advance(1000);
  await output.write(bodies({ n: 2 }));
  rmSync(join(folder, "out"));
  output.ctx.clock.advance(1000);
  await output.write(bodies({ n: 3 }));
  expect([read("out.1"), read("out")]).toEqual(['{"n":1}\n', '{"n":3}\n']);
});

test("file rotates full files, compresses them and keeps the newest", async () => {
  const output = drive({
    file: "out",
    format: "plain",
    rotate: "on",
    rotate_max_size: 8,
    rotate_max_files: 2,
  });
  writeFileSync(join(folder, "out.20200101_000000"), "old");
  writeFileSync(join(folder, "out.keep"), "not ours");
  for (let n = 0; n < 4; n++) {
    await output.write(bodies({ n }));
    // The next rotation sorts by the time of this one.
    await Bun.file(join(folder, "out")).text();
  }
  await output.output.close?.();
  const names = readdirSync(folder).sort();
  const rotated = names.filter((name) => /^out\.\d{8}_\d{6}_[0-9a-f]{8}\.gz$/.test(name));
  expect(rotated).toHaveLength(2);
  expect(names).toEqual(["out", "out.keep", ...rotated].sort());
  const found = rotated.map((name) => gunzipSync(readFileSync(join(folder, name))).toString());
  expect(found.every((text) => /^\{"n":[0-2]\}\n$/.test(text))).toBe(true);
  expect(read("out")).toBe('{"n":3}\n');
});

test("file keeps the order of payloads that are sent at once", async () => {
  const output = drive({ file: "out", format: "template", template: "{n}" });
  const sent = Array.from({ length: 20 }, async (_, n) => {
    const [payload] = await output.encode(bodies({ n }));
    return payload!;
  });
  await Promise.all((await Promise.all(sent)).map((payload) => output.send(payload)));
  expect(read("out")).toBe(Array.from({ length: 20 }, (_, n) => `${n}\n`).join(""));
});

test("file writes to more files than it keeps open", async () => {
  const output = drive({ file: "$n", format: "template", template: "{n}" });
  for (let round = 0; round < 2; round++) {
    for (let n = 0; n < 150; n++) await output.write(bodies({ n: String(n) }));
  }
  expect(readdirSync(folder)).toHaveLength(150);
  expect(read("149")).toBe("149\n149\n");
  await output.output.close?.();
});

test.each([
  [{ path: "$app", file: "x" }, "fixed part"],
  [{ file: "$a", on_missing_field: "fallback" }, "fallback_file"],
  [{ file: "x", rotate: "on", rotate_max_size: 0 }, "rotate_max_size"],
  [{ file: "$a[" }, "template"],
])("file refuses the options %j", (options, message) => {
  expect(() => drive(options)).toThrow(message);
});

test("file takes back what it wrote of a payload that failed half-way", async () => {
  // The shell's limit of 512 or 1024 bytes a file stands for a full disk: part of a write fits.
  const child = join(import.meta.dir, "full-disk-child.ts");
  const script = 'trap "" XFSZ; ulimit -f 1; exec "$0" "$@"';
  const run = Bun.spawn(["sh", "-c", script, process.execPath, child, folder], { stdout: "pipe" });
  expect(JSON.parse(await new Response(run.stdout).text())).toEqual({ failed: "EFBIG" });
  expect(read("out")).toBe('{"n":1}\n');
});
