import { Database } from "bun:sqlite";
import { afterEach, describe, expect, test } from "bun:test";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { Random } from "../support/random.ts";
import { onSmallDisk } from "../support/small-disk.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { fillDisk } from "./fill-disk.ts";
import { Holder } from "./holder.ts";
import { closeFiles, fill, openFile, positions, saved } from "./open-files.ts";

afterEach(closeFiles);

const NONE: ReadonlySet<string> = new Set();

/** Opens the file, expects that nothing in it is wrong, and that new positions are kept. Returns how many were found. */
function goesOn(path: string): number {
  const { file } = openFile(path);
  for (const [stream, { position }] of file.saved) expect(position).toBe(`p${stream.slice(1)}`);
  file.commit(positions({ s0: "p0", snew: "pnew" }), NONE, true);
  file.close();
  expect(saved(path)).toMatchObject({ s0: "p0", snew: "pnew" });
  return file.saved.size;
}

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
    file.commit(positions({ a: "1" }), NONE, true);
    file.close();
    expect(messages).toEqual([{
      level: "error",
      message: `${path} is damaged: 0 positions could be read and go on, the file is kept as ` +
        `${path}.damaged-19700101T000001234Z`,
    }]);
    expect(readFileSync(`${path}.damaged-19700101T000001234Z`, "utf8")).toStartWith("no database");
    expect(saved(path)).toEqual({ a: "1" });
  });

  test("that was cut off anywhere keeps what can be read", () => {
    using folder = new TempFolder();
    const whole = folder.at("whole.db");
    fill(whole);
    const { size } = statSync(whole);
    let found = 0;
    for (const length of [1, 15, 16, 99, 100, 511, 4095, 4096, 4097, size / 2, size - 1]) {
      const path = folder.at(`p${length}.db`);
      copyFileSync(whole, path);
      truncateSync(path, Math.floor(length));
      found += goesOn(path);
    }
    expect(found).toBeGreaterThan(0);
  });

  test("of which a page is overwritten keeps what can be read, wherever that page is", () => {
    using folder = new TempFolder();
    const whole = folder.at("whole.db");
    fill(whole);
    const bytes = readFileSync(whole);
    let found = 0;
    for (let at = 0; at < bytes.length; at += 4096) {
      const path = folder.at(`p${at}.db`);
      writeFileSync(path, Buffer.from(bytes).fill(0xa5, at, at + 4096));
      found += goesOn(path);
    }
    expect(found).toBeGreaterThan(500);
  });

  test("with any bytes of it and its log overwritten is opened, and goes on", () => {
    using folder = new TempFolder();
    const path = folder.at("p.db");
    fill(path, 300);
    const { file } = openFile(path);
    file.commit(positions({ s301: "p301" }), NONE, true);
    const whole = ["", "-wal", "-shm"].map((suffix) => readFileSync(path + suffix));
    file.close();
    for (let seed = 1; seed <= 100; seed++) {
      const random = new Random(seed);
      const copy = folder.at(`${seed}.db`);
      ["", "-wal", "-shm"].forEach((suffix, i) => {
        const bytes = Buffer.from(whole[i]!);
        for (let k = random.below(4); k > 0; k--) {
          const at = random.below(bytes.length);
          const end = Math.min(bytes.length, at + 1 + random.below(3000));
          bytes.fill(random.below(256), at, end);
        }
        writeFileSync(copy + suffix, bytes);
      });
      try {
        goesOn(copy);
      } catch (error) {
        throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
      }
    }
  });

  test("that is damaged while it is open is repaired at the next commit", () => {
    using folder = new TempFolder();
    const path = folder.at("p.db");
    // More than SQLite keeps in memory.
    fill(path, 100_000);
    const { file, messages } = openFile(path);
    const bytes = readFileSync(path);
    bytes.fill(0xa5, 4096 * 100, 4096 * 110);
    writeFileSync(path, bytes);
    const all = Object.fromEntries([...file.saved.keys()].map((stream) => [stream, "again"]));
    file.commit(positions(all), NONE, true);
    file.close();
    expect(messages[0]!.message).toContain(`${path} is damaged: `);
    expect(saved(path)).toEqual(all);
  }, 30_000);

  test("leaves at most three damaged ones behind", () => {
    using folder = new TempFolder();
    const path = folder.at("p.db");
    writeFileSync(folder.at("p.db.damaged-by-hand"), "somebody else's");
    let removed = "";
    for (let nowMs = 1; nowMs <= 5; nowMs++) {
      writeFileSync(path, "garbage ".repeat(1000));
      writeFileSync(`${path}-wal`, "garbage");
      const { file, messages } = openFile(path, { nowMs: () => nowMs });
      removed += messages.map(({ message }) => message).filter((each) => each.includes("Removed"));
      file.close();
    }
    expect(readdirSync(folder.path).filter((name) => !name.endsWith("-wal")).sort()).toEqual([
      "p.db",
      "p.db.damaged-19700101T000000003Z",
      "p.db.damaged-19700101T000000004Z",
      "p.db.damaged-19700101T000000005Z",
      "p.db.damaged-by-hand",
    ]);
    expect(removed).toContain("p.db.damaged-19700101T000000002Z: newer ones are kept");
  });

  test("goes on after a repair that was cut off itself", () => {
    using folder = new TempFolder();
    const path = folder.at("p.db");
    fill(path);
    truncateSync(path, 20_000);
    writeFileSync(`${path}.recovered`, "half of a database");
    writeFileSync(`${path}.recovered-wal`, "and of its log");
    expect(goesOn(path)).toBeGreaterThan(0);
    expect(readdirSync(folder.path).filter((name) => name.includes("recovered"))).toEqual([]);
  });

  test("stays as it is when there is no room to repair it", async () => {
    await onSmallDisk("2m", (folder) => {
      const path = `${folder}/p.db`;
      fill(path);
      truncateSync(path, 20_000);
      const damaged = readFileSync(path);
      fillDisk(`${folder}/ballast`);
      expect(() => openFile(path)).toThrow(/Cannot keep positions in .*: make room/);
      expect(readFileSync(path).equals(damaged)).toBe(true);
      truncateSync(`${folder}/ballast`, 0);
      expect(goesOn(path)).toBeGreaterThan(0);
    });
  });

  test("with garbage in its -wal and -shm goes on", () => {
    using folder = new TempFolder();
    const path = folder.at("p.db");
    fill(path, 3);
    writeFileSync(`${path}-wal`, "garbage ".repeat(2000));
    writeFileSync(`${path}-shm`, "garbage ".repeat(5000));
    expect(saved(path)).toEqual({ s0: "p0", s1: "p1", s2: "p2" });
  });

  test("without its log, or with an old one, goes back to what is whole", () => {
    using folder = new TempFolder();
    const path = folder.at("p.db");
    fill(path, 3);
    const { file } = openFile(path);
    file.commit(positions({ s9: "p9" }), NONE, true);
    copyFileSync(path, folder.at("lost.db"));
    copyFileSync(`${path}-wal`, folder.at("old-wal"));
    file.close();
    expect(saved(folder.at("lost.db"))).toEqual({ s0: "p0", s1: "p1", s2: "p2" });
    fill(path, 800);
    copyFileSync(folder.at("old-wal"), `${path}-wal`);
    openFile(path).file.close();
    goesOn(path);
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
    const renamed = new Database(path);
    renamed.exec("ALTER TABLE logcollector_positions RENAME TO logcollector_places");
    renamed.close();
    expect(() => openFile(path)).toThrow(/newer version of this program \(format 9, known is 1\)/);
  });

  test("of another program that is damaged is refused, and left alone", () => {
    using folder = new TempFolder();
    const path = folder.at("other.db");
    const other = new Database(path);
    other.exec("CREATE TABLE files (id INTEGER, name TEXT)");
    const insert = other.prepare("INSERT INTO files VALUES (?, ?)");
    other.transaction(() => {
      for (let i = 0; i < 1000; i++) insert.run(i, `name ${i}`);
    })();
    other.close();
    const bytes = readFileSync(path).fill(0xa5, 4096);
    writeFileSync(path, bytes);
    const migrate = () => {
      throw Object.assign(new Error("database disk image is malformed"), {
        code: "SQLITE_CORRUPT",
      });
    };
    expect(() => openFile(path, { migrate })).toThrow(
      /damaged database of another program \(files\): move it away/,
    );
    expect(readFileSync(path).equals(bytes)).toBe(true);
  });

  test("that is a folder is refused", () => {
    using folder = new TempFolder();
    mkdirSync(folder.at("p.db"));
    expect(() => openFile(folder.at("p.db"))).toThrow(/Cannot keep positions in .*it is no file/);
  });
});

test("kill -9 costs nothing that was committed, durably or not", async () => {
  using folder = new TempFolder();
  const path = folder.at("p.db");
  await using holder = new Holder("open", path);
  expect(await holder.said).toBe("held");
  await holder.kill();
  expect(existsSync(`${path}-wal`)).toBe(true);
  // Nor does the loss of what only speeds reading up.
  rmSync(`${path}-shm`);
  expect(saved(path)).toEqual({ held: "1" });
});
