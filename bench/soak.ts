// Runs the compiled binary at a steady rate for a long time and watches its memory. `npm run soak -- --help`.
import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { parseArgs } from "node:util";
import { lineMaker } from "./generate.ts";

const HELP = `npm run soak -- [options]

  --minutes N       how long (default 20)
  --rate MB         megabytes per second of log lines (default 60)
  --storage TYPE    filesystem or memory (default filesystem)
  --folder PATH     where everything is written (default: a temporary folder)
  --outage SECONDS  every five minutes the destination refuses everything for so long (default 20)
`;

const { values: options } = parseArgs({
  options: {
    minutes: { type: "string", default: "20" },
    rate: { type: "string", default: "60" },
    storage: { type: "string", default: "filesystem" },
    folder: { type: "string", default: tmpdir() },
    outage: { type: "string", default: "20" },
    help: { type: "boolean", default: false },
  },
});

const SAMPLE_MS = 5000;
const WRITE_MS = 20;
/** The file is rotated at this size, and three generations are kept. */
const ROTATE_BYTES = 256e6;
const KEPT = 3;
/** The first samples, while the program gets its size. */
const SETTLE_MS = 120_000;
const OUTAGE_EVERY_MS = 300_000;

let received = 0;
let refuses = false;

function startSink(): Bun.Server<undefined> {
  return Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    maxRequestBodySize: 64 * 1024 * 1024,
    async fetch(request) {
      const bytes = await request.bytes();
      if (refuses) return new Response(null, { status: 503 });
      for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) received++;
      return new Response("ok");
    },
  });
}

/** Appends blocks of lines at a steady rate. */
class Writer {
  lines = 0;
  private readonly path: string;
  private readonly blocks: { text: Buffer; lines: number }[];
  private inFile = 0;
  private debt = 0;
  private generation = 0;

  constructor(path: string, bytesPerTick: number) {
    this.path = path;
    const make = lineMaker("json", 1);
    this.blocks = Array.from({ length: 16 }, (_, block) => {
      let text = "";
      let lines = 0;
      for (; text.length < bytesPerTick; lines++) text += `${make(block * 10_000 + lines)}\n`;
      return { text: Buffer.from(text), lines };
    });
    writeFileSync(path, "");
  }

  /** Writes what is due since the last call. */
  tick(elapsedMs: number): void {
    this.debt += elapsedMs / WRITE_MS;
    // After a stall it does not catch up: the rate is a rate.
    for (this.debt = Math.min(this.debt, 5); this.debt >= 1; this.debt--) {
      const { text, lines } = this.blocks[Math.floor(Math.random() * this.blocks.length)]!;
      appendFileSync(this.path, text);
      this.lines += lines;
      this.inFile += text.length;
    }
    if (this.inFile > ROTATE_BYTES) this.rotate();
  }

  private rotate(): void {
    this.inFile = 0;
    this.generation++;
    renameSync(this.path, `${this.path}.${this.generation}`);
    rmSync(`${this.path}.${this.generation - KEPT}`, { force: true });
  }
}

interface Sample {
  readonly atMs: number;
  readonly rssMb: number;
  readonly behind: number;
}

function statusOf(pid: number, field: string): number {
  const match = new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(
    readFileSync(`/proc/${pid}/status`, "utf8"),
  );
  return Number(match?.[1] ?? 0) * 1024 / 1e6;
}

function configuration(folder: string, port: number): string {
  return `parsers: [{name: soak, format: json, time_key: time, time_format: '%Y-%m-%dT%H:%M:%S.%LZ'}]
service: {flush: 1, log_level: error, grace: 30, storage.path: ${folder}/state, scheduler.base: 1, scheduler.cap: 5}
pipeline:
  inputs:
    - {name: tail, path: ${folder}/app.log, db: ${folder}/app.db, parser: soak, read_from_head: on, storage.type: ${options.storage}}
  outputs:
    - {name: http, match: '*', host: 127.0.0.1, port: ${port}, format: json_lines, storage.total_limit_size: 20G}
`;
}

async function main(): Promise<void> {
  if (options.help) return console.log(HELP);
  const folder = mkdtempSync(`${options.folder}/logcollector-soak-`);
  const sink = startSink();
  const rate = Number(options.rate) * 1e6;
  const writer = new Writer(`${folder}/app.log`, rate * WRITE_MS / 1000);
  writeFileSync(`${folder}/config.yaml`, configuration(folder, sink.port!));
  const child = Bun.spawn(["dist/logcollector", "-c", `${folder}/config.yaml`], {
    stderr: "inherit",
  });
  const samples: Sample[] = [];
  try {
    await soak(child.pid, writer, samples);
    const peakMb = statusOf(child.pid, "VmHWM");
    child.kill("SIGTERM");
    await child.exited;
    report(samples, peakMb, child.resourceUsage()!, writer);
  } finally {
    child.kill("SIGKILL");
    await sink.stop(true);
    rmSync(folder, { recursive: true, force: true });
  }
}

async function soak(pid: number, writer: Writer, samples: Sample[]): Promise<void> {
  const startMs = performance.now();
  const endMs = startMs + Number(options.minutes) * 60_000;
  let lastMs = startMs;
  let sampleMs = startMs + SAMPLE_MS;
  for (let nowMs = startMs; nowMs < endMs; nowMs = performance.now()) {
    writer.tick(nowMs - lastMs);
    lastMs = nowMs;
    const intoPeriodMs = (nowMs - startMs) % OUTAGE_EVERY_MS;
    refuses = nowMs - startMs > OUTAGE_EVERY_MS / 2 &&
      Math.abs(intoPeriodMs - OUTAGE_EVERY_MS / 2) < Number(options.outage) * 500;
    if (nowMs >= sampleMs) {
      sampleMs += SAMPLE_MS;
      const sample = {
        atMs: nowMs - startMs,
        rssMb: statusOf(pid, "VmRSS"),
        behind: writer.lines - received,
      };
      samples.push(sample);
      console.log(
        `${(sample.atMs / 1000).toFixed(0)} s: ${
          sample.rssMb.toFixed(1)
        } MB, ${sample.behind} lines behind`,
      );
    }
    await Bun.sleep(WRITE_MS);
  }
  // What is still on its way must arrive.
  for (let i = 0; i < 600 && received < writer.lines; i++) await Bun.sleep(100);
}

function report(
  samples: readonly Sample[],
  peakMb: number,
  usage: { cpuTime: { total: number | bigint } },
  writer: Writer,
): void {
  const settled = samples.filter(({ atMs }) => atMs > SETTLE_MS).map(({ rssMb }) => rssMb);
  const mean = (values: readonly number[]) =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const fifth = Math.max(1, Math.floor(settled.length / 5));
  const [first, last] = [mean(settled.slice(0, fifth)), mean(settled.slice(-fifth))];
  const seconds = samples.at(-1)!.atMs / 1000;
  console.log(
    `lines written ${writer.lines}, received ${received}, lost ${writer.lines - received}`,
  );
  console.log(`CPU ${(100 * Number(usage.cpuTime.total) / 1e6 / seconds).toFixed(0)} % of a core`);
  console.log(
    `RSS after two minutes: first fifth ${first.toFixed(1)} MB, last fifth ${last.toFixed(1)} MB (${
      (100 * (last - first) / first).toFixed(1)
    } %), least ${Math.min(...settled).toFixed(1)}, most ${Math.max(...settled).toFixed(1)}, peak ${
      peakMb.toFixed(1)
    }`,
  );
}

await main();
