// Reads a journal with journalctl and with the compiled binary, in turn. `npm run bench:journal -- --help`.
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Random } from "../test/support/random.ts";

const HELP = `npm run bench:journal -- [options]

  --entries N   how many entries the journal has (default 200000)
  --runs N      how often each reads it (default 5)

It takes Debian's packages systemd and systemd-journal-remote: see scripts/install-journald.sh.
`;

const { values: options } = parseArgs({
  options: {
    entries: { type: "string", default: "200000" },
    runs: { type: "string", default: "5" },
    help: { type: "boolean", default: false },
  },
});

const BINARY = join(import.meta.dir, "../dist/logcollector");
const REMOTE = "/lib/systemd/systemd-journal-remote";
const UNITS = 40;

/** What 40 services say, with 22 fields an entry, in the Journal Export Format. */
function* exported(entries: number): Generator<string> {
  const random = new Random(7);
  let us = 1_700_000_000_000_000;
  for (let i = 0; i < entries; i++) {
    us += 1 + random.below(20_000);
    yield `${entryOf(i, random.below(UNITS), us, random).join("\n")}\n\n`;
  }
}

function entryOf(i: number, unit: number, us: number, random: Random): string[] {
  const id = (n: number) => n.toString(16).padStart(32, "0");
  return [
    `__REALTIME_TIMESTAMP=${us}`,
    `__MONOTONIC_TIMESTAMP=${us - 1_699_990_000_000_000}`,
    `_BOOT_ID=${id(7)}`,
    `_MACHINE_ID=${id(99)}`,
    "_HOSTNAME=edge-1",
    `PRIORITY=${3 + random.below(5)}`,
    "SYSLOG_FACILITY=3",
    `SYSLOG_IDENTIFIER=app-${unit}`,
    `_PID=${1000 + unit}`,
    "_UID=0",
    "_GID=0",
    `_COMM=app-${unit}`,
    `_EXE=/usr/bin/app-${unit}`,
    `_CMDLINE=/usr/bin/app-${unit} --config /etc/app-${unit}/config.yaml --verbose`,
    "_CAP_EFFECTIVE=1ffffffffff",
    "_SELINUX_CONTEXT=unconfined",
    `_SYSTEMD_CGROUP=/system.slice/app-${unit}.service`,
    `_SYSTEMD_UNIT=app-${unit}.service`,
    "_SYSTEMD_SLICE=system.slice",
    `_SYSTEMD_INVOCATION_ID=${id(unit)}`,
    "_TRANSPORT=stdout",
    `_STREAM_ID=${id(unit + 1000)}`,
    `MESSAGE=request ${i} handled in ${random.below(900)} ms by worker ${
      random.below(16)
    } for user ${random.below(100_000)}: GET /api/v1/items/${random.below(100_000)} 200`,
    `_SOURCE_REALTIME_TIMESTAMP=${us - random.below(50)}`,
  ];
}

async function makeJournal(folder: string, entries: number): Promise<void> {
  const remote = Bun.spawn([REMOTE, "-o", join(folder, "system.journal"), "-"], {
    stdin: "pipe",
    stdout: "ignore",
    stderr: "ignore",
  });
  for (const text of exported(entries)) {
    remote.stdin.write(text);
    await remote.stdin.flush();
  }
  await remote.stdin.end();
  if (await remote.exited !== 0) throw new Error(`${REMOTE} failed`);
}

interface Cost {
  readonly cpuSec: number;
  readonly maxRssMb: number;
}

async function costOf(command: readonly string[]): Promise<Cost> {
  const child = Bun.spawn([...command], { stdout: Bun.file("/dev/null"), stderr: "inherit" });
  if (await child.exited !== 0) throw new Error(`${command.join(" ")} failed`);
  const usage = child.resourceUsage()!;
  return { cpuSec: Number(usage.cpuTime.total) / 1e6, maxRssMb: usage.maxRSS / 1e6 };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

async function main(): Promise<void> {
  const [entries, runs] = [Number(options.entries), Number(options.runs)];
  const folder = mkdtempSync(join(tmpdir(), "logcollector-journal-"));
  try {
    const journal = join(folder, "journal");
    mkdirSync(journal);
    console.log(`Making a journal of ${entries} entries …`);
    await makeJournal(journal, entries);
    const programs: Readonly<Record<string, string[]>> = {
      "journalctl -o json": ["journalctl", "-D", journal, "-o", "json"],
      "logcollector journal -o json": [BINARY, "journal", "-D", journal, "-o", "json"],
      "journalctl -o export": ["journalctl", "-D", journal, "-o", "export"],
      "logcollector journal -o export": [BINARY, "journal", "-D", journal, "-o", "export"],
    };
    const costs = new Map<string, Cost[]>(Object.keys(programs).map((name) => [name, []]));
    for (let run = 0; run < runs; run++) {
      for (const [name, command] of Object.entries(programs)) {
        costs.get(name)!.push(await costOf(command));
      }
    }
    for (const [name, all] of costs) {
      const cpuSec = median(all.map((cost) => cost.cpuSec));
      const rss = Math.max(...all.map(({ maxRssMb }) => maxRssMb));
      const perSec = Math.round(entries / cpuSec / 1000);
      console.log(
        `${name.padEnd(32)} ${cpuSec.toFixed(2)} CPU s, ${perSec}k entries per CPU s, ${
          rss.toFixed(0)
        } MB`,
      );
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (options.help) console.log(HELP);
else await main();
