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
});
