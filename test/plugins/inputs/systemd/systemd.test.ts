import { describe, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { currentBoot } from "../../../../plugins/inputs/systemd/current-boot.ts";
import { eventually } from "../../../support/eventually.ts";
import { journalctl, journalToolsMissing, someEntries } from "../../../support/journal-fixtures.ts";
import { Random } from "../../../support/random.ts";
import { entry, JournalHost } from "./journal-driver.ts";

if (journalToolsMissing !== undefined) console.log(`skipped: ${journalToolsMissing} not found`);
const withJournals = describe.skipIf(journalToolsMissing !== undefined);
const messages = (...numbers: number[]) => numbers.map((n) => `message ${n}`);

withJournals("records of the systemd input", () => {
  test("have the fields in the journal's order, and the time to the microsecond", async () => {
    using host = new JournalHost();
    host.write("system.journal", [{
      ...entry(0, { PRIORITY: "6" }),
      realtimeUs: 1_700_000_000_123_456,
    }]);
    await using input = host.start();
    await input.untilRecords(1);
    const [{ sec, nsec, body }] = input.records as [typeof input.records[0]];
    expect([sec, nsec]).toEqual([1_700_000_000, 123_456_000]);
    expect(body).toEqual({ _BOOT_ID: expect.any(String), MESSAGE: "message 0", PRIORITY: "6" });
    expect(input.batches[0]!.tag).toBe("test");
  });

  test("are the same made at once as out of the JSON that outputs take", async () => {
    using host = new JournalHost();
    host.write("system.journal", [
      entry(0, [["TAG", "a"], ["TAG", "b"], ["BYTES", Buffer.from([0xff, 0, 10])]]),
      entry(1, { TEXT: 'ä "quoted" \\ \n\t 世界', EMPTY: "" }),
      entry(2, [["_PID", "1"], ["PID", "2"]]),
    ]);
    const options = { lowercase: true, strip_underscores: true };
    const json: unknown[] = [];
    const first = host.start(options, {
      emit: (batch) => void json.push(batch.json !== undefined),
    });
    await first.untilRecords(3);
    await first.stop();
    host.positions.clear();
    // The second run has been told that somebody looks into records.
    await using second = host.start({ ...options, max_entries: 1 });
    await second.untilRecords(3);
    expect(second.bodies).toEqual(first.bodies);
    expect(first.bodies[0]).toMatchObject({ tag: ["a", "b"], bytes: "\ufffd\0\n" });
    expect(first.bodies[1]).toMatchObject({ text: 'ä "quoted" \\ \n\t 世界', empty: "" });
    expect(first.bodies[2]!.pid).toEqual(["1", "2"]);
  });

  test("are the same either way for entries of every kind", async () => {
    using host = new JournalHost();
    host.write("system.journal", someEntries(new Random(20261125), 400));
    const jsonCounts: number[] = [];
    const first = host.start({}, {
      // Nobody looks into these before they were counted.
      emit: (batch) => void jsonCounts.push(batch.length),
    });
    await first.untilRecords(400);
    await first.stop();
    host.positions.clear();
    await using second = host.start({ max_entries: 1 });
    await second.untilRecords(400);
    expect(second.batches.length).toBe(400);
    expect(jsonCounts.length).toBeLessThan(400);
    expect(second.records).toEqual(first.records);
  });

  test("have values cut to max_field_size, and max_fields fields", async () => {
    using host = new JournalHost();
    host.write("system.journal", [entry(0, { LONG: "x".repeat(5000), PACKED: "ab".repeat(5000) })]);
    await using input = host.start({ max_field_size: 100 });
    await input.untilRecords(1);
    expect(input.bodies[0]).toMatchObject({ LONG: "x".repeat(100), PACKED: "ab".repeat(50) });
    host.positions.clear();
    await using few = host.start({ max_fields: 2 });
    await few.untilRecords(1);
    expect(Object.keys(few.bodies[0]!).length).toBe(2);
  });

  test("take their time from _SOURCE_REALTIME_TIMESTAMP where that is asked for", async () => {
    using host = new JournalHost();
    host.write("system.journal", [
      entry(0, { _SOURCE_REALTIME_TIMESTAMP: "1690000000000007" }),
      entry(1),
    ]);
    await using input = host.start({ time_from: "source" });
    await input.untilRecords(2);
    expect(input.records.map(({ sec, nsec }) => [sec, nsec])).toEqual([
      [1_690_000_000, 7000],
      [1_700_000_001, 0],
    ]);
  });

  test("come under a tag of their unit, in runs", async () => {
    using host = new JournalHost();
    const units = ["a.service", "a.service", "b.service", undefined, "a.service"];
    host.write(
      "system.journal",
      units.map((unit, n) => entry(n, unit === undefined ? {} : { _SYSTEMD_UNIT: unit })),
    );
    await using input = host.start({}, { tag: "host.*" });
    await input.untilRecords(5);
    expect(input.batches.map(({ tag, length }) => [tag, length])).toEqual([
      ["host.a.service", 2],
      ["host.b.service", 1],
      ["host.unknown", 1],
      ["host.a.service", 1],
    ]);
    expect(input.values("MESSAGE")).toEqual(messages(0, 1, 2, 3, 4));
  });
});

withJournals("entries that the systemd input reads", () => {
  const ENTRIES = [
    entry(0, { _SYSTEMD_UNIT: "ssh.service", PRIORITY: "3", SYSLOG_IDENTIFIER: "sshd" }),
    entry(1, { _SYSTEMD_UNIT: "cron.service", PRIORITY: "6", SYSLOG_IDENTIFIER: "cron" }),
    entry(2, { _TRANSPORT: "kernel", PRIORITY: "4" }),
    entry(3, { _PID: "1", UNIT: "ssh.service", PRIORITY: "6" }),
    entry(4, { _SYSTEMD_UNIT: "ssh.service", PRIORITY: "7", SYSLOG_IDENTIFIER: "sshd" }),
    entry(5, { _SYSTEMD_UNIT: "app@1.service", PRIORITY: "0" }),
  ];
  const CASES: readonly [Record<string, unknown>, number[]][] = [
    [{ systemd_filter: "_SYSTEMD_UNIT=ssh.service" }, [0, 4]],
    [{ systemd_filter: ["_SYSTEMD_UNIT=ssh.service", "PRIORITY=6"] }, [0, 1, 3, 4]],
    [{ systemd_filter: ["_SYSTEMD_UNIT=ssh.service", "PRIORITY=3"], systemd_filter_type: "and" }, [
      0,
    ]],
    [{ units: "ssh" }, [0, 3, 4]],
    [{ units: "app@*" }, [5]],
    [{ identifiers: "sshd, cron" }, [0, 1, 4]],
    [{ priority: "warning" }, [0, 2, 5]],
    [{ priority: "info..warning" }, [1, 2, 3]],
    [{ include_kernel: false }, [0, 1, 3, 4, 5]],
    [{ units: "ssh", priority: 3 }, [0]],
  ];
  for (const [options, expected] of CASES) {
    test(`are chosen by ${JSON.stringify(options)}`, async () => {
      using host = new JournalHost();
      host.write("system.journal", ENTRIES);
      await using input = host.start(options);
      const end = journalctl(host.folder.path).at(-1)!.cursor;
      await eventually(() => host.positions.get("journal")?.startsWith(end) ?? false);
      expect(input.values("MESSAGE")).toEqual(messages(...expected));
    });
  }

  test("are those since a time, or those to come", async () => {
    using host = new JournalHost();
    host.write("system.journal", [0, 1, 2, 3].map((n) => entry(n)));
    expect(await host.run(2, { since: "@1700000002" })).toEqual(messages(2, 3));
    host.positions.clear();
    await using input = host.start({ read_from_tail: true });
    await eventually(() => host.positions.has("journal"));
    host.write("system.journal", [entry(4)]);
    await input.untilRecords(1);
    expect(input.values("MESSAGE")).toEqual(messages(4));
  });

  test("are those of the present boot where that is asked for", async () => {
    using host = new JournalHost();
    const boot = currentBoot();
    host.write("system.journal", [entry(0), entry(1, {}, boot), entry(2), entry(3, {}, boot)]);
    expect(await host.run(2, { boot: "current" })).toEqual(messages(1, 3));
  });

  test("are those of the folders of all machines, and of the namespace that is asked for", async () => {
    using host = new JournalHost();
    const [machine, other] = ["a".repeat(32), "b".repeat(32)];
    const folders = [machine, other, `${machine}.web`, "no-machine", "."];
    for (const [n, folder] of folders.entries()) {
      mkdirSync(host.folder.at(folder!), { recursive: true });
      host.write(`${folder}/system.journal`, [entry(n)]);
    }
    expect(await host.run(3)).toEqual(messages(0, 1, 4));
    host.positions.clear();
    expect(await host.run(2, { namespace: "web" })).toEqual(messages(2, 4));
    host.positions.clear();
    expect(await host.run(4, { namespace: "*" })).toEqual(messages(0, 1, 2, 4));
    host.positions.clear();
    const file = host.folder.at(`${other}/system.journal`);
    expect(await host.run(1, { path: file })).toEqual(messages(1));
  });

  test("come in order from more files than are kept in memory", async () => {
    using host = new JournalHost();
    for (let file = 0; file < 12; file++) {
      const own = Array.from({ length: 20 }, (_, i) => entry(file + i * 12));
      host.write(`user-${1000 + file}.journal`, own);
    }
    expect(await host.run(240)).toEqual(messages(...Array.from({ length: 240 }, (_, n) => n)));
  });

  test("that a filter skips move the position too", async () => {
    using host = new JournalHost();
    host.write("system.journal", [0, 1, 2].map((n) => entry(n)));
    await using input = host.start({ identifiers: "nobody" });
    await eventually(() => host.positions.has("journal"));
    expect(host.positions.get("journal")).toStartWith(journalctl(host.folder.path).at(-1)!.cursor);
    expect(input.records).toEqual([]);
  });
});
