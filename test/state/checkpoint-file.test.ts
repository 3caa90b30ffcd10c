import { Database } from "bun:sqlite";
import { afterEach, describe, expect, test } from "bun:test";
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { relative } from "node:path";
import type { CheckpointFileOptions } from "../../src/state/checkpoint-file.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { onSmallDisk } from "../support/small-disk.ts";
import { fillDisk } from "./fill-disk.ts";
import { Holder } from "./holder.ts";
import { closeFiles, fill, openFile, positions, saved } from "./open-files.ts";

afterEach(closeFiles);

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

  test("is one file, by whatever path two inputs name it", () => {
    using folder = new TempFolder();
    mkdirSync(folder.at("real"));
    symlinkSync(folder.at("real"), folder.at("link"));
    const one = openFile(folder.at("link/new.db"), { owner: "one" });
    const two = openFile(relative(".", folder.at("real/new.db")), { owner: "two" });
    one.file.commit(positions({ s: "1" }), new Set(), true);
    two.file.commit(positions({ s: "2" }), new Set(), true);
    one.file.close();
    two.file.close();
    symlinkSync(folder.at("real/new.db"), folder.at("other.db"));
    expect(saved(folder.at("other.db"), { owner: "two" })).toEqual({ s: "2" });
  });

  test("says what it is, and when each position was written", () => {
    using folder = new TempFolder();
    const path = folder.at("p.db");
    const { file } = openFile(path, { nowMs: () => 1_700_000_000_999 });
    file.commit(positions({ a: "1" }), new Set(), true);
    const reader = new Database(path, { readonly: true });
    expect(reader.query("PRAGMA application_id").get()).toEqual({ application_id: 0x6c67636c });
    expect(reader.query("SELECT stream, written FROM logcollector_positions").all()).toEqual([
      { stream: "a", written: 1_700_000_000 },
    ]);
    reader.close();
  });

  test("with `exclusive` lets no other program read it; without, any may", () => {
    using folder = new TempFolder();
    const reads = (path: string) => {
      const reader = new Database(path, { readonly: true });
      try {
        return reader.query("SELECT stream FROM logcollector_positions").all();
      } finally {
        reader.close();
      }
    };
    for (const exclusive of [false, true]) {
      const path = folder.at(`${exclusive}.db`);
      const { file } = openFile(path, { exclusive });
      file.commit(positions({ a: "1" }), new Set(), false);
      if (exclusive) expect(() => reads(path)).toThrow(/locked/);
      else expect(reads(path)).toEqual([{ stream: "a" }]);
      file.close();
    }
  });

  test("knows every way of SQLite's to keep a journal, and every degree of care", () => {
    using folder = new TempFolder();
    for (const journalMode of ["WAL", "DELETE", "truncate", "PERSIST", "MEMORY", "OFF", "; DROP"]) {
      for (const sync of ["off", "normal", "full", "extra"] as const) {
        const path = folder.at(`${journalMode.length}-${journalMode[0]}-${sync}.db`);
        const { file } = openFile(path, { journalMode, sync });
        file.commit(positions({ a: "1", b: "1" }), new Set(), false);
        file.commit(positions({ a: "2" }), new Set(["b"]), true);
        file.commit(new Map(), new Set(), true);
        file.close();
        expect({ journalMode, sync, saved: saved(path) }).toMatchObject({ saved: { a: "2" } });
      }
    }
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
    // It stays the other program's in name.
    expect(after.query("PRAGMA application_id").get()).toEqual({ application_id: 0 });
    after.close();
  });
});

describe("another program's database that several inputs share", () => {
  /** With a table of each plugin, and what each makes of its own. */
  function shared(folder: TempFolder): string {
    const path = folder.at("other.db");
    const other = new Database(path);
    other.exec("CREATE TABLE files (name TEXT); INSERT INTO files VALUES ('a'), ('b')");
    other.exec("CREATE TABLE cursors (name TEXT); INSERT INTO cursors VALUES ('c')");
    other.close();
    return path;
  }
  const migrating = (table: string): NonNullable<CheckpointFileOptions["migrate"]> => (database) =>
    database.hasTable(table)
      ? new Map(
        database.query(`SELECT name FROM ${table}`).map(({ name }) => [`${name}`, `old ${name}`]),
      )
      : undefined;
  const files = migrating("files");

  test("gives each of them what is there, also one that comes later, and each once", () => {
    using folder = new TempFolder();
    const path = shared(folder);
    const one = openFile(path, { owner: "one", migrate: files }).file;
    const two = openFile(path, { owner: "two", migrate: files }).file;
    expect([...one.saved.keys()]).toEqual(["a", "b"]);
    expect([...two.saved.keys()]).toEqual(["a", "b"]);
    one.commit(positions({ own: "1" }), new Set(["a", "b"]), true);
    two.commit(positions({ a: "2" }), new Set(["b"]), true);
    one.close();
    two.close();
    expect(saved(path, { owner: "one", migrate: files })).toEqual({ own: "1" });
    expect(saved(path, { owner: "three", migrate: files })).toEqual({ a: "old a", b: "old b" });
    expect(saved(path, { owner: "two", migrate: files })).toEqual({ a: "2" });
    expect(openFile(path, { owner: "three", migrate: files }).messages).toEqual([]);
  });

  test("tells plugins apart that have no names", () => {
    using folder = new TempFolder();
    const path = shared(folder);
    const systemd = { plugin: "systemd", migrate: migrating("cursors") };
    expect(saved(path, { migrate: files })).toEqual({ a: "old a", b: "old b" });
    expect(saved(path, systemd)).toEqual({ a: "old a", b: "old b", c: "old c" });
    const { file, messages } = openFile(path, systemd);
    file.commit(positions({ c: "new" }), new Set(["a", "b"]), true);
    file.close();
    expect(messages).toEqual([]);
    expect(saved(path, { migrate: files })).toEqual({ c: "new" });
    expect(saved(path, systemd)).toEqual({ c: "new" });
  });

  test("is left alone by an input that had its positions before it was noted who has", () => {
    using folder = new TempFolder();
    const path = shared(folder);
    const { file } = openFile(path, { owner: "one", migrate: files });
    file.commit(positions({ own: "1" }), new Set(["a", "b"]), true);
    file.close();
    const older = new Database(path);
    older.exec("DELETE FROM logcollector_meta WHERE key LIKE 'took over%'");
    older.close();
    expect(saved(path, { owner: "one", migrate: files })).toEqual({ own: "1" });
    expect(saved(path, { owner: "two", migrate: files })).toEqual({ a: "old a", b: "old b" });
  });

  test("is no obstacle to one that makes nothing of it", () => {
    using folder = new TempFolder();
    const path = shared(folder);
    expect(saved(path, { owner: "one", migrate: files })).toEqual({ a: "old a", b: "old b" });
    expect(saved(path, { owner: "two" })).toEqual({});
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

  test("because it is read-only says so, and what to do", async () => {
    await onSmallDisk("1m", (folder, remount) => {
      fill(`${folder}/p.db`, 2);
      remount("ro");
      for (const path of [`${folder}/p.db`, `${folder}/new.db`, `${folder}/new/new.db`]) {
        expect(() => openFile(path)).toThrow(
          /Cannot keep positions in .*EROFS.*: choose a path that can be written to/,
        );
      }
    });
  });

  test("because of somebody's rights says so, and what to do", async () => {
    using folder = new TempFolder();
    chmodSync(folder.path, 0o755);
    const remedy = "give this user the right to write to the file and its folder";
    const saidFor = async (name: string) => {
      await using holder = new Holder("open", folder.at(name), { user: "nobody" });
      return await holder.said;
    };
    fill(folder.at("p.db"), 1);
    chmodSync(folder.at("p.db"), 0o444);
    mkdirSync(folder.at("locked"), { mode: 0o500 });
    // A file that may be written to in a folder that may not: SQLite has no place for its log.
    fill(folder.at("locked/p.db"), 1);
    chmodSync(folder.at("locked/p.db"), 0o666);
    chmodSync(folder.at("locked"), 0o555);
    for (const name of ["p.db", "locked/p.db", "locked/new.db", "locked/sub/new.db"]) {
      expect(await saidFor(name)).toMatch(
        new RegExp(`^Cannot keep positions in .*(EACCES|SQLITE_READONLY).*: ${remedy}`),
      );
    }
  });
});
