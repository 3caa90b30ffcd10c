// What many files, a start and rest take. `npm run bench:scale -- --help` says how.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { parseArgs } from "node:util";
import { thisMachine } from "./machine.ts";
import { markdownTable } from "./markdown-table.ts";
import { measureFiles } from "./scale/files.ts";
import { measureIdle } from "./scale/idle.ts";
import { measureStarts } from "./scale/start.ts";
import { median, percentile, spread } from "./statistics.ts";
import { countFrom } from "./throughput/arguments.ts";

const HELP = `npm run bench:scale -- [options]

  --lines N       lines in all files together (default 1000000)
  --runs N        runs of each number of files, in turn (default 3)
  --starts N      starts (default 20)
  --many          rest with 10000 files too
  --only WHAT     files, start or idle
  --binary PATH   the collector (default dist/logcollector)
  --json FILE     writes every single run as JSON too
`;

const FILE_COUNTS = [1, 10, 100, 1000];
const MANY = 10_000;

interface Task {
  readonly binary: string;
  readonly folder: string;
}

async function files(task: Task, lines: number, runs: number): Promise<object> {
  const results = await measureFiles({ ...task, lines, runs, counts: FILE_COUNTS });
  const one = median(results[0]!.runs.map(({ cpuSec }) => cpuSec));
  const rows = results.map(({ count, runs }) => {
    const cpuSec = runs.map((run) => run.cpuSec);
    const { min, max } = spread(cpuSec);
    return [
      String(count),
      median(cpuSec).toFixed(2),
      `${min.toFixed(2)}–${max.toFixed(2)}`,
      (median(cpuSec) / one).toFixed(2),
      (median(runs.map(({ peakBytes }) => peakBytes)) / 1e6).toFixed(0),
    ];
  });
  console.log(
    markdownTable(["files", "CPU s", "min–max", "to 1 file", "peak RSS, MB"], rows) + "\n",
  );
  return { files: results };
}

async function start(task: Task, starts: number): Promise<object> {
  const startMs = await measureStarts({ ...task, starts });
  const { min, max } = spread(startMs);
  const cells = [median(startMs), min, percentile(startMs, 0.9), max].map((ms) => ms.toFixed(0));
  console.log(
    markdownTable(["start to first record, median, ms", "min", "p90", "max"], [cells]) + "\n",
  );
  return { startMs };
}

async function idle(task: Task, hasMany: boolean): Promise<object> {
  const figures = [];
  for (const count of hasMany ? [1, MANY] : [1]) figures.push(await measureIdle(task, count));
  const rows = figures.map(({ files, rssBytes, cpuShare }) => [
    String(files),
    (rssBytes / 1e6).toFixed(0),
    `${(cpuShare * 100).toFixed(2)} %`,
  ]);
  console.log(markdownTable(["files at rest", "RSS, MB", "of a core"], rows));
  return { idle: figures };
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      lines: { type: "string", default: "1000000" },
      runs: { type: "string", default: "3" },
      starts: { type: "string", default: "20" },
      many: { type: "boolean", default: false },
      only: { type: "string" },
      binary: { type: "string", default: "dist/logcollector" },
      json: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return console.log(HELP);
  const lines = countFrom("--lines", values.lines);
  const runs = countFrom("--runs", values.runs);
  const starts = countFrom("--starts", values.starts);
  const date = new Date().toISOString();
  const folder = mkdtempSync(`${tmpdir()}/logcollector-bench-`);
  const parts: Readonly<Record<string, (task: Task) => Promise<object>>> = {
    files: (task) => files(task, lines, runs),
    start: (task) => start(task, starts),
    idle: (task) => idle(task, values.many),
  };
  const wanted = values.only === undefined ? Object.keys(parts) : [values.only];
  const figures: object[] = [];
  try {
    for (const name of wanted) {
      const measure = parts[name];
      if (measure === undefined) throw new RangeError(`Cannot measure only "${name}"`);
      const own = `${folder}/${name}`;
      mkdirSync(own);
      figures.push(await measure({ binary: values.binary, folder: own }));
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  if (values.json === undefined) return;
  const report = Object.assign({ date, machine: thisMachine() }, ...figures);
  writeFileSync(values.json, JSON.stringify(report, null, 2) + "\n");
}

await main();
