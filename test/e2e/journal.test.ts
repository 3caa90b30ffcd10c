import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { Collector } from "../support/binary.ts";
import { CountingSink } from "../support/counting-sink.ts";
import { eventually } from "../support/eventually.ts";
import { journalToolsMissing } from "../support/journal-fixtures.ts";
import { Journald } from "../support/journald.ts";
import { Random } from "../support/random.ts";
import { TempFolder } from "../support/temp-folder.ts";

setDefaultTimeout(90_000);
const SEED = Number(process.env.SEED ?? 20_261_125);
const MESSAGES = Number(process.env.MESSAGES ?? 20_000);
const missing = journalToolsMissing ??
  (process.getuid?.() === 0 ? undefined : "not root, which a journald of its own takes");
if (missing !== undefined) console.log(`skipped: ${missing}`);

function configure(folder: TempFolder, journal: string, port: number, storage: string): string {
  const path = folder.at("config.yaml");
  writeFileSync(
    path,
    `service: {flush: 0.05, grace: 1, scheduler.base: 0.1, scheduler.cap: 0.2, log_level: info, storage.path: ${
      folder.at("state")
    }}
pipeline:
  inputs:
    - {name: systemd, alias: journal, path: ${journal}, db: ${
      folder.at("journal.db")
    }, systemd_filter: SYSLOG_IDENTIFIER=numbers, storage.type: ${storage}}
  outputs:
    - {name: http, match: '*', host: 127.0.0.1, port: ${port}, format: json_lines}
`,
  );
  return path;
}

describe.skipIf(missing !== undefined)(`the journal of a real journald (SEED=${SEED})`, () => {
  for (const storage of ["memory", "filesystem"]) {
    test(`fault 65: ${MESSAGES} messages over rotations, the collector killed five times, ${storage} queue: none lost`, async () => {
      using folder = new TempFolder();
      using sink = new CountingSink("MESSAGE");
      await using journald = await Journald.start({ maxFile: "512K" });
      const random = new Random(SEED);
      const config = configure(folder, journald.folder, sink.port, storage);
      const kills = new Set(Array.from({ length: 5 }, () => random.below(MESSAGES)));
      let collector = new Collector(["-c", config]);
      for (let n = 0; n < MESSAGES; n++) {
        journald.send({
          MESSAGE: String(n),
          SYSLOG_IDENTIFIER: "numbers",
          PADDING: "x".repeat(random.below(300)),
        });
        // Whoever sends without a pause would not let the sink have a turn.
        if (n % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
        if (!kills.has(n)) continue;
        const before = sink.counts.size;
        await eventually(() => sink.counts.size > before || sink.counts.size === n + 1);
        collector.signal("SIGKILL");
        await collector.exit();
        sink.killed();
        collector = new Collector(["-c", config]);
      }
      await eventually(
        () => sink.counts.size === MESSAGES,
        () => `${sink.counts.size} of ${MESSAGES}; ${collector.stderr.slice(-2000)}`,
        30_000,
      );
      expect(await collector.stop()).toBe(0);
      expect(sink.missing(MESSAGES)).toEqual([]);
      // Without a queue on disk what was delivered in the last tenth of a second comes again.
      if (storage === "filesystem") expect(sink.unexplained).toEqual([]);
      expect(journald.files.length).toBeGreaterThan(3);
    });
  }

  test("fault 65: what was vacuumed while nobody read is counted, and reading goes on behind it", async () => {
    using folder = new TempFolder();
    using sink = new CountingSink("MESSAGE");
    await using journald = await Journald.start({ maxFile: "512K" });
    const config = configure(folder, journald.folder, sink.port, "memory");
    const send = async (from: number, to: number) => {
      for (let n = from; n < to; n++) {
        journald.send({
          MESSAGE: String(n),
          SYSLOG_IDENTIFIER: "numbers",
          PADDING: "x".repeat(300),
        });
      }
      await eventually(() => journald.hasMessage(to - 1), undefined, 20_000);
    };
    await send(0, 10);
    const before = new Collector(["-c", config]);
    await eventually(() => sink.counts.size === 10);
    expect(await before.stop()).toBe(0);
    await send(10, 6000);
    journald.vacuum(1);
    const left = journald.count("numbers");
    expect(left).toBeLessThan(5000);
    await using after = new Collector(["-c", config]);
    await eventually(
      () => sink.counts.size === 10 + left,
      () => `${sink.counts.size}; ${left} are left`,
    );
    expect(sink.missing(6000).at(-1)).toBe(6000 - left - 1);
    await after.untilLog(/Missed [0-9]+ journal entries: they were removed while nobody read on/);
    expect(await after.stop()).toBe(0);
  });

  test("fault 64: a journald that was killed leaves a file that is read, and the next one goes on", async () => {
    using folder = new TempFolder();
    using sink = new CountingSink("MESSAGE");
    await using journald = await Journald.start();
    const config = configure(folder, journald.folder, sink.port, "memory");
    await using collector = new Collector(["-c", config]);
    for (let n = 0; n < 500; n++) {
      journald.send({ MESSAGE: String(n), SYSLOG_IDENTIFIER: "numbers" });
    }
    await eventually(() => sink.counts.size === 500);
    await journald.restart();
    for (let n = 500; n < 1000; n++) {
      journald.send({ MESSAGE: String(n), SYSLOG_IDENTIFIER: "numbers" });
    }
    await eventually(
      () => sink.counts.size === 1000,
      () => `${sink.counts.size}; ${collector.stderr}`,
    );
    expect(sink.repeated).toBe(0);
    expect(await collector.stop()).toBe(0);
  });
});
