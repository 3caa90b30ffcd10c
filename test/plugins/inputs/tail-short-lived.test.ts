import { expect, test } from "bun:test";
import { appendFileSync, existsSync, renameSync, rmSync } from "node:fs";
import { eventually } from "../../support/eventually.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { Numbers, problemsOf, startTail } from "./tail-driver.ts";

/** As logrotate with `rotate 1`: what was the first generation is gone. */
function rotateAndForget(folder: TempFolder): void {
  rmSync(folder.at("app.log.1"), { force: true });
  if (existsSync(folder.at("app.log"))) renameSync(folder.at("app.log"), folder.at("app.log.1"));
}

const aWhile = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test("tail finds generations that live for a moment in a folder that is not watched", async () => {
  using folder = new TempFolder();
  const numbers = new Numbers();
  numbers.append(folder.at("app.log"), 1);
  // A folder that is too busy is polled like one that cannot be watched.
  await using input = startTail({
    path: folder.at("app.log"),
    refresh_interval: "1s",
    inotify_watcher: false,
  });
  await input.untilRecords(1);
  for (let generation = 0; generation < 12; generation++) {
    // Each generation lives for two of these rounds.
    for (let i = 0; i < 30; i++) {
      numbers.append(folder.at("app.log"), 3);
      if (i % 5 === 0) await aWhile(5);
    }
    rotateAndForget(folder);
    await aWhile(20);
  }
  numbers.append(folder.at("app.log"), 1);
  await input.untilRecords(numbers.next);
  expect(problemsOf(input.values(), numbers.all)).toEqual([]);
});

test("tail finds at once what comes into a folder that is too busy to be watched", async () => {
  using folder = new TempFolder();
  appendFileSync(folder.at("first.log"), "first\n");
  await using input = startTail({ path: folder.at("*.log"), refresh_interval: "1h" });
  await input.untilRecords(1);
  for (let i = 0; i < 400; i++) {
    appendFileSync(folder.at(`${i}.other`), "");
    // Reports that come together are merged into one.
    await aWhile(2);
  }
  for (let i = 0; i < 5; i++) {
    appendFileSync(folder.at(`${i}.log`), `line ${i}\n`);
    await input.untilRecords(i + 2);
  }
  expect(input.values()).toEqual(["first", "line 0", "line 1", "line 2", "line 3", "line 4"]);
});

test("tail holds on to generations that are deleted while the pipeline has no room", async () => {
  using folder = new TempFolder();
  const numbers = new Numbers();
  const { promise: room, resolve: makeRoom } = Promise.withResolvers<void>();
  numbers.append(folder.at("app.log"), 10);
  await using input = startTail({ path: folder.at("app.log") }, { emit: () => room });
  await input.untilRecords(10);
  for (let generation = 0; generation < 4; generation++) {
    rotateAndForget(folder);
    numbers.append(folder.at("app.log"), 10);
    const opened = () => input.ctx.counters.get("input_files_opened_total")?.value ?? 0;
    await eventually(() => opened() >= generation + 2, () => `generation ${generation} is found`);
  }
  makeRoom();
  await input.untilRecords(numbers.next);
  expect(problemsOf(input.values(), numbers.all)).toEqual([]);
});
