import { describe, expect, test } from "bun:test";
import { Database } from "bun:sqlite";
import { renameSync, rmSync } from "node:fs";
import { fluentBitCursor } from "../../../../plugins/inputs/systemd/fluent-bit-cursor.ts";
import { eventually } from "../../../support/eventually.ts";
import { journalctl, journalToolsMissing } from "../../../support/journal-fixtures.ts";
import { entry, JournalHost } from "./journal-driver.ts";

if (journalToolsMissing !== undefined) console.log(`skipped: ${journalToolsMissing} not found`);
const messages = (...numbers: number[]) => numbers.map((n) => `message ${n}`);

describe.skipIf(journalToolsMissing !== undefined)("a start of the systemd input", () => {
  test("goes on behind the last entry that was safe", async () => {
    using host = new JournalHost();
    host.write("system.journal", [0, 1, 2].map((n) => entry(n)));
    expect(await host.run(3)).toEqual(messages(0, 1, 2));
    host.write("system.journal", [3, 4].map((n) => entry(n)));
    expect(await host.run(2)).toEqual(messages(3, 4));
  });

  test("after a kill reads again what was not safe", async () => {
    using host = new JournalHost();
    host.write("system.journal", [0, 1, 2].map((n) => entry(n)));
    const input = host.start({ max_entries: 1 }, { acks: "manual" });
    await input.untilRecords(3);
    input.ack(input.emissions[0]!);
    input.positions.commit();
    await input.kill();
    expect(await host.run(2)).toEqual(messages(1, 2));
  });

  test("goes on from a cursor alone, as journalctl and Fluent Bit keep it", async () => {
    using host = new JournalHost();
    host.write("system.journal", [0, 1, 2].map((n) => entry(n)));
    host.positions.set("journal", journalctl(host.folder.path)[1]!.cursor);
    expect(await host.run(1)).toEqual(messages(2));
  });

  for (const parts of ["s;i;b;m;t;x", "b;m", "t"]) {
    test(`goes on from a cursor that has ${parts} of its parts in another journal`, async () => {
      using host = new JournalHost();
      using other = new JournalHost();
      const entries = [0, 1, 2].map((n) => entry(n));
      host.write("system.journal", entries);
      other.write("system.journal", entries);
      const cursor = journalctl(other.folder.path)[1]!.cursor.split(";").filter((part) =>
        parts.split(";").includes(part[0]!)
      ).join(";");
      host.positions.set("journal", cursor);
      expect(await host.run(1)).toEqual(messages(2));
    });
  }

  test("finds a file again that was archived meanwhile", async () => {
    using host = new JournalHost();
    host.write("system.journal", [0, 1].map((n) => entry(n)));
    expect(await host.run(2)).toEqual(messages(0, 1));
    host.write("system.journal", [2].map((n) => entry(n)));
    const archived = `system@${"0".repeat(32)}-0000000000000001-0005f00000000000.journal`;
    renameSync(host.folder.at("system.journal"), host.folder.at(archived));
    host.write("system.journal", [3].map((n) => entry(n)));
    expect((await host.run(2)).toSorted()).toEqual(messages(2, 3));
  });

  test("reads a file from its beginning that nobody knew of, though its entries are older", async () => {
    using host = new JournalHost();
    host.write("system.journal", [0, 1, 2].map((n) => entry(n)));
    await using input = host.start();
    await input.untilRecords(3);
    host.write("user-1000.journal", [entry(1, { FROM: "user" })]);
    await input.untilRecords(4);
    expect(input.values("FROM").at(-1)).toBe("user");
  });

  test("does not read archives again that were written under a clock that was ahead", async () => {
    using host = new JournalHost();
    const ahead = (n: number) => ({ ...entry(n), realtimeUs: 4_000_000_000_000_000 + n });
    host.write("system.journal", [0, 1].map(ahead));
    const archived = `system@${"0".repeat(32)}-0000000000000001-000e35fa931a0000.journal`;
    renameSync(host.folder.at("system.journal"), host.folder.at(archived));
    host.write("user-1000.journal", [entry(2)]);
    expect((await host.run(3)).toSorted()).toEqual(messages(0, 1, 2));
    host.write("user-1000.journal", [entry(3)]);
    await using input = host.start();
    await input.untilRecords(1);
    expect(input.values("MESSAGE")).toEqual(messages(3));
  });

  test("takes the position out of Fluent Bit's database", () => {
    using host = new JournalHost();
    const database = new Database(host.folder.at("fluent-bit.db"));
    const cursor = `s=${"a".repeat(32)};i=5;b=${"b".repeat(32)};m=1;t=2;x=3`;
    database.run("CREATE TABLE in_systemd_cursor (cursor TEXT NOT NULL, updated INTEGER)");
    database.run("INSERT INTO in_systemd_cursor VALUES (?, 1)", [cursor]);
    const foreign = {
      hasTable: (name: string) => name === "in_systemd_cursor",
      query: (sql: string) => database.query(sql).all() as Record<string, unknown>[],
    };
    expect(fluentBitCursor(foreign, "journal")).toEqual(new Map([["journal", cursor]]));
    database.close();
  });

  test("says what it cannot read, and reads on", async () => {
    using host = new JournalHost();
    await Bun.write(
      host.folder.at("broken.journal"),
      "no journal at all, but long enough to be a header".repeat(10),
    );
    host.write("system.journal", [entry(0)]);
    const bytes = Buffer.from(await Bun.file(host.folder.at("system.journal")).arrayBuffer());
    bytes.writeUInt32LE(0x4000, 12);
    await Bun.write(host.folder.at("newer.journal"), bytes);
    await using input = host.start();
    await input.untilRecords(1);
    expect(input.messages.join("\n")).toContain(
      "newer.journal as a journal: it was written with features that this program does not know (incompatible flags 0x4000)",
    );
    expect(input.messages.join("\n")).toContain(
      "broken.journal as a journal: it does not begin with LPKSHHRH",
    );
  });

  test("waits for a folder that is not there yet", async () => {
    using host = new JournalHost();
    rmSync(host.folder.path, { recursive: true });
    await using input = host.start();
    await eventually(() => input.messages.some((text) => text.includes("No journal files yet")));
  });
});
