import { describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  closeSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { noSmallDisk } from "../support/small-disk.ts";
import { FileCollector, lines, text } from "./file-collector.ts";

// What ends a test that waits in vain are the deadlines of what it waits for.
setDefaultTimeout(60_000);

/** As logrotate does it, with three generations. */
function rotate(files: FileCollector, name = "app.log"): void {
  for (const n of [2, 1]) {
    const from = files.at(`${name}.${n}`);
    if (existsSync(from)) renameSync(from, files.at(`${name}.${n + 1}`));
  }
  renameSync(files.at(name), files.at(`${name}.1`));
}

/** As logrotate's copytruncate does it. */
function copyAndTruncate(files: FileCollector): void {
  copyFileSync(files.at("app.log"), files.at("app.log.1"));
  truncateSync(files.at("app.log"));
}

describe("fault 22: a file that was copied, truncated, and is", () => {
  const SIZES = { shorter: 3, "as long as it was": 10, longer: 25 } as const;
  for (const [size, count] of Object.entries(SIZES)) {
    // Of the same width, so that the number of lines says how long the content is.
    test(`${size} while it is read`, async () => {
      await using files = new FileCollector("app.log");
      files.append("app.log", text(100, 110));
      await files.start();
      await files.untilLines(10);
      for (let round = 1; round <= 5; round++) {
        copyAndTruncate(files);
        files.append("app.log", text(100 * round + 100, 100 * round + 100 + count));
        await files.untilLines(10 + count * round);
      }
      const later = [1, 2, 3, 4, 5].flatMap((i) => lines(100 * i + 100, 100 * i + 100 + count));
      await files.expectLines([...lines(100, 110), ...later]);
    });

    test(`${size} while the program is stopped`, async () => {
      await using files = new FileCollector("app.log");
      files.append("app.log", text(100, 105));
      await files.start();
      await files.untilLines(5);
      await files.stop();
      // Nobody has read these: they are in the copy only.
      files.append("app.log", text(105, 110));
      copyAndTruncate(files);
      files.append("app.log", text(200, 200 + count));
      await files.start();
      await files.expectLines([...lines(100, 110), ...lines(200, 200 + count)]);
    });
  }
});

test("fault 23: a renamed file is read to its end, and one that comes long after from its start", async () => {
  await using files = new FileCollector("app.log");
  const fd = openSync(files.at("app.log"), "a");
  writeSync(fd, text(0, 10));
  await files.start();
  await files.untilLines(10);
  rotate(files);
  writeSync(fd, text(10, 20));
  closeSync(fd);
  await files.untilLines(20);
  await files.untilMetric("input_files_rotated_total", (n) => n === 1);
  expect(files.openFiles).toEqual([]);
  files.append("app.log", text(20, 30));
  await files.expectLines(lines(0, 30));
});

for (const pattern of ["app.log", "app.log*"]) {
  test(`fault 24: ${pattern} that was rotated twice while the program had no turn is read whole`, async () => {
    await using files = new FileCollector(pattern);
    files.append("app.log", text(0, 10));
    await files.start();
    await files.untilLines(10);
    files.collector.signal("SIGSTOP");
    let next = 10;
    for (let i = 0; i < 2; i++) {
      files.append("app.log", text(next, next += 5));
      rotate(files);
      files.append("app.log", text(next, next += 5));
    }
    files.collector.signal("SIGCONT");
    await files.untilLines(next);
    await files.expectLines(lines(0, next));
  });
}

test("fault 25: what was rotated and compressed is not read again, and not lost when nobody had read it", async () => {
  await using files = new FileCollector("app.log*");
  const pack = () => {
    // The tool itself, as logrotate calls it.
    const { exitCode } = Bun.spawnSync(["gzip", files.at("app.log.1")]);
    expect(exitCode).toBe(0);
  };
  files.append("app.log", text(0, 100));
  await files.start();
  await files.untilLines(100);
  rotate(files);
  files.append("app.log", text(100, 110));
  await files.untilLines(110);
  pack();
  files.append("app.log", text(110, 120));
  await files.untilLines(120);
  await files.stop();
  expect(files.lines).toEqual(lines(0, 120));
  rmSync(files.at("app.log.1.gz"));
  files.append("app.log", text(120, 130));
  rotate(files);
  pack();
  files.append("app.log", text(130, 140));
  await files.start();
  await files.untilLines(140);
  // Another file shows that all that lies there was looked at.
  files.append("app.log.other", text(140, 141));
  await files.expectSorted(lines(0, 141));
});

describe("fault 26: an inode that another file got", () => {
  test("while the program runs is read from 0", async () => {
    await using files = new FileCollector("*.log", { rotate_wait: 0.05 });
    await files.start();
    const inodes = new Set<number>();
    for (let round = 0; round < 10; round++) {
      // Longer each time: an old position would lie in it.
      files.append(`${round}.log`, text(round * 100, round * 100 + 10 + round));
      inodes.add(statSync(files.at(`${round}.log`)).ino);
      await files.untilLines(lengthAfter(round + 1));
      unlinkSync(files.at(`${round}.log`));
      await files.untilMetric("input_files_closed_total", (n) => n === round + 1);
    }
    expect(inodes.size).toBeLessThan(10);
    await files.expectLines(expectedAfter(10));
  });

  test("while it is stopped is read from 0", async () => {
    await using files = new FileCollector("*.log");
    const inodes = new Set<number>();
    for (let round = 0; round < 4; round++) {
      files.append(`${round % 2}.log`, text(round * 100, round * 100 + 10 + round));
      inodes.add(statSync(files.at(`${round % 2}.log`)).ino);
      await files.start();
      await files.untilLines(lengthAfter(round + 1));
      await files.stop();
      unlinkSync(files.at(`${round % 2}.log`));
    }
    expect(inodes.size).toBeLessThan(4);
    expect(files.lines).toEqual(expectedAfter(4));
  });

  const expectedAfter = (rounds: number) =>
    Array.from({ length: rounds }, (_, i) => lines(i * 100, i * 100 + 10 + i)).flat();
  const lengthAfter = (rounds: number) => expectedAfter(rounds).length;
});

test("fault 27: a file with two names that several patterns find is read once, over a restart too", async () => {
  await using files = new FileCollector(["*.log", "a*", "b.log"]);
  files.append("a.log", text(0, 10));
  linkSync(files.at("a.log"), files.at("b.log"));
  await files.start();
  await files.untilLines(10);
  files.append("b.log", text(10, 20));
  await files.untilLines(20);
  await files.stop();
  files.append("a.log", text(20, 30));
  await files.start();
  await files.untilLines(30);
  unlinkSync(files.at("a.log"));
  files.append("b.log", text(30, 40));
  await files.untilLines(40);
  files.append("c.log", text(40, 50));
  await files.expectLines(lines(0, 50));
});

describe("fault 29: a link", () => {
  test("that changes its target: both are read to their ends", async () => {
    await using files = new FileCollector("current.log");
    files.append("a", text(0, 10));
    symlinkSync("a", files.at("current.log"));
    await files.start();
    await files.untilLines(10);
    let next = 10;
    for (const target of ["b", "c", "d"]) {
      files.append("current.log", text(next, next += 5));
      files.append(target, text(next, next += 5));
      symlinkSync(target, files.at("new"));
      renameSync(files.at("new"), files.at("current.log"));
      await files.untilLines(next);
    }
    await files.expectLines(lines(0, next));
  });

  test("without a target waits for it, and links in a circle hold nothing up", async () => {
    await using files = new FileCollector("**/*.log");
    mkdirSync(files.at("deep/er"), { recursive: true });
    symlinkSync("later", files.at("dangling.log"));
    symlinkSync("loop.log", files.at("loop.log"));
    symlinkSync("two.log", files.at("one.log"));
    symlinkSync("one.log", files.at("two.log"));
    symlinkSync("../..", files.at("deep/er/up"));
    files.append("deep/er/a.log", text(0, 10));
    await files.start();
    await files.untilLines(10);
    files.append("later", text(10, 20));
    await files.untilLines(20);
    files.append("deep/er/a.log", text(20, 30));
    await files.expectLines(lines(0, 30));
  });
});

describe("fault 31: a folder that", () => {
  test("was removed and made again is watched again", async () => {
    await using files = new FileCollector("*/app.log");
    let next = 0;
    await files.start();
    for (let round = 0; round < 3; round++) {
      mkdirSync(files.at("sub"));
      files.append("sub/app.log", text(next, next += 10));
      await files.untilLines(next);
      files.append("sub/app.log", text(next, next += 10));
      await files.untilLines(next);
      rmSync(files.at("sub"), { recursive: true });
    }
    await files.expectLines(lines(0, next));
  });

  test("was unmounted and mounted again is read on in", async () => {
    if (noSmallDisk !== undefined) return console.log(`skipped: ${noSmallDisk}`);
    await using files = new FileCollector("mounted/app.log", { refresh_interval: 0.2 });
    const call = (...command: string[]) => expect(Bun.spawnSync(command).exitCode).toBe(0);
    const mount = () => call("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", files.at("mounted"));
    mkdirSync(files.at("mounted"));
    await files.start();
    let next = 0;
    for (let round = 0; round < 2; round++) {
      mount();
      try {
        files.append("mounted/app.log", text(next, next += 10));
        await files.untilLines(next);
        files.append("mounted/app.log", text(next, next += 10));
      } finally {
        call("umount", "-l", files.at("mounted"));
      }
      // It has the file open: what was written last is read although it can be found nowhere.
      await files.untilLines(next);
      await files.untilMetric("input_files_closed_total", (n) => n === round + 1);
    }
    files.append("mounted/app.log", text(next, next += 10));
    await files.expectLines(lines(0, next));
  });
});
