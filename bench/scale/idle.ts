import { mkdirSync, readFileSync, writeFileSync } from "node:fs";

export interface IdleFigures {
  readonly files: number;
  readonly rssBytes: number;
  /** CPU seconds per second in the second half of the time at rest. */
  readonly cpuShare: number;
}

const REST_MS = 30_000;
const TICKS_PER_SEC = 100;

/** Follows files that were read to their end and do not grow, and looks at the process after half a minute. */
export async function measureIdle(
  { binary, folder }: { readonly binary: string; readonly folder: string },
  files: number,
): Promise<IdleFigures> {
  const sources = `${folder}/${files}`;
  mkdirSync(sources);
  for (let i = 0; i < files; i++) writeFileSync(`${sources}/${i}.log`, `line of file ${i}\n`);
  const { promise: allArrived, resolve } = Promise.withResolvers<void>();
  let arrived = 0;
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: async (request) => {
      arrived += (await request.text()).trimEnd().split("\n").length;
      if (arrived >= files) resolve();
      return new Response();
    },
  });
  const config = `${folder}/config.yaml`;
  writeFileSync(
    config,
    `service: { flush: 1, log_level: error }
pipeline:
  inputs:
    - { name: tail, tag: bench, path: ${sources}/*.log, read_from_head: true }
  outputs:
    - { name: http, match: "*", host: 127.0.0.1, port: ${server.port}, uri: /, format: json_lines }
`,
  );
  const child = Bun.spawn([binary, "-c", config], { stdin: "ignore", stdout: "ignore" });
  try {
    await allArrived;
    await Bun.sleep(REST_MS / 2);
    const before = { cpuSec: cpuSecOf(child.pid), ms: performance.now() };
    await Bun.sleep(REST_MS / 2);
    const seconds = (performance.now() - before.ms) / 1000;
    const cpuShare = (cpuSecOf(child.pid) - before.cpuSec) / seconds;
    return { files, rssBytes: rssOf(child.pid), cpuShare };
  } finally {
    child.kill("SIGTERM");
    await child.exited;
    await server.stop(true);
  }
}

/** User and system time of all threads. */
function cpuSecOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SEC;
}

function rssOf(pid: number): number {
  const match = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Number(match![1]) * 1024;
}
