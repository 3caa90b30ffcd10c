import { afterEach, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { type FileLock, LockedError, lockFile } from "../../src/state/file-lock.ts";
import { holderIn } from "../../src/state/lock-holder.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { Holder } from "./holder.ts";
import { closeFiles, openFile, saved } from "./open-files.ts";

afterEach(closeFiles);

function refusal(attempt: () => unknown): LockedError {
  try {
    attempt();
  } catch (error) {
    if (error instanceof LockedError) return error;
    throw error;
  }
  throw new Error("It was not refused");
}

describe("fault 11: two instances", () => {
  test("with one file of positions: the second is told by whom it is used; kill -9 gives it free", async () => {
    using folder = new TempFolder();
    const path = folder.at("p.db");
    await using holder = new Holder("open", path);
    expect(await holder.said).toBe("held");
    expect(() => openFile(path)).toThrow(
      `Cannot keep positions in ${path}: ${path} is in use by process ${holder.pid}: only one`,
    );
    await holder.kill();
    expect(saved(path)).toEqual({ held: "1" });
    expect(readdirSync(folder.path)).toEqual(["p.db"]);
  });

  test("with one folder: the second is refused, until the first gives it up", async () => {
    using folder = new TempFolder();
    const path = folder.at("lock");
    const lock = lockFile(path);
    await using second = new Holder("lock", path);
    expect(await second.said).toBe(
      `${path} is in use by process ${process.pid}: only one collector may work with it`,
    );
    lock.release();
    lock.release();
    await using third = new Holder("lock", path);
    expect(await third.said).toBe("held");
    expect(refusal(() => lockFile(path)).pid).toBe(third.pid);
    await third.kill();
    lockFile(path).release();
  });

  test("a child that the holder has started does not hold it on", async () => {
    using folder = new TempFolder();
    const path = folder.at("lock");
    const lock = lockFile(path);
    const child = Bun.spawn(["sh", "-c", "echo up; exec sleep 60"], { stdout: "pipe" });
    await child.stdout.getReader().read();
    lock.release();
    lockFile(path).release();
    child.kill();
    await child.exited;
  });
});

/** Locks by SQLite, as where the C library cannot be called. */
const lockName = (path: string): FileLock => lockFile(path, NOT_TO_BE_HAD);
const NOT_TO_BE_HAD = null;

describe("without flock", () => {
  test("a lock refuses all the same, and names the process", () => {
    using folder = new TempFolder();
    const path = folder.at("lock");
    const lock = lockName(path);
    expect(refusal(() => lockName(path)).message).toBe(
      `${path} is in use by process ${process.pid}: only one collector may work with it`,
    );
    lock.release();
    const again = lockName(path);
    expect(again.isOfName).toBe(true);
    again.release();
  });

  test("processes that may not make machine code refuse each other; kill -9 gives it free", async () => {
    using folder = new TempFolder();
    const path = folder.at("p.db");
    await using holder = new Holder("open", path, { withoutMachineCode: true });
    const said = await holder.said;
    if (said === "unavailable") return console.log("skipped: the system knows no such restriction");
    expect(said).toBe("held");
    expect(existsSync(`${path}-lock`)).toBe(true);
    expect(refusal(() => lockName(path)).pid).toBeGreaterThan(0);
    await using second = new Holder("open", path, { withoutMachineCode: true });
    expect(await second.said).toMatch(/Cannot keep positions in .* is in use by process \d+/);
    await holder.kill("SIGTERM");
    await using third = new Holder("open", path, { withoutMachineCode: true });
    expect(await third.said).toBe("held");
    await third.kill("SIGTERM");
  });
});

test("a file system that cannot lock is named as that, not as another process", () => {
  using folder = new TempFolder();
  const ENOLCK = 37;
  expect(() => lockFile(folder.at("lock"), () => ENOLCK)).toThrow(
    `Cannot lock ${folder.at("lock")}: its file system refuses it (error 37)`,
  );
});

test("a damaged file that is replaced stays locked", async () => {
  using folder = new TempFolder();
  const path = folder.at("p.db");
  writeFileSync(path, "no database ".repeat(1000));
  openFile(path);
  await using second = new Holder("open", path);
  expect(await second.said).toContain(`is in use by process ${process.pid}`);
});

test("the system's list of locks names the holder", () => {
  const locks = [
    "1: POSIX  ADVISORY  WRITE 10 fe:00:77 0 EOF",
    "2: FLOCK  ADVISORY  WRITE 11 fe:01:77 0 EOF",
    "2: -> FLOCK  ADVISORY  WRITE 12 fe:00:77 0 EOF",
    "3: FLOCK  ADVISORY  WRITE 13 fe:00:77 0 EOF",
    "4: FLOCK  ADVISORY  READ 14 fe:00:78 0 EOF",
    "5: OFDLCK ADVISORY  WRITE -1 fe:00:79 0 EOF",
    "6: FLOCK  ADVISORY  WRITE 0 fe:00:80 0 EOF",
    "7: FLOCK  ADVISORY  WRITE 15 103:10f:81 0 EOF",
    "",
  ].join("\n");
  const fe00 = 0xfe * 256;
  expect(holderIn(locks, "FLOCK", { dev: fe00, ino: 77 })).toBe(13);
  expect(holderIn(locks, "POSIX", { dev: fe00, ino: 77 })).toBe(10);
  for (const ino of [78, 79, 80, 99]) {
    expect(holderIn(locks, "FLOCK", { dev: fe00, ino })).toBeUndefined();
  }
  // Another device's inode, unless it is the only one of that number: an overlay shows its files so.
  expect(holderIn(locks, "FLOCK", { dev: 1, ino: 77 })).toBeUndefined();
  expect(holderIn(locks, "FLOCK", { dev: 1, ino: 81 })).toBe(15);
  // Numbers above 255 are in two parts.
  const dev = 0x103 * 256 + 0x0f + 2 ** 20;
  expect(holderIn(locks, "FLOCK", { dev, ino: 81 })).toBe(15);
});
