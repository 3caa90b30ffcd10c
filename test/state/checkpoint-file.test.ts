import { Database } from "bun:sqlite";
import { afterEach, describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { CheckpointFile, type CheckpointFileOptions } from "../../src/state/checkpoint-file.ts";
import { testContext } from "../support/context.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { onSmallDisk } from "../support/small-disk.ts";

const opened: CheckpointFile[] = [];
afterEach(() => {
  for (const file of opened.splice(0)) file.close();
});

function openFile(path: string, options: Partial<CheckpointFileOptions> = {}) {
  const { log, logged } = testContext();
  const file = CheckpointFile.open({ path, owner: "", log, nowMs: () => 1234, ...options });
  opened.push(file);
  return { file, messages: logged };
}

const positions = (entries: Record<string, string>, order = 1) =>
  new Map(Object.entries(entries).map(([stream, position]) => [stream, { position, order }]));

function saved(path: string, options: Partial<CheckpointFileOptions> = {}) {
  const { file } = openFile(path, options);
  const found = Object.fromEntries(
    [...file.saved].map(([stream, { position }]) => [stream, position]),
  );
  file.close();
  return found;
}

/** A file with many positions, more than a page of the database holds. */
function fill(path: string, count = 500): void {
  const { file } = openFile(path);
  const many = Object.fromEntries(Array.from({ length: count }, (_, i) => [`s${i}`, `p${i}`]));
  file.commit(positions(many), new Set(), true);
  file.close();
}

describe("CheckpointFile", () => {
  test("gives back what was committed, the last of each stream, and not what was removed", () => {
    using folder = new TempFolder();
    const path = folder.at("sub/folder/positions.db");
    const { file } = openFile(path);
    expect([...file.saved]).toEqual([]);
    file.commit(positions({ a: "1", b: "1", c: "ü\n{}" }), new Set(), false);
    file.commit(positions({ a: "2" }, 7), new Set(["b"]), true);
    file.close();
    const again = openFile(path).file;
    expect([...again.saved]).toEqual([
      ["a", { position: "2", order: 7 }],
      ["c", { position: "ü\n{}", order: 1 }],
    ]);
  });

  test("is readable by its user alone", () => {
    using folder = new TempFolder();
    const path = folder.at("new/positions.db");
    openFile(path);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(folder.at("new")).mode & 0o777).toBe(0o700);
  });

  test("keeps orders as large as the wall clock in microseconds", () => {
    using folder = new TempFolder();
    const path = folder.at("p.db");
    const order = 1_790_000_000_123_456;
    const { file } = openFile(path);
    file.commit(positions({ a: "1" }, order), new Set(), true);
    file.close();
    expect(openFile(path).file.saved.get("a")?.order).toBe(order);
  });

  test("of two inputs in one file keeps them apart", () => {
    using folder = new TempFolder();
    const path = folder.at("p.db");
    const one = openFile(path, { owner: "one" });
    const two = openFile(path, { owner: "two" });
    one.file.commit(positions({ s: "1" }), new Set(), true);
    two.file.commit(positions({ s: "2" }), new Set(), true);
    one.file.close();
    two.file.commit(positions({ t: "3" }), new Set(), true);
    two.file.close();
    expect(saved(path, { owner: "one" })).toEqual({ s: "1" });
    expect(saved(path, { owner: "two" })).toEqual({ s: "2", t: "3" });
    expect([...one.messages, ...two.messages]).toEqual([]);
  });

  test("says so when two inputs without names share a file", () => {
    using folder = new TempFolder();
    openFile(folder.at("p.db"));
    const { messages } = openFile(folder.at("p.db"));
    expect(messages[0]?.message).toContain("give both an alias");
  });

  test("that is another program's database is refused, and not touched", () => {
    using folder = new TempFolder();
    const path = folder.at("other.db");
    const other = new Database(path);
    other.exec("CREATE TABLE accounts (id INTEGER)");
    other.close();
    const before = readFileSync(path);
    expect(() => openFile(path)).toThrow(
      /database of another program \(accounts\): choose another/,
    );
    expect(() => openFile(path, { migrate: () => undefined })).toThrow(/another program/);
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  test("takes over what the input knows of another program's database, once", () => {
    using folder = new TempFolder();
    const path = folder.at("other.db");
    const other = new Database(path);
    other.exec("CREATE TABLE files (inode INTEGER, marker INTEGER)");
    other.exec("INSERT INTO files VALUES (17, 9007199254740993)");
    other.close();
    let calls = 0;
    const migrate: NonNullable<CheckpointFileOptions["migrate"]> = (database) => {
      calls++;
      expect([database.hasTable("files"), database.hasTable("others")]).toEqual([true, false]);
      const rows = database.query("SELECT * FROM files");
      return new Map(rows.map(({ inode, marker }) => [String(inode), `${typeof inode} ${marker}`]));
    };
    expect(saved(path, { migrate })).toEqual({ "17": "number 9007199254740993" });
    expect(saved(path, { migrate })).toEqual({ "17": "number 9007199254740993" });
    expect(calls).toBe(1);
    const after = new Database(path, { readonly: true });
    expect(after.query("SELECT count(*) AS n FROM files").get()).toEqual({ n: 1 });
    after.close();
  });
});

describe("fault 8: a file of positions", () => {
  test("that is empty starts anew", () => {
    using folder = new TempFolder();
    const path = folder.at("p.db");
    writeFileSync(path, "");
    expect(saved(path)).toEqual({});
  });

  test("that is garbage is put aside with one line, and another one takes its place", () => {
    using folder = new TempFolder();
    const path = folder.at("p.db");
    writeFileSync(path, "no database at all ".repeat(1000));
    const { file, messages } = openFile(path);
    file.commit(positions({ a: "1" }), new Set(), true);
    file.close();
    expect(messages).toEqual([{
      level: "error",
      message: `${path} is damaged: 0 positions could be read and go on, the file is kept as ` +
        `${path}.damaged-1234`,
    }]);
    expect(readFileSync(`${path}.damaged-1234`, "utf8")).toStartWith("no database");
    expect(saved(path)).toEqual({ a: "1" });
  });

  test("that was cut off keeps what can be read", () => {
    using folder = new TempFolder();
    const path = folder.at("p.db");
    fill(path);
    truncateSync(path, Math.floor(statSync(path).size / 2));
    const { file, messages } = openFile(path);
    expect(messages[0]?.message).toMatch(/is damaged: \d+ positions could be read and go on/);
    for (const [stream, { position }] of file.saved) expect(`p${stream.slice(1)}`).toBe(position);
    file.commit(positions({ new: "1" }), new Set(), true);
    file.close();
    expect(saved(path).new).toBe("1");
  });

  test("of which a page is overwritten keeps what can be read, wherever that page is", () => {
    using folder = new TempFolder();
    const whole = folder.at("whole.db");
    fill(whole);
    const bytes = readFileSync(whole);
    let salvaged = 0;
    for (let at = 0; at < bytes.length; at += 4096) {
      const path = folder.at(`p${at}.db`);
      const damaged = Buffer.from(bytes);
      damaged.fill(0xa5, at, at + 4096);
      writeFileSync(path, damaged);
      const { file } = openFile(path);
      for (const [stream, { position }] of file.saved) expect(`p${stream.slice(1)}`).toBe(position);
      salvaged += file.saved.size;
      file.close();
    }
    expect(salvaged).toBeGreaterThan(500);
  });

  test("with garbage in its -wal and -shm goes on", () => {
    using folder = new TempFolder();
    const path = folder.at("p.db");
    fill(path, 3);
    writeFileSync(`${path}-wal`, "garbage ".repeat(2000));
    writeFileSync(`${path}-shm`, "garbage ".repeat(5000));
    expect(saved(path)).toEqual({ s0: "p0", s1: "p1", s2: "p2" });
  });

  test("of a newer version is used as far as it is understood", () => {
    using folder = new TempFolder();
    const path = folder.at("p.db");
    fill(path, 1);
    const database = new Database(path);
    database.exec("UPDATE logcollector_meta SET value = '9' WHERE key = 'version'");
    database.close();
    const { file, messages } = openFile(path);
    expect([...file.saved.keys()]).toEqual(["s0"]);
    expect(messages[0]?.message).toContain("newer version");
    file.close();
    const changed = new Database(path);
    changed.exec("ALTER TABLE logcollector_positions RENAME COLUMN position TO place");
    changed.close();
    expect(() => openFile(path)).toThrow(/newer version of this program \(format 9, known is 1\)/);
  });

  test("that is a folder is refused", () => {
    using folder = new TempFolder();
    mkdirSync(folder.at("p.db"));
    expect(() => openFile(folder.at("p.db"))).toThrow(/Cannot keep positions in .*it is no file/);
  });
});

describe("fault 13: a disk that refuses positions", () => {
  test("because it is full keeps the last good ones, and takes new ones when there is room", async () => {
    await onSmallDisk("1m", (folder) => {
      const path = `${folder}/p.db`;
      const { file } = openFile(path);
      file.commit(positions({ a: "1" }), new Set(), true);
      writeFileSync(`${folder}/ballast`, "");
      fillDisk(`${folder}/ballast`);
      const many = Object.fromEntries(
        Array.from({ length: 3000 }, (_, i) => [`s${i}`, "x".repeat(200)]),
      );
      expect(() => file.commit(positions(many), new Set(), true)).toThrow(
        /Cannot save positions in .*p\.db: .*(full|I\/O)/,
      );
      truncateSync(`${folder}/ballast`, 0);
      file.commit(positions({ a: "2" }), new Set(), true);
      file.close();
      expect(saved(path)).toEqual({ a: "2" });
    });
  });

  test("because it is read-only says what is wrong", async () => {
    if (process.getuid?.() === 0) {
      await onSmallDisk("1m", (folder, remount) => {
        fill(`${folder}/p.db`, 2);
        remount("ro");
        expect(() => openFile(`${folder}/p.db`)).toThrow(/Cannot keep positions in .*p\.db: /);
      });
      return;
    }
    using folder = new TempFolder();
    chmodSync(folder.path, 0o500);
    expect(() => openFile(folder.at("p.db"))).toThrow(/Cannot keep positions/);
    chmodSync(folder.path, 0o700);
  });
});

test("fault 11: a second process on the same file is refused, and told by whom; kill -9 gives it free", async () => {
  using folder = new TempFolder();
  const path = folder.at("p.db");
  const holder = Bun.spawn([process.execPath, `${import.meta.dir}/hold-file.ts`, path], {
    stdout: "pipe",
  });
  const reader = holder.stdout.getReader();
  await reader.read();
  expect(() => openFile(path)).toThrow(`${path} is in use by process ${holder.pid}`);
  holder.kill("SIGKILL");
  await holder.exited;
  expect(saved(path)).toEqual({ held: "1" });
  expect(readdirSync(folder.path)).toEqual(["p.db"]);
  expect(existsSync(`${path}.damaged-1234`)).toBe(false);
});

function fillDisk(path: string): void {
  const { openSync, writeSync, closeSync } = require("node:fs") as typeof import("node:fs");
  const fd = openSync(path, "w");
  try {
    for (const block = Buffer.alloc(16 * 1024);;) writeSync(fd, block);
  } catch {
    // It is full now.
  } finally {
    closeSync(fd);
  }
}
