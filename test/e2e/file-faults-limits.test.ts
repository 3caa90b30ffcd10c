import { expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, mkdirSync, renameSync, symlinkSync } from "node:fs";
import { createServer } from "node:net";
import { noLimitOfWatches } from "../plugins/inputs/tail-child.ts";
import { FileCollector, lines, text } from "./file-collector.ts";

// What ends a test that waits in vain are the deadlines of what it waits for.
setDefaultTimeout(60_000);

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

test("fault 32: two thousand files are read with few descriptors, beside a large one and as more come", async () => {
  const via = ["/bin/bash", "-c", 'ulimit -n 160 && exec "$0" "$@"'];
  await using files = new FileCollector("*.log", { key: "log" }, { via });
  const expected: string[] = [];
  const add = (name: string, line: string) => {
    files.append(`${name}.log`, `${line}\n`);
    expected.push(line);
  };
  for (const i of upTo(2000)) add(`small-${i}`, `small ${i}`);
  files.append("0-large.log", text(0, 200_000));
  expected.push(...lines(0, 200_000));
  await files.start();
  await files.untilLines(expected.length);
  const small = files.lines.flatMap((line, at) => String(line).startsWith("small") ? [at] : []);
  // The large file has its turns, but not all of them first.
  expect(small.at(-1)).toBeLessThan(150_000);
  for (const round of [1, 2]) {
    for (const i of upTo(2000)) add(`small-${i}`, `again ${round} ${i}`);
    for (const i of upTo(200)) add(`new-${round}-${i}`, `new ${round} ${i}`);
    // All of them at once, as logrotate does it: most have no descriptor at that time.
    for (const i of upTo(2000)) {
      const name = files.at(`small-${i}.log`);
      renameSync(name, `${name}.1`);
      add(`small-${i}`, `rotated ${round} ${i}`);
    }
    await files.untilLines(expected.length);
    expect(files.openFiles.length).toBeLessThan(100);
  }
  await files.expectSorted(expected);
  expect(files.count(/EMFILE|Cannot/)).toBe(0);
});

test("fault 33: a pattern that finds far too much is said once, and what is followed goes on", async () => {
  await using files = new FileCollector(["own.log", "**/*.txt"], { max_files: 100 });
  for (const folder of upTo(10)) {
    mkdirSync(files.at(`${folder}`));
    for (const i of upTo(300)) files.append(`${folder}/${i}.txt`, `${folder}/${i}\n`);
  }
  files.append("own.log", text(0, 10));
  await files.start();
  await files.untilLines(109);
  files.append("own.log", text(10, 20));
  await files.untilLines(119);
  // Each changes a folder, so that all is searched again.
  for (const round of [2, 3, 4]) {
    renameSync(files.at("own.log"), files.at(`own.${round}`));
    files.append("own.log", text(round * 10, round * 10 + 10));
    files.append(`0/more-${round}.txt`, "never\n");
    await files.untilLines(109 + round * 10);
  }
  await files.stop();
  const own = files.lines.filter((line) => String(line).startsWith("line"));
  expect(own).toEqual(lines(0, 50));
  const others = files.lines.filter((line) => !own.includes(line));
  expect([others.length, new Set(others).size, others.includes("never")]).toEqual([99, 99, false]);
  const said = /app: Cannot follow more files than the 100 .*: 2901 further names match .*\*\.txt/;
  expect(files.count(said)).toBe(1);
  expect(files.count(/max_files|scan_limit/)).toBe(1);
});

test("fault 34: a file that may not be read is said once, and read once it may", async () => {
  // Who is not root already may not become somebody else, and need not.
  const isRoot = process.getuid!() === 0;
  const via = isRoot ? ["setpriv", "--reuid=nobody", "--clear-groups", "--"] : [];
  await using files = new FileCollector(["*.log", "closed/*.log"], {}, { via });
  mkdirSync(files.at("closed"));
  files.append("secret.log", text(0, 10));
  files.append("closed/a.log", text(10, 20));
  files.append("open.log", text(20, 30));
  for (const name of ["open.log", "closed/a.log"]) chmodSync(files.at(name), 0o644);
  for (const name of ["secret.log", "closed"]) chmodSync(files.at(name), 0o000);
  await files.start();
  await files.untilLines(10);
  await files.collector.untilLog(/Cannot follow .*secret\.log: .*EACCES/);
  await files.collector.untilLog(/Cannot read .*closed.*EACCES/);
  // The others have not waited, and go on.
  files.append("open.log", text(30, 40));
  await files.untilLines(20);
  chmodSync(files.at("secret.log"), 0o644);
  await files.untilLines(30);
  chmodSync(files.at("closed"), 0o755);
  await files.untilLines(40);
  expect(files.count(/secret\.log/)).toBe(1);
  expect(files.count(/Cannot read .*closed/)).toBe(1);
  await files.expectSorted(lines(0, 40));
});

const unlimited = noLimitOfWatches();
if (unlimited !== undefined) console.log(`Not tested: a limit of watches, as ${unlimited}`);

test.skipIf(unlimited !== undefined)(
  "fault 35: folders that the system has no more watches for are polled, which is said once",
  async () => {
    const script = 'echo 5 > /proc/sys/user/max_inotify_watches && exec "$0" "$@"';
    const via = ["unshare", "--user", "--map-root-user", "/bin/bash", "-c", script];
    await using files = new FileCollector("*/app.log", {}, { via });
    for (const i of upTo(40)) mkdirSync(files.at(`${i}`));
    let next = 0;
    const each = () => upTo(40).forEach((i) => files.append(`${i}/app.log`, text(next, ++next)));
    each();
    await files.start();
    await files.untilLines(next);
    each();
    await files.untilLines(next);
    for (const i of upTo(40)) renameSync(files.at(`${i}/app.log`), files.at(`${i}/app.log.1`));
    each();
    await files.untilLines(next);
    expect(files.count(/Cannot watch .*polling instead/)).toBe(1);
    await files.expectSorted(lines(0, next));
  },
);

test("fault 36: pipes, devices, sockets and folders are passed over, also in the place of a file", async () => {
  await using files = new FileCollector("*.log");
  Bun.spawnSync(["mkfifo", files.at("pipe.log")]);
  symlinkSync("/dev/zero", files.at("zero.log"));
  symlinkSync("/dev/random", files.at("random.log"));
  mkdirSync(files.at("folder.log"));
  const server = createServer();
  await new Promise<void>((ready) => server.listen(files.at("socket.log"), ready));
  files.append("file.log", text(0, 10));
  await files.start();
  await files.untilLines(10);
  // A pipe takes the place of a file that is followed: nobody hangs on it.
  renameSync(files.at("file.log"), files.at("file.log.1"));
  renameSync(files.at("pipe.log"), files.at("file.log"));
  await files.untilMetric("input_files_rotated_total", (n) => n === 1);
  files.append("other.log", text(10, 20));
  await files.untilLines(20);
  renameSync(files.at("file.log"), files.at("pipe.log"));
  files.append("file.log", text(20, 30));
  await files.expectLines(lines(0, 30));
  server.close();
});
