// Measures the compiled binary on whole pipelines. `npm run bench -- --help` says how.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { generateFile } from "./generate.ts";
import { thisMachine } from "./machine.ts";
import { markdownRow, markdownTable } from "./markdown-table.ts";
import { measure } from "./measure.ts";
import { type BenchPipeline, configFor, PIPELINES } from "./pipelines.ts";
import { HELP, OURS, type Peer, readArguments } from "./throughput/arguments.ts";
import { Sinks } from "./throughput/sinks.ts";
import { cellsOf, HEAD, type Row, type Run } from "./throughput/table.ts";

const OUR_BINARY: Peer = { name: OURS, path: "dist/logcollector" };

class Bench {
  private readonly folder = mkdtempSync(`${tmpdir()}/logcollector-bench-`);
  private readonly sinks = new Sinks(this.folder);

  /** Runs every collector on a pipeline, in rounds; each round begins with the next of them. */
  async measure(
    pipeline: BenchPipeline,
    collectors: readonly Peer[],
    lines: number,
    rounds: number,
  ): Promise<Row[]> {
    const source = `${this.folder}/${pipeline.kind}.log`;
    const megabytes = await generateFile(source, pipeline.kind, lines) / 1e6;
    const expected = Math.round(lines * pipeline.recordsPerLine);
    const runs = collectors.map(() => [] as Run[]);
    for (let round = 0; round < rounds; round++) {
      for (let place = 0; place < collectors.length; place++) {
        const c = (round + place) % collectors.length;
        const run = await this.runOnce(pipeline, collectors[c]!, source, expected);
        runs[c]!.push({ ...run, round: round + 1, place: place + 1 });
      }
    }
    return collectors.map(({ name }, c) => ({
      pipeline: pipeline.name,
      collector: name,
      megabytes,
      expected,
      runs: runs[c]!,
    }));
  }

  private async runOnce(
    pipeline: BenchPipeline,
    { name, path }: Peer,
    source: string,
    expected: number,
  ): Promise<Omit<Run, "round" | "place">> {
    this.sinks.reset();
    const config = `${this.folder}/config.yaml`;
    writeFileSync(config, configFor(pipeline, this.sinks.targetFor(source)));
    // What the run before wrote must not be written back at this one's expense, and the source must be in
    // memory for everybody: Fluent Bit drops what it has read from the page cache.
    Bun.spawnSync(["sync"]);
    Bun.spawnSync(["cat", source], { stdout: "ignore" });
    const measurement = await measure([path, "-c", config]);
    const delivered = await this.sinks.delivered(pipeline, expected);
    // A figure of ours counts only when everything arrived; a peer's loss stands in its row.
    if (name === OURS && delivered !== undefined && delivered !== expected) {
      throw new Error(
        `Cannot count "${pipeline.name}": ${delivered} records arrived, not ${expected}`,
      );
    }
    return { ...measurement, delivered };
  }

  async stop(): Promise<void> {
    await this.sinks.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function main(): Promise<void> {
  const options = readArguments(Bun.argv.slice(2));
  if (options.help) return console.log(HELP);
  const collectors = [OUR_BINARY, ...options.peers];
  const date = new Date().toISOString();
  const rows: Row[] = [];
  const bench = new Bench();
  try {
    console.log(markdownTable(HEAD, []));
    for (const pipeline of PIPELINES.filter(({ name }) => name.includes(options.only))) {
      const able = pipeline.oursAlone ? [OUR_BINARY] : collectors;
      const measured = await bench.measure(pipeline, able, options.lines, options.runs);
      for (const row of measured) console.log(markdownRow(cellsOf(row, measured[0]!)));
      rows.push(...measured);
    }
  } finally {
    await bench.stop();
  }
  if (options.json === undefined) return;
  const report = { date, machine: thisMachine(), lines: options.lines, rows };
  writeFileSync(options.json, JSON.stringify(report, null, 2) + "\n");
}

await main();
