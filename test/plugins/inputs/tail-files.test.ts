import { describe, expect, test } from "bun:test";
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  renameSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { eventually } from "../../support/eventually.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { countProblemsOf, Numbers, problemsOf, readAll, startTail } from "./tail-driver.ts";
import { noLimitOfWatches, openDescriptors, runTailChild } from "./tail-child.ts";

test("tail starts at the end of files that exist, and at the head of those that come later", async () => {
  using folder = new TempFolder();
  writeFileSync(folder.at("old.log"), "old\n");
  await using input = startTail({ path: folder.at("*.log"), read_from_head: false });
  appendFileSync(folder.at("old.log"), "added\n");
  writeFileSync(folder.at("new.log"), "new\n");
  await input.untilRecords(2);
  expect(input.values().toSorted()).toEqual(["added", "new"]);
});

test("tail starts at the end of later files too when it is told so", async () => {
  using folder = new TempFolder();
  await using input = startTail({
    path: folder.at("*.log"),
    read_newly_discovered_files_from_head: false,
  });
  writeFileSync(folder.at("new.log"), "before\n");
  const opened = () => input.ctx.counters.get("input_files_opened_total")!.value;
  await eventually(() => opened() === 1, () => `opened ${opened()}`);
  appendFileSync(folder.at("new.log"), "after\n");
  await input.untilRecords(1);
  expect(input.values()).toEqual(["after"]);
});

test("fault 36: tail passes over pipes, devices and folders that match", async () => {
  using folder = new TempFolder();
  Bun.spawnSync(["mkfifo", folder.at("a.log")]);
  symlinkSync("/dev/zero", folder.at("b.log"));
  symlinkSync("/dev/null", folder.at("c.log"));
  mkdirSync(folder.at("d.log"));
  writeFileSync(folder.at("e.log"), "e\n");
  const input = await readAll({ path: folder.at("*.log") });
  expect(input.values()).toEqual(["e"]);
});

test("tail leaves out files older than ignore_older", async () => {
  using folder = new TempFolder();
  for (const name of ["old.log", "new.log"]) writeFileSync(folder.at(name), `${name}\n`);
  const hourAgo = Date.now() / 1000 - 3600;
  utimesSync(folder.at("old.log"), hourAgo, hourAgo);
  expect((await readAll({ path: folder.at("*.log"), ignore_older: "10m" })).values())
    .toEqual(["new.log"]);
  expect((await readAll({ path: folder.at("*.log") })).values().toSorted())
    .toEqual(["new.log", "old.log"]);
});

test("tail gives a followed file that became old its descriptor back, and reads on when it changes", async () => {
  using folder = new TempFolder();
  const path = folder.at("a.log");
  writeFileSync(path, "1\n");
  await using input = startTail({ path, ignore_older: "10m", ignore_active_older_files: true });
  await input.untilRecords(1);
  const hourAgo = Date.now() / 1000 - 3600;
  utimesSync(path, hourAgo, hourAgo);
  const closed = () => input.ctx.counters.get("input_files_closed_total")!.value;
  await eventually(() => closed() === 1, () => `closed ${closed()}`);
  expect(openDescriptors(path)).toBe(0);
  appendFileSync(path, "2\n");
  await input.untilRecords(2);
  expect(input.values()).toEqual(["1", "2"]);
});

test("tail says that no file matches, and ends with exit_on_eof", async () => {
  using folder = new TempFolder();
  const input = await readAll({ path: folder.at("none/*.log") });
  expect(input.stopsWhenDone).toBe(true);
  expect(input.messages.join()).toContain("No file matches");
});

test("tail reads every file of many to its end, however low the limit of descriptors", async () => {
  using folder = new TempFolder();
  for (let i = 0; i < 3000; i++) writeFileSync(folder.at(`${i}.log`), `${i} a\n${i} b`);
  const { values, maxOpen } = await runTailChild(
    { path: folder.at("*.log"), exit_on_eof: true },
    { limit: 256 },
  );
  const expected = Array.from({ length: 3000 }, (_, i) => [`${i} a`, `${i} b`]).flat();
  expect(countProblemsOf(values, expected)).toEqual([]);
  expect(maxOpen).toBeLessThan(200);
}, 30_000);

test(
  "fault 32: tail gives 10,000 files their turns: no file waits for the large one before it",
  async () => {
    using folder = new TempFolder();
    writeFileSync(folder.at("0-large.log"), "large line of some length\n".repeat(400_000));
    for (let i = 0; i < 10_000; i++) writeFileSync(folder.at(`small-${i}.log`), "small\n");
    const input = await readAll({ path: folder.at("*.log") });
    const values = input.values();
    expect(values.length).toBe(410_000);
    const lastSmall = values.lastIndexOf("small");
    expect(lastSmall).toBeLessThan(300_000);
  },
  30_000,
);

test(
  "tail goes on in the right place when a file was at rest: rotated, truncated or in a long line",
  async () => {
    using folder = new TempFolder();
    mkdirSync(folder.at("many"));
    const { values } = await runTailChild(
      {
        path: `${folder.at("app.log")}, ${folder.at("cut.log")}, ${folder.at("long.log")}, ${
          folder.at("many/*.log")
        }`,
      },
      {
        limit: 130,
        prepare: () => {
          writeFileSync(folder.at("app.log"), "app 1\n");
          writeFileSync(folder.at("cut.log"), "cut 1 with some more text\n");
          writeFileSync(folder.at("long.log"), `${"x".repeat(40_000)}`);
          for (let i = 0; i < 200; i++) writeFileSync(folder.at(`many/${i}.log`), `${i}\n`);
        },
        steps: [
          // By now the three have been put to rest by the two hundred.
          [203, () => {
            appendFileSync(folder.at("app.log"), "app 2\n");
            renameSync(folder.at("app.log"), folder.at("app.log.1"));
            writeFileSync(folder.at("app.log"), "app 3\n");
            writeFileSync(
              folder.at("cut.log"),
              "cut 2 with some more text, and longer than it was\n",
            );
            appendFileSync(folder.at("long.log"), "rest of the long line\nlong 2\n");
          }],
          [207, () => undefined],
        ],
      },
    );
    const others = values.filter((value) => !/^\d+$/.test(value) && !value.startsWith("xxx"));
    expect(others.toSorted()).toEqual([
      "app 1",
      "app 2",
      "app 3",
      "cut 1 with some more text",
      "cut 2 with some more text, and longer than it was",
      "long 2",
    ]);
  },
  20_000,
);

describe("as a user who may not read everything", () => {
  test("fault 34: tail reads a file once it may, and says meanwhile that it may not", async () => {
    using folder = new TempFolder();
    chmodSync(folder.path, 0o755);
    const path = folder.at("secret.log");
    writeFileSync(path, "1\n");
    chmodSync(path, 0o000);
    const { values, messages } = await runTailChild({ path: folder.at("*.log") }, {
      user: "nobody",
      steps: [
        [/Cannot follow .*secret.log/, () => chmodSync(path, 0o644)],
        [1, () => undefined],
      ],
    });
    expect(values).toEqual(["1"]);
    expect(messages.filter((message) => message.includes("secret.log")).length).toBe(1);
  }, 20_000);

  test("tail looks into a folder once it may", async () => {
    using folder = new TempFolder();
    chmodSync(folder.path, 0o755);
    mkdirSync(folder.at("logs"));
    writeFileSync(folder.at("logs/a.log"), "1\n");
    chmodSync(folder.at("logs"), 0o000);
    const { values } = await runTailChild({ path: folder.at("logs/*.log") }, {
      user: "nobody",
      steps: [[/EACCES/, () => chmodSync(folder.at("logs"), 0o755)], [1, () => undefined]],
    });
    expect(values).toEqual(["1"]);
  }, 20_000);
});

test(
  "tail keeps up with a folder in which so much happens that watching it would cost too much",
  async () => {
    using folder = new TempFolder();
    const numbers = new Numbers();
    await using input = startTail({ path: folder.at("app.log"), refresh_interval: "200ms" });
    for (let i = 0; i < 600; i++) {
      numbers.append(folder.at("app.log"), 1);
      writeFileSync(folder.at(`noise-${i % 7}`), "x");
      if (i % 3 === 0) await Bun.sleep(2);
    }
    // The last line of a burst must not wait for the slow poll of a folder that is watched.
    await input.untilRecords(numbers.next, 1500);
    expect(problemsOf(input.values(), numbers.all)).toEqual([]);
    await Bun.sleep(3200);
    numbers.append(folder.at("app.log"), 1);
    await input.untilRecords(numbers.next, 1500);
  },
  15_000,
);

test("tail polls when it is told not to watch", async () => {
  using folder = new TempFolder();
  writeFileSync(folder.at("a.log"), "1\n");
  await using input = startTail({ path: folder.at("*.log"), inotify_watcher: false });
  await input.untilRecords(1);
  appendFileSync(folder.at("a.log"), "2\n");
  writeFileSync(folder.at("b.log"), "3\n");
  await input.untilRecords(3, 2000);
  expect(input.values().toSorted()).toEqual(["1", "2", "3"]);
});

const unlimited = noLimitOfWatches();
if (unlimited !== undefined) console.log(`Not tested: a limit of watches, as ${unlimited}`);

test.skipIf(unlimited !== undefined)(
  "fault 35: tail polls the folders that the system has no more watches for, and says so once",
  async () => {
    using folder = new TempFolder();
    const each = (text: string) => {
      for (let i = 0; i < 60; i++) appendFileSync(folder.at(`${i}/a.log`), text);
    };
    const { values, messages } = await runTailChild({ path: folder.at("*/a.log") }, {
      watches: 5,
      prepare: () => {
        for (let i = 0; i < 60; i++) mkdirSync(folder.at(`${i}`));
        each("1\n");
      },
      steps: [[60, () => each("2\n")], [120, () => undefined]],
    });
    expect(values.toSorted()).toEqual([...Array(60).fill("1"), ...Array(60).fill("2")]);
    expect(messages.filter((message) => message.includes("polling instead")).length).toBe(1);
  },
);

test("tail emits nothing more before the pipeline has room, and loses nothing meanwhile", async () => {
  using folder = new TempFolder();
  const numbers = new Numbers();
  numbers.append(folder.at("a.log"), 50_000);
  const doors: (() => void)[] = [];
  await using input = startTail({ path: folder.at("a.log") }, {
    emit: () => new Promise<void>((resolve) => void doors.push(resolve)),
  });
  await eventually(() => doors.length === 1);
  numbers.append(folder.at("a.log"), 10);
  await Bun.sleep(100);
  expect(input.batches.length).toBe(1);
  while (input.records.length < numbers.next) {
    await eventually(() => doors.length > 0);
    doors.shift()!();
  }
  doors.shift()?.();
  expect(problemsOf(input.values(), numbers.all)).toEqual([]);
});
