import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { BINARY, Collector } from "../support/binary.ts";
import { journalToolsMissing, makeJournal, someEntries } from "../support/journal-fixtures.ts";
import { Random } from "../support/random.ts";
import { TempFolder } from "../support/temp-folder.ts";

setDefaultTimeout(60_000);
if (journalToolsMissing !== undefined) console.log(`skipped: ${journalToolsMissing} not found`);

describe.skipIf(journalToolsMissing !== undefined)("logcollector journal", () => {
  const temp = new TempFolder();
  afterAll(() => temp[Symbol.dispose]());
  const start = () => {
    makeJournal(temp.at("system.journal"), someEntries(new Random(7), 300));
    makeJournal(
      temp.at("other.journal"),
      someEntries(new Random(8), 50, 1_700_000_001_000_000, ["9".repeat(32)]),
    );
  };
  start();
  const run = (command: string, args: readonly string[]) => {
    const { stdout, stderr, status } = spawnSync(command, args, {
      env: { ...process.env, TZ: "UTC" },
      maxBuffer: 1 << 28,
    });
    return { status, stdout: stdout.toString("latin1"), stderr: stderr.toString() };
  };
  const ours = (...args: string[]) => run(BINARY, ["journal", "-D", temp.path, ...args]);
  const theirs = (...args: string[]) =>
    run("journalctl", ["-D", temp.path, "-q", "--no-pager", ...args]);

  const CASES: readonly string[][] = [
    ["-o", "export"],
    ["-o", "export", "-n", "7"],
    ["-o", "export", "-u", "app-3"],
    ["-o", "export", "-u", "app-1*"],
    ["-o", "export", "-t", "app-2", "-t", "app-4"],
    ["-o", "export", "-p", "err"],
    ["-o", "export", "-n", "5", "-u", "app-3", "-p", "err..info"],
    ["-o", "export", "--since", "@1700000003", "--until", "@1700000005"],
    ["-o", "export", "_TRANSPORT=kernel"],
    ["-o", "export", "-n", "0"],
    ["-o", "cat", "-u", "app-5"],
    ["-o", "short", "-n", "20", "-u", "app-5"],
  ];
  for (const args of CASES) {
    test(`${args.join(" ")}: prints what journalctl prints`, () => {
      const expected = theirs(...args);
      const { status, stdout, stderr } = ours(...args);
      expect([status, stderr]).toEqual([0, ""]);
      expect(stdout).toBe(expected.stdout);
    });
  }

  test("-o json: prints the objects that journalctl prints", () => {
    const objects = (text: string) => text.trimEnd().split("\n").map((line) => JSON.parse(line));
    const expected = objects(
      Buffer.from(theirs("-o", "json", "--all").stdout, "latin1").toString(),
    );
    const found = objects(Buffer.from(ours("-o", "json").stdout, "latin1").toString());
    expect(found.length).toBe(350);
    expect(found).toEqual(expected);
  });

  test("-f: goes on with what is written", async () => {
    using folder = new TempFolder();
    const path = folder.at("system.journal");
    makeJournal(path, someEntries(new Random(1), 20));
    await using journal = new Collector(["journal", "-D", folder.path, "-f", "-o", "cat"]);
    await journal.until(() => journal.lines.length === 10, "10 lines");
    makeJournal(path, [{
      ...someEntries(new Random(1), 1)[0]!,
      fields: [["MESSAGE", "the next one"]],
    }]);
    await journal.untilPrinted("the next one");
    expect(await journal.stop("SIGINT")).toBe(0);
  });

  test("says what it cannot read", () => {
    using folder = new TempFolder();
    writeFileSync(folder.at("system.journal"), "nothing of the kind ".repeat(20));
    const { status, stderr } = run(BINARY, ["journal", "-D", folder.path]);
    expect([status, stderr]).toEqual([
      1,
      `logcollector: cannot read ${folder.at("system.journal")}: it does not begin with LPKSHHRH\n`,
    ]);
  });

  test("says where it found nothing", () => {
    using folder = new TempFolder();
    const { status, stderr } = run(BINARY, ["journal", "-D", folder.at("nothing")]);
    expect(status).toBe(1);
    expect(stderr).toContain(
      `no journal files in ${folder.at("nothing")} (${folder.at("nothing")}: ENOENT)`,
    );
  });

  const WRONG: readonly [string[], string][] = [
    [["-o", "jsn"], 'unknown output format "jsn": did you mean "json"?'],
    [["-n", "x"], '--lines: expected a whole number, got "x"'],
    [["--since", "soon"], "--since: expected a time"],
    [["-p", "bad"], "--priority: expected a priority"],
    [["nonsense"], 'expected FIELD=value, got "nonsense"'],
    [["--nonsense"], 'see "logcollector journal --help"'],
  ];
  for (const [args, message] of WRONG) {
    test(`${args.join(" ")}: is refused`, () => {
      const { status, stderr } = ours(...args);
      expect(status).toBe(2);
      expect(stderr).toContain(message);
    });
  }
});
