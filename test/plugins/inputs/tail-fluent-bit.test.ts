import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { appendFileSync, readFileSync, statSync, unlinkSync } from "node:fs";
import { gzipSync } from "node:zlib";
import type { ForeignDatabase } from "logcollector/plugin";
import { Host } from "./tail-host.ts";

/** A database as Fluent Bit's tail leaves it. */
class FluentBitDatabase {
  readonly database = new Database(":memory:", { safeIntegers: true });
  private readonly hasMarkers: boolean;

  constructor(hasMarkers: boolean) {
    this.hasMarkers = hasMarkers;
    const markers = ", offset_marker INTEGER DEFAULT 0, offset_marker_size INTEGER DEFAULT 0";
    this.database.run(
      `CREATE TABLE in_tail_files (id INTEGER PRIMARY KEY, name TEXT NOT NULL, offset INTEGER,
        inode INTEGER, created INTEGER, rotated INTEGER DEFAULT 0${hasMarkers ? markers : ""})`,
    );
  }

  /** Puts a file down as read up to the offset, or to its end. */
  add(path: string, offset = statSync(path).size, name = path, rotated = 0): this {
    const created = Math.floor(Date.now() / 1000);
    const { ino } = statSync(path);
    if (!this.hasMarkers) {
      this.database.run(
        "INSERT INTO in_tail_files (name, offset, inode, created, rotated) VALUES (?, ?, ?, ?, ?)",
        [name, offset, ino, created, rotated],
      );
      return this;
    }
    const size = Math.min(32, offset);
    const marker = size === 0
      ? 0n
      : BigInt.asIntN(64, Bun.hash.xxHash3(readFileSync(path).subarray(offset - size, offset)));
    this.database.run(
      "INSERT INTO in_tail_files (name, offset, inode, created, rotated, offset_marker, offset_marker_size) VALUES (?, ?, ?, ?, ?, ?, ?)",
      [name, offset, ino, created, rotated, marker, size],
    );
    return this;
  }

  get foreign(): ForeignDatabase {
    const { database } = this;
    return {
      hasTable: (name) =>
        database.query("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?").get(
          name,
        ) !== null,
      query: (sql) =>
        (database.query(sql).all() as Record<string, unknown>[]).map((row) =>
          Object.fromEntries(Object.entries(row).map(([name, value]) => [name, exact(value)]))
        ),
    };
  }
}

/** As the collector gives whole numbers: as numbers, where these are exact. */
function exact(value: unknown): unknown {
  return typeof value === "bigint" && BigInt(Number(value)) === value ? Number(value) : value;
}

/** Starts tail over what Fluent Bit left, as the collector does it. */
async function takeOver(host: Host, { foreign }: FluentBitDatabase): Promise<void> {
  await using input = host.start();
  const migrated = input.positions.options!.migrate!(foreign);
  await input.kill();
  host.positions.clear();
  for (const [stream, position] of migrated!) host.positions.set(stream, position);
}

for (const hasMarkers of [true, false]) {
  const version = hasMarkers ? "5.1" : "an older one";
  const host = (options: Record<string, unknown> = {}) =>
    new Host({ read_from_head: false, ...options });
  const database = () => new FluentBitDatabase(hasMarkers);

  test(`tail goes on where Fluent Bit was, of version ${version}`, async () => {
    using at = host();
    at.write("app.log", "1\n2\n3\n");
    await takeOver(at, database().add(at.at("app.log"), 2));
    expect(await at.run(2)).toEqual(["2", "3"]);
    at.write("app.log", "4\n");
    expect(await at.run(1)).toEqual(["4"]);
    expect([...at.positions.keys()].filter((stream) => stream.startsWith("fluent-bit"))).toEqual(
      [],
    );
  });

  test(`tail reads a file to its end that was renamed after Fluent Bit ${version} ended`, async () => {
    using at = host();
    at.write("app.log", "1\n");
    const left = database().add(at.at("app.log"));
    at.write("app.log", "2\n");
    at.rename("app.log", "app.log.1");
    at.write("app.log", "3\n");
    await takeOver(at, left);
    expect(await at.run(2)).toEqual(["2", "3"]);
  });

  test(`tail reads on in a file that was rotated while Fluent Bit ${version} ran`, async () => {
    using at = host();
    at.write("app.log", "1\n");
    at.rename("app.log", "app.log.1");
    const left = database().add(at.at("app.log.1"), 2, at.at("app.log.1"), 1);
    at.write("app.log.1", "2\n");
    at.write("app.log", "3\n");
    left.add(at.at("app.log"), 0);
    await takeOver(at, left);
    expect(await at.run(2)).toEqual(["2", "3"]);
  });

  test(`tail reads files from their head that came after Fluent Bit ${version} ended`, async () => {
    using at = host();
    const path = `${at.folder.path}/*.log`;
    at.write("app.log", "1\n");
    await takeOver(at, database().add(at.at("app.log")));
    at.write("later.log", "2\n");
    expect(await at.run(1, { path })).toEqual(["2"]);
  });

  test(`tail does not read again what Fluent Bit ${version} unpacked`, async () => {
    using at = host();
    const path = `${at.folder.path}/*.gz`;
    appendFileSync(at.at("a.gz"), gzipSync("1\n2\n"));
    const left = database().add(at.at("a.gz"));
    appendFileSync(at.at("b.gz"), gzipSync("3\n"));
    await takeOver(at, left);
    expect(await at.run(1, { path })).toEqual(["3"]);
  });
}

test("tail reads a line whole of which an older Fluent Bit had only read the beginning", async () => {
  using host = new Host();
  host.write("app.log", "1\n2 and");
  const left = new FluentBitDatabase(false).add(host.at("app.log"));
  host.write("app.log", " more\n");
  await takeOver(host, left);
  expect(await host.run(1)).toEqual(["2 and more"]);
});

test("tail starts at the head where Fluent Bit's hash says that the content is another", async () => {
  using host = new Host({ read_from_head: false });
  host.write("app.log", "the content that was read\n");
  const left = new FluentBitDatabase(true).add(host.at("app.log"));
  unlinkSync(host.at("app.log"));
  host.write("app.log", "another that is longer than it\n");
  await takeOver(host, left);
  expect(await host.run(1)).toEqual(["another that is longer than it"]);
});

test("tail takes of several rows with one inode the last", async () => {
  using host = new Host();
  host.write("app.log", "1\n2\n3\n");
  const left = new FluentBitDatabase(true).add(host.at("app.log"), 0, "/gone/x.log")
    .add(host.at("app.log"), 4);
  await takeOver(host, left);
  expect(await host.run(1)).toEqual(["3"]);
});

test("tail keeps files apart that have one number on two devices", async () => {
  using host = new Host();
  host.write("a.log", "a1\na2\n");
  host.write("b.log", "b1\nb2\n");
  // As if the file that was read were on another device: the number is that of b.log here.
  const left = new FluentBitDatabase(true).add(host.at("a.log"), 3, "/elsewhere/a.log");
  left.database.run("UPDATE in_tail_files SET inode = ?", [statSync(host.at("b.log")).ino]);
  await takeOver(host, left);
  const path = `${host.folder.path}/*.log`;
  expect((await host.run(4, { path })).toSorted()).toEqual(["a1", "a2", "b1", "b2"]);
});

test("tail leaves databases alone that are not Fluent Bit's", async () => {
  using host = new Host();
  await using input = host.start();
  const other: ForeignDatabase = { hasTable: () => false, query: () => [] };
  expect(input.positions.options!.migrate!(other)).toBe(undefined);
});
