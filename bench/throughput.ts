// Measures the compiled binary on whole pipelines. `npm run bench -- --help` says how.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { parseArgs } from "node:util";
import { generateFile } from "./generate.ts";
import { ForwardSink } from "./forward-sink.ts";
import { measure, type Measurement, median } from "./measure.ts";
import { type BenchPipeline, configFor, PIPELINES } from "./pipelines.ts";

const HELP = `npm run bench -- [options]

  --lines N         lines per pipeline (default 1000000)
  --runs N          runs of each, in turn; medians are printed (default 3)
  --only TEXT       only pipelines whose name contains TEXT
  --peer PATH       a Fluent Bit binary to run with the same configuration, in turn
  --json FILE       writes the figures as JSON too
`;

const { values: options } = parseArgs({
  options: {
    lines: { type: "string", default: "1000000" },
    runs: { type: "string", default: "3" },
    only: { type: "string", default: "" },
    peer: { type: "string" },
    json: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

interface Contender {
  readonly name: string;
  readonly command: (config: string) => string[];
}

interface Row {
  readonly pipeline: string;
  readonly contender: string;
  readonly mbPerCpuSec: number;
  readonly mbPerSec: number;
  readonly peakMb: number;
  readonly runs: readonly Measurement[];
}

/** What Elasticsearch says of a record that it took. */
const BULK_ITEM = '{"create":{"_index":"fluent-bit","_id":"CZ6zEqIBN9NIEnwkobVF","_version":1,' +
  '"result":"created","_shards":{"total":2,"successful":1,"failed":0},"_seq_no":12345,' +
  '"_primary_term":1,"status":201}}';

const folder = mkdtempSync(`${tmpdir()}/logcollector-bench-`);
let received = 0;
const sink = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  maxRequestBodySize: 64 * 1024 * 1024,
  async fetch(request) {
    const body = await request.bytes();
    const isPacked = request.headers.get("content-encoding") === "gzip";
    const lines = countLines(isPacked ? Bun.gunzipSync(new Uint8Array(body)) : body);
    if (!request.url.endsWith("/_bulk")) {
      received += lines;
      return new Response("ok");
    }
    received += lines / 2;
    const items = Array.from({ length: lines / 2 }, () => BULK_ITEM).join();
    return new Response(`{"took":30,"errors":false,"items":[${items}]}`);
  },
});
const forwardSink = new ForwardSink();

/** Bit by bit: a large buffer of this process would take the memory that the next run has to get. */
async function countFileLines(path: string): Promise<number> {
  let lines = 0;
  for await (const chunk of Bun.file(path).stream()) {
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) lines++;
  }
  return lines;
}

function countLines(bytes: Uint8Array): number {
  let lines = bytes.length > 0 && bytes.at(-1) !== 10 ? 1 : 0;
  for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) lines++;
  return lines;
}

async function runOnce(
  pipeline: BenchPipeline,
  contender: Contender,
  source: string,
  lines: number,
): Promise<Measurement> {
  const outFile = `${folder}/out.log`;
  rmSync(outFile, { force: true });
  received = 0;
  forwardSink.received = 0;
  const config = `${folder}/config.yaml`;
  const stateFolder = `${folder}/state`;
  rmSync(stateFolder, { recursive: true, force: true });
  const target = {
    source,
    outFile,
    httpPort: sink.port!,
    forwardPort: forwardSink.port,
    stateFolder,
  };
  writeFileSync(config, configFor(pipeline, target));
  // What the run before wrote must not be written back at this one's expense, and the source must be in
  // memory for everybody: Fluent Bit drops what it has read from the page cache.
  Bun.spawnSync(["sync"]);
  Bun.spawnSync(["cat", source], { stdout: "ignore" });
  const result = await measure(contender.command(config));
  const expected = Math.round(lines * pipeline.recordsPerLine);
  const found = pipeline.sink === "null"
    ? expected
    : pipeline.sink === "file"
    ? await countFileLines(outFile)
    : pipeline.sink === "forward"
    ? await forwardSink.until(expected)
    : received;
  if (found !== expected) {
    const what = `${contender.name}, ${pipeline.name}: ${found} records arrived, not ${expected}`;
    // A figure of ours counts only when everything arrived; a peer's loss is worth knowing.
    if (contender.name === "logcollector") throw new Error(what);
    console.error(what);
  }
  return result;
}

async function measurePipeline(
  pipeline: BenchPipeline,
  contenders: readonly Contender[],
  lines: number,
  runs: number,
): Promise<Row[]> {
  const source = `${folder}/${pipeline.kind}.log`;
  const megabytes = await generateFile(source, pipeline.kind, lines) / 1e6;
  const results = contenders.map(() => [] as Measurement[]);
  for (let i = 0; i < runs; i++) {
    for (const [c, contender] of contenders.entries()) {
      results[c]!.push(await runOnce(pipeline, contender, source, lines));
    }
  }
  return contenders.map((contender, c) => ({
    pipeline: pipeline.name,
    contender: contender.name,
    mbPerCpuSec: megabytes / median(results[c]!.map((run) => run.cpuSec)),
    mbPerSec: megabytes / median(results[c]!.map((run) => run.wallSec)),
    peakMb: median(results[c]!.map((run) => run.peakBytes)) / 1e6,
    runs: results[c]!,
  }));
}

async function main(): Promise<void> {
  if (options.help) return console.log(HELP);
  const contenders: Contender[] = [
    { name: "logcollector", command: (config) => ["dist/logcollector", "-c", config] },
  ];
  if (options.peer !== undefined) {
    const peer = options.peer;
    contenders.push({ name: "fluent-bit", command: (config) => [peer, "-c", config] });
  }
  const rows: Row[] = [];
  console.log("| pipeline | collector | MB per CPU s | MB/s wall | peak RSS, MB |");
  console.log("|---|---|---|---|---|");
  for (const pipeline of PIPELINES.filter(({ name }) => name.includes(options.only))) {
    const measured = await measurePipeline(
      pipeline,
      pipeline.oursAlone ? contenders.slice(0, 1) : contenders,
      Number(options.lines),
      Number(options.runs),
    );
    for (const row of measured) {
      console.log(
        `| ${row.pipeline} | ${row.contender} | ${row.mbPerCpuSec.toFixed(0)} | ${
          row.mbPerSec.toFixed(0)
        } | ${row.peakMb.toFixed(0)} |`,
      );
    }
    rows.push(...measured);
  }
  if (options.json !== undefined) writeFileSync(options.json, JSON.stringify(rows, null, 2));
}

try {
  await main();
} finally {
  await sink.stop(true);
  forwardSink.stop();
  rmSync(folder, { recursive: true, force: true });
}
