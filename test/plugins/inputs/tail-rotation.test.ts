import { expect, test } from "bun:test";
import {
  appendFileSync,
  closeSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { eventually } from "../../support/eventually.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { countProblemsOf, Numbers, problemsOf, startTail } from "./tail-driver.ts";

/** As logrotate does it: app.log.2 → app.log.3, app.log.1 → app.log.2, app.log → app.log.1. */
function rotate(folder: TempFolder, name = "app.log"): void {
  const generations = readdirSync(folder.path).flatMap((other) => {
    const found = new RegExp(`^${RegExp.escape(name)}\\.(\\d+)$`).exec(other);
    return found === null ? [] : [Number(found[1])];
  }).sort((a, b) => b - a);
  for (const n of generations) renameSync(folder.at(`${name}.${n}`), folder.at(`${name}.${n + 1}`));
  renameSync(folder.at(name), folder.at(`${name}.1`));
}

for (const pattern of ["app.log", "app.log*"]) {
  test(`tail ${pattern} follows many quick rotations without losing or doubling a line`, async () => {
    using folder = new TempFolder();
    const numbers = new Numbers();
    numbers.append(folder.at("app.log"), 100);
    await using input = startTail({ path: folder.at(pattern), inotify_watcher: true });
    for (let round = 0; round < 12; round++) {
      numbers.append(folder.at("app.log"), 3000);
      rotate(folder);
      numbers.append(folder.at("app.log"), 50);
      if (round % 3 === 0) await input.untilRecords(numbers.next - 3000);
      else await new Promise((resolve) => setImmediate(resolve));
    }
    await input.untilRecords(numbers.next);
    const check = pattern === "app.log" ? problemsOf : countProblemsOf;
    expect(check(input.values(), numbers.all)).toEqual([]);
  });

  test(`fault 24: tail ${pattern} reads a file that came and went between two scans`, async () => {
    using folder = new TempFolder();
    const numbers = new Numbers();
    numbers.append(folder.at("app.log"), 10);
    await using input = startTail({
      path: folder.at(pattern),
      inotify_watcher: false,
      refresh_interval: "100ms",
    });
    await input.untilRecords(10);
    for (let i = 0; i < 3; i++) {
      numbers.append(folder.at("app.log"), 5);
      rotate(folder);
      numbers.append(folder.at("app.log"), 7);
    }
    await input.untilRecords(numbers.next);
    const check = pattern === "app.log" ? problemsOf : countProblemsOf;
    expect(check(input.values(), numbers.all)).toEqual([]);
  });
}

test("tail does not take a neighbour for an earlier generation of the file", async () => {
  using folder = new TempFolder();
  writeFileSync(folder.at("app.log"), "a\n");
  await using input = startTail({ path: folder.at("app.log") });
  await input.untilRecords(1);
  writeFileSync(folder.at("app-errors.log"), "not mine\n");
  rotate(folder);
  writeFileSync(folder.at("app.log"), "b\n");
  await input.untilRecords(2);
  expect(input.values()).toEqual(["a", "b"]);
});

test("tail reads what is written to the old file after the rotation", async () => {
  using folder = new TempFolder();
  const fd = openSync(folder.at("app.log"), "a");
  writeSync(fd, "1\n");
  await using input = startTail({ path: folder.at("app.log"), rotate_wait: "5s" });
  await input.untilRecords(1);
  rotate(folder);
  writeFileSync(folder.at("app.log"), "new\n");
  await input.untilRecords(2);
  writeSync(fd, "2\n");
  closeSync(fd);
  await input.untilRecords(3);
  expect(input.values()).toEqual(["1", "new", "2"]);
});

test("fault 30: tail reads a deleted file that is still written to, and gives it up after rotate_wait", async () => {
  using folder = new TempFolder();
  const fd = openSync(folder.at("app.log"), "a");
  writeSync(fd, "1\n");
  await using input = startTail({ path: folder.at("app.log") });
  await input.untilRecords(1);
  unlinkSync(folder.at("app.log"));
  writeSync(fd, "2\n");
  await input.untilRecords(2);
  const closed = () => input.ctx.counters.get("input_files_closed_total")!.value;
  await eventually(() => closed() === 1, () => `closed ${closed()}`);
  closeSync(fd);
  writeFileSync(folder.at("app.log"), "3\n");
  await input.untilRecords(3);
  expect(input.values()).toEqual(["1", "2", "3"]);
});

test("fault 23: tail sees a file that is made again long after its rotation at once", async () => {
  using folder = new TempFolder();
  writeFileSync(folder.at("app.log"), "1\n");
  await using input = startTail({ path: folder.at("app.log"), refresh_interval: "30s" });
  await input.untilRecords(1);
  rotate(folder);
  const rotated = () => input.ctx.counters.get("input_files_rotated_total")!.value;
  await eventually(() => rotated() === 1, () => `rotated ${rotated()}`);
  const startMs = performance.now();
  writeFileSync(folder.at("app.log"), "2\n");
  await input.untilRecords(2);
  expect(performance.now() - startMs).toBeLessThan(1000);
});

for (
  const [name, content] of [
    ["smaller", "n0\n"],
    ["of the same size", "new line 0\nnew line 1\nnew line 2\n"],
    ["larger", "new line 0\nnew line 1\nnew line 2\nnew line 3\nnew line 4\n"],
  ] as const
) {
  test(`tail starts again when the content was replaced by one that is ${name}`, async () => {
    using folder = new TempFolder();
    const path = folder.at("app.log");
    writeFileSync(path, "old line 0\nold line 1\nold line 2\n");
    await using input = startTail({ path });
    await input.untilRecords(3);
    // Truncates and writes in place: the file stays the same one.
    writeFileSync(path, content);
    const added = content.trimEnd().split("\n");
    await input.untilRecords(3 + added.length);
    expect(input.values()).toEqual(["old line 0", "old line 1", "old line 2", ...added]);
  });
}

test("fault 22: tail survives a hundred copytruncates while it reads", async () => {
  using folder = new TempFolder();
  const path = folder.at("app.log");
  const numbers = new Numbers();
  await using input = startTail({ path });
  for (let round = 0; round < 100; round++) {
    numbers.append(path, 1 + (round * 7) % 20);
    await input.untilRecords(numbers.next);
    truncateSync(path);
  }
  expect(problemsOf(input.values(), numbers.all)).toEqual([]);
});

test("tail follows a link to its new target, and reads the old one to its end", async () => {
  using folder = new TempFolder();
  writeFileSync(folder.at("a"), "a1\n");
  writeFileSync(folder.at("b"), "b1\n");
  symlinkSync("a", folder.at("current.log"));
  await using input = startTail({ path: folder.at("current.log"), path_key: "file" });
  await input.untilRecords(1);
  appendFileSync(folder.at("a"), "a2\n");
  symlinkSync("b", folder.at("next"));
  renameSync(folder.at("next"), folder.at("current.log"));
  await input.untilRecords(3);
  appendFileSync(folder.at("b"), "b2\n");
  await input.untilRecords(4);
  expect(input.values()).toEqual(["a1", "a2", "b1", "b2"]);
  expect(new Set(input.values("file"))).toEqual(new Set([folder.at("current.log")]));
});

test("fault 29: tail waits for the target of a dangling link, and does not hang on a link to itself", async () => {
  using folder = new TempFolder();
  symlinkSync("later", folder.at("a.log"));
  symlinkSync("loop.log", folder.at("loop.log"));
  symlinkSync(".", folder.at("self"));
  writeFileSync(folder.at("b.log"), "b\n");
  await using input = startTail({ path: `${folder.path}/**/*.log` });
  await input.untilRecords(1);
  writeFileSync(folder.at("later"), "a\n");
  await input.untilRecords(2);
  expect(input.values()).toEqual(["b", "a"]);
});

test("tail follows links through two folders to a target that is rotated, as kubelet does", async () => {
  using folder = new TempFolder();
  for (const name of ["containers", "pods", "data"]) mkdirSync(folder.at(name));
  const numbers = new Numbers();
  numbers.append(folder.at("data/0.log"), 10);
  symlinkSync(folder.at("data/0.log"), folder.at("pods/0.log"));
  symlinkSync(folder.at("pods/0.log"), folder.at("containers/web.log"));
  await using input = startTail({ path: folder.at("containers/*.log"), path_key: "file" });
  await input.untilRecords(10);
  for (let round = 1; round <= 4; round++) {
    numbers.append(folder.at("data/0.log"), 500);
    renameSync(folder.at("data/0.log"), folder.at(`data/0.log.2024010${round}-000000`));
    numbers.append(folder.at("data/0.log"), 20);
  }
  await input.untilRecords(numbers.next);
  expect(problemsOf(input.values(), numbers.all)).toEqual([]);
  expect(new Set(input.values("file"))).toEqual(new Set([folder.at("containers/web.log")]));
});

test("fault 31: tail reads on when the folder was removed and made again", async () => {
  using folder = new TempFolder();
  mkdirSync(folder.at("logs"));
  writeFileSync(folder.at("logs/a.log"), "1\n");
  await using input = startTail({ path: folder.at("logs/*.log"), refresh_interval: "100ms" });
  await input.untilRecords(1);
  rmSync(folder.at("logs"), { recursive: true });
  mkdirSync(folder.at("logs"));
  writeFileSync(folder.at("logs/a.log"), "2\n");
  await input.untilRecords(2);
  appendFileSync(folder.at("logs/a.log"), "3\n");
  // A watch on the folder that is gone would only see this at the next slow poll.
  await input.untilRecords(3, 2000);
  expect(input.values()).toEqual(["1", "2", "3"]);
});

test("tail starts at 0 in a file that got the inode of a deleted one", async () => {
  using folder = new TempFolder();
  const path = folder.at("app.log");
  const numbers = new Numbers();
  await using input = startTail({ path, rotate_wait: "1ms" });
  for (let round = 0; round < 20; round++) {
    numbers.append(path, 3);
    await input.untilRecords(numbers.next);
    unlinkSync(path);
    if (round % 2 === 0) {
      const closed = () => input.ctx.counters.get("input_files_closed_total")!.value;
      await eventually(() => closed() > round / 2, () => `closed ${closed()}`);
    }
  }
  expect(problemsOf(input.values(), numbers.all)).toEqual([]);
});

test("fault 27: tail reads a file once that has two names and that two patterns find", async () => {
  using folder = new TempFolder();
  writeFileSync(folder.at("a.log"), "1\n");
  linkSync(folder.at("a.log"), folder.at("b.log"));
  await using input = startTail({ path: `${folder.at("*.log")}, ${folder.at("a*")}` });
  await input.untilRecords(1);
  appendFileSync(folder.at("b.log"), "2\n");
  await input.untilRecords(2);
  writeFileSync(folder.at("c.log"), "3\n");
  await input.untilRecords(3);
  expect(input.values()).toEqual(["1", "2", "3"]);
});

test("fault 28: tail reads files with the same beginning both, however short they are", async () => {
  using folder = new TempFolder();
  writeFileSync(folder.at("a.csv"), "id,name\n1,x\n");
  writeFileSync(folder.at("b.csv"), "id,name\n1,x\n");
  await using input = startTail({ path: folder.at("*.csv"), path_key: "file" });
  await input.untilRecords(4);
  for (const name of ["a.csv", "b.csv"]) {
    const own = input.bodies.filter((body) => body.file === folder.at(name));
    expect(own.map((body) => body.log)).toEqual(["id,name", "1,x"]);
  }
});

test("tail emits a file as one stream of batches that add up to its size, each with an ack", async () => {
  using folder = new TempFolder();
  const numbers = new Numbers();
  numbers.append(folder.at("a.log"), 20_000);
  await using input = startTail({ path: folder.at("a.log") });
  await input.untilRecords(numbers.next);
  expect(input.emissions.every(({ ack }) => ack !== undefined)).toBe(true);
  expect(new Set(input.batches.map(({ stream }) => stream)).size).toBe(1);
  expect(input.batches.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(
    Buffer.byteLength(`${numbers.all.join("\n")}\n`),
  );
});
