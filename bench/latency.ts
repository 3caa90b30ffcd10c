// How long a line takes from its write to its receipt at an HTTP server. `npm run bench:latency -- --help` says how.
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { parseArgs } from "node:util";
import { thisMachine } from "./machine.ts";
import { markdownRow, markdownTable } from "./markdown-table.ts";
import { percentile } from "./statistics.ts";
import { countFrom } from "./throughput/arguments.ts";

const HELP = `npm run bench:latency -- [options]

  --flush LIST    values of the service option "flush", in seconds (default 0.1,0)
  --rate N        lines per second (default 1000)
  --pause MS      from one group of lines to the next, in milliseconds (default 5)
  --seconds N     how long each is measured, after a warm-up (default 20)
  --binary PATH   the collector (default dist/logcollector)
  --json FILE     writes the figures as JSON too
`;

const WARM_UP_SEC = 3;
/** For what is on its way when the last line was written. */
const REST_SEC = 10;

const HEAD = [
  "flush, s",
  "p50, ms",
  "p99, ms",
  "max, ms",
  "own timers late, p99, ms",
  "CPU s",
  "requests",
] as const;

interface Figures {
  readonly flush: string;
  readonly lines: number;
  readonly requests: number;
  readonly cpuSec: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** How late this process's own timers were: what the machine adds by itself. */
  readonly lateP99Ms: number;
}

/** Takes JSON lines, each with the time of its write, and notes how long ago that was. */
class LatencySink {
  readonly latenciesMs: number[] = [];
  requests = 0;
  private awaited = Infinity;
  private onAll = () => {};
  private readonly server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: async (request) => {
      const text = await request.text();
      const nowNs = Bun.nanoseconds();
      this.requests++;
      for (const line of text.trimEnd().split("\n")) {
        const { log } = JSON.parse(line) as { readonly log: string };
        this.latenciesMs.push((nowNs - Number(log.slice(0, log.indexOf(" ")))) / 1e6);
      }
      if (this.latenciesMs.length >= this.awaited) this.onAll();
      return new Response();
    },
  });

  get port(): number {
    return this.server.port!;
  }

  /** Forgets what came. */
  reset(): void {
    this.latenciesMs.length = 0;
    this.requests = 0;
  }

  /** Waits until so many lines have come since the last reset, at most for some time. */
  async until(lines: number): Promise<void> {
    if (this.latenciesMs.length >= lines) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.awaited = lines;
    this.onAll = resolve;
    await Promise.race([promise, Bun.sleep(REST_SEC * 1000)]);
    this.awaited = Infinity;
  }

  async stop(): Promise<void> {
    await this.server.stop(true);
  }
}

interface Pace {
  readonly linesPerSec: number;
  readonly pauseMs: number;
}

interface Written {
  readonly lines: number;
  /** By how much each pause was longer than asked for. */
  readonly lateMs: readonly number[];
}

/** Appends lines at a steady rate, in groups. */
async function writeLines(
  path: string,
  { linesPerSec, pauseMs }: Pace,
  seconds: number,
): Promise<Written> {
  const lateMs: number[] = [];
  const startNs = Bun.nanoseconds();
  const total = Math.round(linesPerSec * seconds);
  for (let written = 0; written < total;) {
    const due = Math.floor((Bun.nanoseconds() - startNs) / 1e9 * linesPerSec);
    let group = "";
    for (; written < Math.min(due, total); written++) {
      group += `${Bun.nanoseconds()} request ${written} handled in 17 ms for user 90210\n`;
    }
    if (group !== "") appendFileSync(path, group);
    const sleptNs = Bun.nanoseconds();
    await Bun.sleep(pauseMs);
    lateMs.push((Bun.nanoseconds() - sleptNs) / 1e6 - pauseMs);
  }
  return { lines: total, lateMs };
}

function configFor(flush: string, source: string, port: number): string {
  return `service: { flush: ${flush}, log_level: error }
pipeline:
  inputs:
    - { name: tail, path: ${source}, tag: bench, read_from_head: true }
  outputs:
    - { name: http, match: "*", host: 127.0.0.1, port: ${port}, uri: /, format: json_lines }
`;
}

async function measureFlush(
  flush: string,
  options: { readonly binary: string; readonly pace: Pace; readonly seconds: number },
): Promise<Figures> {
  const folder = mkdtempSync(`${tmpdir()}/logcollector-bench-`);
  const sink = new LatencySink();
  const source = `${folder}/app.log`;
  const config = `${folder}/config.yaml`;
  writeFileSync(source, "");
  writeFileSync(config, configFor(flush, source, sink.port));
  const child = Bun.spawn([options.binary, "-c", config], { stdin: "ignore", stdout: "ignore" });
  try {
    await sink.until((await writeLines(source, options.pace, WARM_UP_SEC)).lines);
    if (sink.requests === 0) throw new Error(`Cannot measure ${options.binary}: nothing arrived`);
    sink.reset();
    const { lines, lateMs } = await writeLines(source, options.pace, options.seconds);
    await sink.until(lines);
    const { latenciesMs, requests } = sink;
    if (latenciesMs.length !== lines) {
      throw new Error(
        `Cannot count "flush: ${flush}": ${latenciesMs.length} lines arrived, not ${lines}`,
      );
    }
    const at = (share: number) => percentile(latenciesMs, share);
    child.kill("SIGTERM");
    await child.exited;
    const cpuSec = Number(child.resourceUsage()!.cpuTime.total) / 1e6;
    return {
      flush,
      lines,
      requests,
      cpuSec,
      p50Ms: at(0.5),
      p99Ms: at(0.99),
      maxMs: at(1),
      lateP99Ms: percentile(lateMs, 0.99),
    };
  } finally {
    child.kill("SIGTERM");
    await child.exited;
    await sink.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      flush: { type: "string", default: "0.1,0" },
      rate: { type: "string", default: "1000" },
      pause: { type: "string", default: "5" },
      seconds: { type: "string", default: "20" },
      binary: { type: "string", default: "dist/logcollector" },
      json: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return console.log(HELP);
  const pace = {
    linesPerSec: countFrom("--rate", values.rate),
    pauseMs: countFrom("--pause", values.pause),
  };
  const seconds = countFrom("--seconds", values.seconds);
  const figures: Figures[] = [];
  const date = new Date().toISOString();
  console.log(markdownTable(HEAD, []));
  for (const flush of values.flush.split(",")) {
    const measured = await measureFlush(flush, { binary: values.binary, pace, seconds });
    const { p50Ms, p99Ms, maxMs, lateP99Ms, cpuSec, requests } = measured;
    const times = [p50Ms, p99Ms, maxMs, lateP99Ms].map((ms) => ms.toFixed(1));
    console.log(markdownRow([flush, ...times, cpuSec.toFixed(2), String(requests)]));
    figures.push(measured);
  }
  if (values.json === undefined) return;
  writeFileSync(
    values.json,
    JSON.stringify({ date, machine: thisMachine(), pace, seconds, figures }, null, 2) + "\n",
  );
}

await main();
