import { describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { systemClock } from "../../../src/lib/clock.ts";
import { StepWork } from "../../../plugins/inputs/tail/step-work.ts";
import type { TestContext } from "../../support/context.ts";
import { eventually } from "../../support/eventually.ts";
import type { InputDriver } from "../../support/input-driver.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { countProblemsOf, Numbers, problemsOf, readAll, startTail } from "./tail-driver.ts";

// What ends a test that waits in vain are the deadlines of what it waits for.
setDefaultTimeout(60_000);

/** A tree of folders with one line in each file, which is the file's path below the root. */
function makeTree(root: string, folders: number, files: number): string[] {
  const paths: string[] = [];
  for (let f = 0; f < folders; f++) {
    mkdirSync(`${root}/${f}`, { recursive: true });
    for (let i = 0; i < files; i++) paths.push(`${f}/${i}-of-many.log`);
  }
  for (const path of paths) writeFileSync(`${root}/${path}`, `${path}\n`);
  return paths;
}

describe("fault 33: tail whose pattern finds far more than it may", () => {
  test("follow says so once, and gives what it follows its turns, rotations included", async () => {
    using folder = new TempFolder();
    const paths = makeTree(folder.path, 20, 50);
    await using input = startTail({ path: `${folder.path}/**/*.log`, max_files: 30 });
    await input.untilRecords(30);
    const [followed, other] = input.values() as [string, string];
    const numbers = new Numbers();
    for (let round = 1; round <= 3; round++) {
      numbers.append(folder.at(followed), 10);
      renameSync(folder.at(followed), folder.at(`${followed}.${round}`));
      numbers.append(folder.at(followed), 10);
      await input.untilRecords(30 + numbers.next);
    }
    expect(problemsOf(input.values().slice(30), numbers.all)).toEqual([]);
    expect(input.messages.filter((message) => message.includes("max_files"))).toEqual([
      `warn: Cannot follow more files than the 30 that max_files allows: 970 further names match ` +
      `${folder.path}/**/*.log. Make path narrower, leave files out with exclude_path, or raise max_files`,
    ]);
    // There is room for another one as soon as one is gone.
    const count = 30 + numbers.next;
    rmSync(folder.at(other));
    await input.untilRecords(count + 1);
    expect(paths).toContain(input.values()[count] as string);
  });

  test("look at says so once, and does not take what it did not come to for gone", async () => {
    using folder = new TempFolder();
    mkdirSync(folder.at("m"));
    const numbers = new Numbers();
    numbers.append(folder.at("m/app.log"), 10);
    await using input = startTail({
      path: `${folder.path}/**/app.log, ${folder.path}/own/*.log`,
      rotate_wait: "1ms",
      scan_limit: 200,
    });
    await input.untilRecords(10);
    // Wherever the folder stands in the list of its parent, more than the limit comes before it.
    for (let i = 0; i < 40; i++) {
      mkdirSync(folder.at(`${i}`));
      for (let j = 0; j < 201; j++) writeFileSync(folder.at(`${i}/${j}.txt`), "");
    }
    const said = () => input.messages.filter((message) => message.includes("scan_limit"));
    await eventually(() => said().length > 0);
    mkdirSync(folder.at("own"));
    for (let round = 0; round < 5; round++) {
      numbers.append(folder.at("m/app.log"), 10);
      // Another pattern has a limit of its own: that this is found shows that a whole scan went by.
      numbers.append(folder.at(`own/${round}.log`), 1);
      await input.untilRecords(numbers.next);
    }
    expect(countProblemsOf(input.values(), numbers.all)).toEqual([]);
    expect(input.ctx.counters.get("input_files_rotated_total")!.value).toBe(0);
    expect(said()).toEqual([
      `warn: Looked at 200 names for ${folder.path}/**/app.log and stopped, as scan_limit says: ` +
      "files beyond them are not found. Make path narrower, or raise scan_limit",
    ]);
  });

  test("look at lets others have turns meanwhile", async () => {
    using folder = new TempFolder();
    makeTree(folder.path, 30, 300);
    let turns = 0;
    // On this clock everything takes long.
    const clock = { ...systemClock, nowMs: () => systemClock.nowMs() + turns + looks++ };
    let looks = 0;
    const breathe = async () => {
      turns++;
      await new Promise((resolve) => setImmediate(resolve));
    };
    const input = await readAll({ path: `${folder.path}/**/*.log`, max_files: 5 }, {
      ctx: { clock: clock as unknown as TestContext["clock"], breathe },
    });
    expect(input.records.length).toBe(5);
    // A pause may come after every 64 of 9030 names, and a slice is five looks at the clock long.
    expect(turns).toBeGreaterThan(9000 / 64 / 5);
  });
});

describe("tail whose first scan takes long", () => {
  /** Starts tail; `act` is done while it looks through a large folder, after what `before` names. */
  function startSlowly(
    folder: TempFolder,
    { before = "none", after = "none", ...options }: Record<string, unknown>,
    act: () => void,
  ): InputDriver {
    mkdirSync(folder.at("large"));
    for (let i = 0; i < 1000; i++) writeFileSync(folder.at(`large/${i}`), "");
    let breaths = 0;
    let looks = 0;
    return startTail(
      {
        path: `${folder.at(before as string)}, ${folder.at("large/*.log")}, ${
          folder.at(after as string)
        }`,
        ...options,
      },
      {
        ctx: {
          clock: {
            ...systemClock,
            nowMs: () => systemClock.nowMs() + looks++,
          } as unknown as TestContext["clock"],
          breathe: async () => {
            if (breaths++ === 0) act();
            await new Promise((resolve) => setImmediate(resolve));
          },
        },
      },
    );
  }

  test("reads a file from its start that is made meanwhile", async () => {
    using folder = new TempFolder();
    mkdirSync(folder.at("late"));
    const path = folder.at("late/new.log");
    await using input = startSlowly(
      folder,
      { after: "late/*.log", read_from_head: false },
      () => {
        const nowMs = Date.now();
        // A file system's clock goes in steps.
        do {
          rmSync(path, { force: true });
          writeFileSync(path, "first\n");
        } while (statSync(path).birthtimeMs <= nowMs);
      },
    );
    await input.untilRecords(1);
    expect(input.values()).toEqual(["first"]);
  });

  test("reads a file that is rotated between being found and being opened", async () => {
    using folder = new TempFolder();
    const path = folder.at("app.log");
    writeFileSync(path, "1\n2\n");
    await using input = startSlowly(folder, { before: "app.log" }, () => {
      renameSync(path, `${path}.1`);
      writeFileSync(path, "3\n");
    });
    await input.untilRecords(3);
    expect(input.values()).toEqual(["1", "2", "3"]);
    expect(input.messages.join()).not.toContain("Cannot");
  });
});

test("tail finds each file once where ** could stand for several depths, and past links", async () => {
  using folder = new TempFolder();
  for (const path of ["a/b/a/b", ".hidden/b", "other"]) {
    mkdirSync(folder.at(path), { recursive: true });
  }
  for (
    const path of [
      "b.log",
      "a/b/1.log",
      "a/b/a/b/2.log",
      "a/b/a/3.log",
      ".hidden/b/4.log",
      "other/5.log",
    ]
  ) {
    writeFileSync(folder.at(path), `${path}\n`);
  }
  symlinkSync("../../other", folder.at("a/b/linked"));
  const find = async (pattern: string) =>
    (await readAll({ path: folder.at(pattern) })).values().toSorted();
  expect(await find("**/b/*.log")).toEqual(["a/b/1.log", "a/b/a/b/2.log"]);
  expect(await find("**/b/**/*.log")).toEqual(["a/b/1.log", "a/b/a/3.log", "a/b/a/b/2.log"]);
  expect(await find("**/a/**/b/*.log")).toEqual(["a/b/1.log", "a/b/a/b/2.log"]);
  expect(await find("**")).toEqual([
    "a/b/1.log",
    "a/b/a/3.log",
    "a/b/a/b/2.log",
    "b.log",
    "other/5.log",
  ]);
  // A name finds what a link leads to; ** does not.
  expect(await find("**/b/*/5.log")).toEqual(["other/5.log"]);
  expect(await find("**/.hidden/b/*.log")).toEqual([".hidden/b/4.log"]);
});

test("tail reads a folder with a long list of names like any other", async () => {
  using folder = new TempFolder();
  const name = (i: number) => `${"long-".repeat(40)}${i}.log`;
  for (let i = 0; i < 3000; i++) writeFileSync(folder.at(name(i)), "");
  for (let i = 0; i < 10; i++) appendFileSync(folder.at(name(i * 300)), `${i}\n`);
  expect(readdirSync(folder.path).length).toBe(3000);
  const input = await readAll({ path: folder.at("*.log") });
  expect(input.values().toSorted()).toEqual(Array.from({ length: 10 }, (_, i) => `${i}`));
});

describe("StepWork", () => {
  /** A clock on which every look takes so long. */
  const slowClock = (ms: number) => {
    let nowMs = 0;
    return { ...systemClock, nowMs: () => nowMs += ms };
  };

  test("goes on for 5 ms, and says at the end what all of it took", () => {
    const done: number[] = [];
    const work = new StepWork(slowClock(1), () => undefined);
    work.begin((function* () {
      for (let i = 0; i < 12; i++) {
        done.push(i);
        yield;
      }
    })());
    const results = [work.goOn(), work.goOn(), work.goOn()];
    expect(results).toEqual([undefined, undefined, 13]);
    expect(done.length).toBe(12);
    expect(work.isUnderWay).toBe(false);
  });

  test("waits for a promise, and says when it can go on", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    let ready = 0;
    const work = new StepWork(slowClock(1), () => ready++);
    work.begin((function* () {
      yield promise;
    })());
    expect(work.goOn()).toBeUndefined();
    expect([work.isUnderWay, work.canGoOn]).toEqual([true, false]);
    expect(work.goOn()).toBeUndefined();
    resolve();
    await eventually(() => ready === 1);
    expect(work.canGoOn).toBe(true);
    expect(work.goOn()).toBeGreaterThan(0);
  });

  test("that throws is over", () => {
    const work = new StepWork(slowClock(1), () => undefined);
    // deno-lint-ignore require-yield
    work.begin((function* () {
      throw new Error("no");
    })());
    expect(() => work.goOn()).toThrow("no");
    expect(work.isUnderWay).toBe(false);
  });
});
