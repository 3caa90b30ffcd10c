import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { countFileLines } from "../count-file-lines.ts";
import { lineMaker } from "../generate.ts";
import { measure, type Measurement } from "../measure.ts";

export interface FilesTask {
  readonly binary: string;
  readonly folder: string;
  /** In all files together. */
  readonly lines: number;
  readonly runs: number;
  /** Numbers of files. */
  readonly counts: readonly number[];
}

export interface FilesResult {
  readonly count: number;
  readonly runs: readonly Measurement[];
}

/** Runs the collector over the same lines in one file and in many, in turn; each round begins with the next number. */
export async function measureFiles(task: FilesTask): Promise<FilesResult[]> {
  const { binary, folder, counts, lines } = task;
  for (const count of counts) await makeFiles(`${folder}/${count}`, lines, count);
  const results = counts.map((count) => ({ count, runs: [] as Measurement[] }));
  for (let round = 0; round < task.runs; round++) {
    for (let place = 0; place < counts.length; place++) {
      const { count, runs } = results[(round + place) % counts.length]!;
      runs.push(await runOnce(binary, folder, `${folder}/${count}`, lines));
    }
  }
  return results;
}

/** The lines of all files together are the same for every number of files, and in the same order. */
async function makeFiles(folder: string, lines: number, count: number): Promise<void> {
  mkdirSync(folder);
  const make = lineMaker("json", 42);
  for (let f = 0; f < count; f++) {
    const writer = Bun.file(`${folder}/${String(f).padStart(5, "0")}.log`).writer();
    const end = Math.floor(lines * (f + 1) / count);
    for (let i = Math.floor(lines * f / count); i < end; i++) {
      writer.write(make(i) + "\n");
      if (i % 1000 === 0) await writer.flush();
    }
    await writer.end();
  }
}

async function runOnce(
  binary: string,
  folder: string,
  sources: string,
  lines: number,
): Promise<Measurement> {
  const out = `${folder}/out.log`;
  const config = `${folder}/config.yaml`;
  rmSync(out, { force: true });
  writeFileSync(
    config,
    `service: { flush: 1, log_level: error, grace: 60 }
parsers:
  - { name: bench_json, format: json, time_key: time, time_format: "%Y-%m-%dT%H:%M:%S.%LZ" }
pipeline:
  inputs:
    - { name: tail, tag: bench, path: ${sources}/*.log, read_from_head: true, exit_on_eof: true, mem_buf_limit: 50M, parser: bench_json }
  outputs:
    - { name: file, match: "*", path: ${folder}, file: out.log, format: plain }
`,
  );
  Bun.spawnSync(["sync"]);
  const measurement = await measure([binary, "-c", config]);
  const found = await countFileLines(out);
  if (found !== lines) {
    throw new Error(`Cannot count "${sources}": ${found} records arrived, not ${lines}`);
  }
  return measurement;
}
