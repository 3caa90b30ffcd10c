// The hot functions by themselves, beside plain ways to do the same. `npm run bench:micro -- --help` says how.
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { thisMachine } from "./machine.ts";
import { markdownRow, markdownTable } from "./markdown-table.ts";
import { batchTasks } from "./micro/batch-tasks.ts";
import { measureTask, rateOf, type Result } from "./micro/harness.ts";
import { lineTasks } from "./micro/line-tasks.ts";
import { readerTasks } from "./micro/reader-tasks.ts";
import { countFrom } from "./throughput/arguments.ts";

const HELP = `npm run bench:micro -- [options]

  --only TEXT     only tasks whose name contains TEXT
  --samples N     samples of each, in turn; medians are printed (default 15)
  --json FILE     writes every sample as JSON too
`;

const SAMPLE_MS = 20;
const WARM_UP_MS = 300;

function rowOf(result: Result, first: Result): string[] {
  const { mbPerSec, recordsPerSec, spread } = rateOf(result);
  return [
    result.task,
    result.contestant,
    mbPerSec.toFixed(0),
    `${spread.min.toFixed(0)}–${spread.max.toFixed(0)}`,
    (recordsPerSec / 1e6).toFixed(2),
    result === first ? "" : (rateOf(first).mbPerSec / mbPerSec).toFixed(2),
  ];
}

function main(): void {
  const { values } = parseArgs({
    options: {
      only: { type: "string", default: "" },
      samples: { type: "string", default: "15" },
      json: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return console.log(HELP);
  const samples = countFrom("--samples", values.samples);
  const date = new Date().toISOString();
  const results: Result[] = [];
  console.log(
    markdownTable(
      ["task", "by", "MB per CPU s", "min–max", "M records per CPU s", "first to it"],
      [],
    ),
  );
  const tasks = [...lineTasks(), ...readerTasks(), ...batchTasks()];
  for (const task of tasks.filter(({ name }) => name.includes(values.only))) {
    const options = { samples, sampleMs: SAMPLE_MS, warmUpMs: WARM_UP_MS };
    const measured = measureTask(task, options);
    for (const result of measured) console.log(markdownRow(rowOf(result, measured[0]!)));
    results.push(...measured);
  }
  if (values.json === undefined) return;
  writeFileSync(
    values.json,
    JSON.stringify({ date, machine: thisMachine(), results }, null, 2) + "\n",
  );
}

main();
