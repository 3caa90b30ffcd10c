import { Database } from "bun:sqlite";
import { expect, setDefaultTimeout, test } from "bun:test";
import { appendFileSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { Collector } from "../support/binary.ts";
import { journalctl, journalToolsMissing, makeJournal } from "../support/journal-fixtures.ts";
import { TempFolder } from "../support/temp-folder.ts";

// What ends a test that waits in vain are the deadlines of what it waits for.
setDefaultTimeout(60_000);

/** A database that Fluent Bit left, of which each of these files was read up to its end. */
function fluentBitDatabase(path: string, files: readonly string[]): Database {
  const database = new Database(path);
  database.run(
    `CREATE TABLE in_tail_files (id INTEGER PRIMARY KEY, name TEXT NOT NULL, offset INTEGER, inode INTEGER,
      created INTEGER, rotated INTEGER DEFAULT 0, offset_marker INTEGER, offset_marker_size INTEGER)`,
  );
  for (const file of files) {
    const { size, ino } = statSync(file);
    const marked = Math.min(32, size);
    const marker = Bun.hash.xxHash3(readFileSync(file).subarray(size - marked));
    database.run(
      "INSERT INTO in_tail_files (name, offset, inode, created, offset_marker, offset_marker_size) VALUES (?, ?, ?, ?, ?, ?)",
      [file, size, ino, Math.floor(Date.now() / 1000), BigInt.asIntN(64, marker), marked],
    );
  }
  return database;
}

function configure(folder: TempFolder, inputs: readonly string[]): string {
  const path = folder.at("config.yaml");
  writeFileSync(
    path,
    `service: {flush: 0.02}
pipeline:
  inputs:${inputs.map((input) => `\n    - {${input}, db: ${folder.at("flb.db")}}`).join("")}
  outputs: [{name: stdout, match: '*', format: json_lines, json_date_key: off}]
`,
  );
  return path;
}

/** Runs until so many records came, and to the end: no more come. */
async function logged(config: string, count: number): Promise<unknown[]> {
  await using run = new Collector(["-c", config]);
  await run.untilRecords(count);
  expect(await run.stop()).toBe(0);
  expect(run.log.filter(({ level }) => level === "error")).toEqual([]);
  return run.records.map(({ log, MESSAGE }) => log ?? MESSAGE).sort();
}

test("each input that names a database of Fluent Bit's goes on where it was, also one that comes later", async () => {
  using folder = new TempFolder();
  const all = ["a", "b", "c"];
  const file = (name: string) => folder.at(`${name}.log`);
  const write = (round: number) => {
    for (const name of all) appendFileSync(file(name), `${name}${round}\n`);
  };
  write(1);
  fluentBitDatabase(folder.at("flb.db"), all.map(file)).close();
  write(2);
  const input = (name: string) => `name: tail, alias: ${name}, path: ${file(name)}`;

  expect(await logged(configure(folder, [input("a"), input("b")]), 2)).toEqual(["a2", "b2"]);
  write(3);
  const three = configure(folder, all.map(input));
  expect(await logged(three, 4)).toEqual(["a3", "b3", "c2", "c3"]);
  write(4);
  expect(await logged(three, 3)).toEqual(["a4", "b4", "c4"]);
});

test("an input that gets a name by a reload goes on where it is, not where Fluent Bit was", async () => {
  using folder = new TempFolder();
  const log = folder.at("a.log");
  writeFileSync(log, "1\n");
  fluentBitDatabase(folder.at("flb.db"), [log]).close();
  appendFileSync(log, "2\n");
  const config = configure(folder, [`name: tail, path: ${log}`]);
  await using run = new Collector(["-c", config]);
  await run.untilRecords(1);
  configure(folder, [`name: tail, alias: named, path: ${log}`]);
  run.signal("SIGHUP");
  await run.untilLog("Reloaded");
  appendFileSync(log, "3\n");
  await run.untilRecords(2);
  expect(await run.stop()).toBe(0);
  expect(run.records.map((record) => record.log)).toEqual(["2", "3"]);
  appendFileSync(log, "4\n");
  expect(await logged(config, 1)).toEqual(["4"]);
});

test("an input finds files as its options say where Fluent Bit had followed none", async () => {
  using folder = new TempFolder();
  writeFileSync(folder.at("a.log"), "a1\n");
  writeFileSync(folder.at("b.log"), "b1\n");
  fluentBitDatabase(folder.at("flb.db"), [folder.at("a.log")]).close();
  const config = configure(
    folder,
    ["a", "b"].map((name) => `name: tail, alias: ${name}, path: ${folder.at(`${name}.log`)}`),
  );
  await using run = new Collector(["-c", config]);
  await run.untilLog(/Took over 1 position .* for b/);
  // Reading b.log begins at its end, of which its input tells.
  await run.until(
    () => {
      const database = new Database(folder.at("flb.db"), { readonly: true });
      try {
        const sql = "SELECT count(*) AS n FROM logcollector_positions WHERE owner = 'b'";
        return (database.query(sql).get() as { n: number }).n === 2;
      } finally {
        database.close();
      }
    },
    "b.log is followed",
  );
  appendFileSync(folder.at("b.log"), "b2\n");
  await run.untilRecords(1);
  expect(await run.stop()).toBe(0);
  expect(run.records.map((record) => record.log)).toEqual(["b2"]);
});

for (const names of [["", ""], [", alias: one", ", alias: two"]]) {
  const which = names[0] === "" ? "without names" : "with names";
  test.skipIf(journalToolsMissing !== undefined)(
    `tail and systemd ${which} take what is theirs out of one database of Fluent Bit's`,
    async () => {
      using folder = new TempFolder();
      using journal = new TempFolder();
      makeJournal(
        journal.at("system.journal"),
        [0, 1, 2].map((n) => ({
          realtimeUs: 1_790_000_000_000_000 + n,
          monotonicUs: n + 1,
          bootId: "b".repeat(32),
          fields: [["MESSAGE", `message ${n}`]],
        })),
      );
      const log = folder.at("a.log");
      writeFileSync(log, "1\n");
      const database = fluentBitDatabase(folder.at("flb.db"), [log]);
      database.run("CREATE TABLE in_systemd_cursor (cursor TEXT NOT NULL, updated INTEGER)");
      const { cursor } = journalctl(journal.path)[1]!;
      database.run("INSERT INTO in_systemd_cursor VALUES (?, 1)", [cursor]);
      database.close();
      appendFileSync(log, "2\n");
      const inputs = [
        `name: tail${names[0]}, path: ${log}`,
        `name: systemd${names[1]}, path: ${journal.path}`,
      ];
      expect(await logged(configure(folder, inputs), 2)).toEqual(["2", "message 2"]);
      appendFileSync(log, "3\n");
      expect(await logged(configure(folder, inputs.toReversed()), 1)).toEqual(["3"]);
    },
  );
}
